// Clients that call again: as official libraries do, or in a storm that listens to nothing.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import type { CallRun } from './call-run.js'

const BASE_MS = 500

/** How long until this client calls again, ms; null: it has what it gets. */
export function retryAfter(run: CallRun, passedMs: number): number | null {
  const { plan, tries, caller } = run
  const { status, headers, gone } = caller
  const isRetryable = status === 408 || status === 409 || status === 429 || status >= 500
  if (gone || !isRetryable || tries >= plan.retries) return null
  // No dice of their own: a client that comes back at another moment each time, and the same in each replay.
  const spread = (run.number * 37 + passedMs) % 100
  if (!plan.honours) return spread
  if (headers[RESPONSE_HEADERS.shouldRetry] === 'false') return null
  const told = Number(headers['retry-after'] ?? 0) * 1_000
  return Math.max(told, BASE_MS * 2 ** tries) + spread
}
