// Stage 4, recall: the same question of the same tenant under the same contract, answered before. Errors, cut and
// degraded answers are never remembered.

import { type CacheKeyParts, cacheKeyText } from '../../core/cache/cache-key.js'
import { isObject } from '../../core/json.js'
import type { Answer } from '../answer/answer.js'
import type { CachedAnswer } from '../engine.js'
import { type Step, decide } from '../step-context.js'
import type { Made } from '../step-end.js'

/** Longest answer worth remembering, bytes. */
const REMEMBERED_BYTES_MAX = 256 * 1024

export function recall(step: Step): Made | null {
  const ttlMs = step.task.contract.cache.exactTtlMs
  if (ttlMs === null) return null
  step.cache = 'miss'
  const found = lookUp(step)
  if (found === null || found.ageMs > ttlMs) return null
  step.cache = 'exact'
  step.cacheAgeMs = found.ageMs
  decide(step, { stage: 'recall', choice: 'exact', reason: 'answered before', inputs: { ageMs: found.ageMs } })
  return { kind: 'made', rung: null, cached: found.value }
}

/** The remembered answer whatever its age: the `cached_answer` rung may prefer an old one to none. */
export function lookUp(step: Step): { readonly value: CachedAnswer; readonly ageMs: number } | null {
  return step.engine.answers.get(keyOf(step), step.engine.system.nowMs())
}

export function remembers(step: Step): boolean {
  const { cache, degrade } = step.task.contract
  return cache.exactTtlMs !== null || degrade.includes('cached_answer')
}

export function remember(step: Step, answer: Answer): void {
  if (!remembers(step) || step.degraded.length > 0) return
  const bytes = bytesOf(answer)
  if (bytes === null || bytes.length > REMEMBERED_BYTES_MAX) return
  const value: CachedAnswer = {
    streamed: answer.kind !== 'whole',
    bytes,
    model: answer.model.name,
    deployment: answer.deployment.id,
  }
  step.engine.answers.put(keyOf(step), { value, bytes: bytes.length, nowMs: step.engine.system.nowMs() })
}

function bytesOf(answer: Answer): Uint8Array | null {
  switch (answer.kind) {
    case 'whole':
      return answer.body
    case 'held':
      return Buffer.concat(answer.frames)
    case 'streamed':
      return answer.end.kind === 'complete' && answer.kept !== null ? Buffer.concat(answer.kept) : null
  }
}

/** Hash of what was asked, the same however its keys were ordered. Of the caller's request, not the shortened one. */
export function keyOf(step: Step): string {
  if (step.cacheKey !== null) return step.cacheKey
  const parts: CacheKeyParts = {
    tenant: step.task.tenant.name,
    contract: step.task.contract.name,
    wire: step.call.wire,
    request: isObject(step.call.json) ? step.call.json : {},
  }
  step.cacheKey = step.engine.system.sha256(cacheKeyText(parts))
  return step.cacheKey
}
