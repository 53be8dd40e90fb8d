// What a call that waits for one of several deployments may expect of them.

import type { Demand } from '../../core/capacity/demand.js'
import type { Deployment } from '../../core/release/release.js'
import type { Capacity } from './capacity.js'

export interface Expectation {
  /** ms; 0: not known. */
  readonly firstTokenMs: number
  /** From there until its caller has something, ms: the rest of a whole answer. */
  readonly workMs: number
  /** ms; null: there is none. */
  readonly targetMs: number | null
}

/**
 * The soonest first token, the least strict target. Who said that they can wait have none. A whole answer
 * begins unseen, and late all the same.
 */
export function expectationOf(
  capacity: Pick<Capacity, 'stateOf'>,
  deployments: readonly Deployment[],
  { demand, isTolerant }: { readonly demand: Demand; readonly isTolerant: boolean },
): Expectation {
  let firstTokenMs = Infinity
  let answerMs = Infinity
  let targetMs: number | null = 0
  for (const deployment of deployments) {
    const pace = capacity.stateOf(deployment)?.pace
    firstTokenMs = Math.min(firstTokenMs, pace?.service.predictFirstTokenMs(demand.inputTokens, 0) ?? 0)
    answerMs = Math.min(answerMs, pace?.wholeMs(demand) ?? 0)
    const target: number | null = isTolerant ? null : deployment.targets.firstTokenMs
    targetMs = target === null || targetMs === null ? null : Math.max(targetMs, target)
  }
  if (firstTokenMs === Infinity) return { firstTokenMs: 0, workMs: 0, targetMs }
  const workMs = demand.stream ? 0 : Math.max(0, Math.round(answerMs - firstTokenMs))
  return { firstTokenMs: Math.round(firstTokenMs), workMs, targetMs }
}
