// Who calls. Keys are compared by hash; with no tenant configured only this machine may call, as tenant
// `local`.

import type { IncomingHttpHeaders } from 'node:http'
import { NO_CEILINGS, type Release, type Tenant } from '../core/release/release.js'
import { type Refusal, refused } from '../engine/refusal.js'

export interface Authenticator {
  authenticate(headers: IncomingHttpHeaders, remoteAddress: string | undefined): Tenant | Refusal
}

const LOCAL: Tenant = {
  name: 'local',
  keyHashes: [],
  limits: NO_CEILINGS,
  attributes: {},
  operator: true,
  weight: 1,
}

/** Keys seen lately, so that a busy client is not hashed anew each time; bounded, and per release. */
const REMEMBERED_KEYS_MAX = 10_000

export function createAuthenticator(release: Release, sha256: (text: string) => string): Authenticator {
  const byHash = new Map<string, Tenant>()
  for (const tenant of release.tenants.values()) for (const hash of tenant.keyHashes) byHash.set(hash, tenant)
  const seen = new Map<string, Tenant>()
  const { allowedOrigins } = release.server
  return {
    authenticate(headers, remoteAddress) {
      if (release.tenants.size === 0) return local(headers, { address: remoteAddress, allowedOrigins })
      const key = keyOf(headers)
      if (key === null) return refused('auth.missing', 'No tenant key was sent.')
      const known = seen.get(key)
      if (known !== undefined) return known
      const tenant = byHash.get(sha256(key))
      if (tenant === undefined) return refused('auth.unknown', 'The key belongs to no tenant.')
      if (seen.size >= REMEMBERED_KEYS_MAX) seen.clear()
      seen.set(key, tenant)
      return tenant
    },
  }
}

/** Official SDKs send their key in one of these; whichever it is, it is Spillway's key here. */
function keyOf(headers: IncomingHttpHeaders): string | null {
  const bearer = headers.authorization
  if (bearer !== undefined && bearer.slice(0, 7).toLowerCase() === 'bearer ') return bearer.slice(7).trim()
  const other = headers['x-api-key'] ?? headers['x-goog-api-key']
  return typeof other === 'string' && other !== '' ? other : null
}

/**
 * Without tenants a loopback address is the only credential, and three things can borrow it: a page in a
 * browser on this machine, a name that was made to resolve to loopback, and a proxy that serves others. None
 * of them is local.
 */
function local(headers: IncomingHttpHeaders, caller: LocalCaller): Tenant | Refusal {
  const say = (why: string) => refused('auth.missing', `No tenant is configured, and ${why}.`)
  if (!isLoopback(caller.address)) return say('only callers on this machine are served')
  if (FORWARDED.some((name) => headers[name] !== undefined))
    return say('calls that a proxy forwards are not local')
  const host = hostnameOf(`http://${headers.host ?? 'localhost'}`)
  if (!isLoopbackName(host)) return say(`'${host.slice(0, 100)}' is no name of this machine's loopback`)
  const { origin } = headers
  if (origin === undefined || caller.allowedOrigins.includes(origin)) return LOCAL
  return isLoopbackName(hostnameOf(origin))
    ? LOCAL
    : say('this page is of another origin (see `server.allowed_origins`)')
}

interface LocalCaller {
  readonly address: string | undefined
  readonly allowedOrigins: readonly string[]
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url
}

function isLoopbackName(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  )
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}
