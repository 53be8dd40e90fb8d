// The content hash of a release: the resolved configuration in one canonical form, secrets replaced by
// their hash. Layout, comments and the order of keys are not content; the order of lists is.

import type { ReleaseId } from '../core/ids.js'
import type { ProviderConfig, Release } from '../core/release/release.js'

type Hash = (text: string) => string

const ID_HEX_DIGITS = 16

export function releaseId(release: Omit<Release, 'id' | 'source' | 'warnings'>, sha256: Hash): ReleaseId {
  const providers = new Map(
    [...release.providers].map(([name, provider]) => [name, withoutSecrets(provider, sha256)]),
  )
  const alerts = release.alerts.map((webhook) => ({ ...webhook, secret: hashed(webhook.secret, sha256) }))
  const dependencies = new Map(
    [...release.dependencies].map(([name, one]) => [name, withHashed(one, sha256)]),
  )
  const hash = sha256(JSON.stringify(canonical({ ...release, providers, alerts, dependencies })))
  return `rel_${hash.slice(0, ID_HEX_DIGITS)}` as ReleaseId
}

function hashed(secret: string | null, sha256: Hash): string | null {
  return secret === null ? null : sha256(secret)
}

/** Headers may be secrets. */
function withHashed<T extends { readonly headers: Readonly<Record<string, string>> }>(one: T, sha256: Hash) {
  const headers = Object.entries(one.headers).map(([name, value]) => [name, sha256(value)])
  return { ...one, headers: Object.fromEntries(headers) }
}

function withoutSecrets(provider: ProviderConfig, sha256: Hash): unknown {
  const key = 'apiKey' in provider ? hashed(provider.apiKey, sha256) : null
  const access = 'access' in provider ? { access: hashedAccess(provider.access, sha256) } : {}
  return { ...withHashed(provider, sha256), apiKey: key, ...access }
}

/** Whatever opens a cloud is taken for a secret, except how it is found. */
function hashedAccess(access: Readonly<Record<'from', string>>, sha256: Hash): unknown {
  const values = Object.entries(access).map(([name, value]) => [
    name,
    name === 'from' || typeof value !== 'string' ? value : sha256(value),
  ])
  return Object.fromEntries(values)
}

/** JSON values with sorted keys; maps as objects, functions (compiled rules) left out, infinity by name. */
function canonical(value: unknown): unknown {
  if (value instanceof Map) return sorted([...value])
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value === 'object' && value !== null) return sorted(Object.entries(value))
  return value === Infinity ? 'Infinity' : value
}

// Pairs, not an object: JavaScript would put keys that look like numbers first, whatever their order.
function sorted(entries: readonly (readonly [unknown, unknown])[]): unknown {
  return entries
    .filter(([, value]) => typeof value !== 'function' && value !== undefined)
    .map(([key, value]) => [String(key), canonical(value)] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
}
