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
}

/** Keys seen lately, so that a busy client is not hashed anew each time; bounded, and per release. */
const REMEMBERED_KEYS_MAX = 10_000

export function createAuthenticator(release: Release, sha256: (text: string) => string): Authenticator {
  const byHash = new Map<string, Tenant>()
  for (const tenant of release.tenants.values()) for (const hash of tenant.keyHashes) byHash.set(hash, tenant)
  const seen = new Map<string, Tenant>()
  return {
    authenticate(headers, remoteAddress) {
      if (release.tenants.size === 0) return local(remoteAddress)
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

function local(remoteAddress: string | undefined): Tenant | Refusal {
  if (isLoopback(remoteAddress)) return LOCAL
  return refused('auth.missing', 'No tenant is configured, so only callers on this machine are served.')
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}
