// What makes two requests the same: everything the answer depends on, and who may see it. One tenant's
// answer is never another's, and a contract's never another contract's.

import type { Wire } from '../release/release.js'
import { canonicalJson } from './canonical-json.js'

/**
 * Top-level fields that do not change what the answer says: how it is delivered, billed, filed or
 * attributed.
 */
export const IGNORED_FIELDS: ReadonlySet<string> = new Set([
  'stream',
  'stream_options',
  'user',
  'metadata',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
  'store',
])

export interface CacheKeyParts {
  readonly tenant: string
  readonly contract: string
  readonly wire: Wire
  /** The caller's request, parsed. */
  readonly request: Readonly<Record<string, unknown>>
}

/**
 * The text to hash. Equal exactly when all parts are: it is one JSON array, so parts cannot run into each
 * other.
 */
export function cacheKeyText({ tenant, contract, wire, request }: CacheKeyParts): string {
  const members = Object.entries(request).filter(([field]) => !IGNORED_FIELDS.has(field))
  return canonicalJson([tenant, contract, wire, Object.fromEntries(members)])
}
