// Stage 4, recall: the same question of the same tenant under the same contract, answered before. Errors, cut
// and degraded answers are never remembered.

import { isObject } from '../../core/json.js'
import type { Answer } from '../answer/answer.js'
import type { CachedAnswer } from '../answer-ring.js'
import { type Step, decide } from '../step-context.js'
import type { Made } from '../step-end.js'

/** Longest question and answer worth remembering, bytes. */
const REMEMBERED_BYTES_MAX = 256 * 1024

export function recall(step: Step): Made | null {
  const ttlMs = step.task.contract.cache.exactTtlMs
  if (ttlMs === null) return null
  step.cache = 'miss'
  const found = lookUp(step)
  if (found === null || found.ageMs > ttlMs) return null
  step.cache = 'exact'
  step.cacheAgeMs = found.ageMs
  decide(step, {
    stage: 'recall',
    choice: 'exact',
    reason: 'answered before',
    inputs: { ageMs: found.ageMs },
  })
  return { kind: 'made', rung: null, cached: found.value }
}

/** The remembered answer whatever its age: the `cached_answer` rung may prefer an old one to none. */
export function lookUp(step: Step): { readonly value: CachedAnswer; readonly ageMs: number } | null {
  const { answers, system } = step.engine
  const request = isObject(step.call.json) ? step.call.json : {}
  return answers.find({ ...keyParts(step), request }, system.nowMs())
}

/** Of the caller's request as it came, not of the shortened one. */
function keyParts({ task, call }: Step) {
  return { tenant: task.tenant.name, contract: task.contract.name, wire: call.wire }
}

export function remembers(step: Step): boolean {
  const { cache, degrade } = step.task.contract
  return cache.exactTtlMs !== null || degrade.includes('cached_answer')
}

/** `tail`: the last bytes of a stream, which are not among its frames. */
export function remember(step: Step, answer: Answer, tail: Uint8Array | null): void {
  if (!remembers(step) || step.degraded.length > 0) return
  const bytes = bytesOf(answer, tail)
  if (bytes === null || bytes.length + step.call.body.length > REMEMBERED_BYTES_MAX) return
  const answered = {
    streamed: answer.kind !== 'whole',
    bytes,
    model: answer.model.name,
    deployment: answer.deployment.id,
  }
  const { answers, system } = step.engine
  answers.remember({ parts: keyParts(step), request: step.call.body, answer: answered, atMs: system.nowMs() })
}

function bytesOf(answer: Answer, tail: Uint8Array | null): Uint8Array | null {
  if (answer.kind === 'whole') return answer.body
  const frames = answer.kind === 'held' ? answer.frames : answer.kept
  return frames === null || tail === null ? null : Buffer.concat([frames, tail])
}
