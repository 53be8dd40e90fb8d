// How a task ended, by its contract: a clean answer is not a success until the rules say so, and harm
// undoes it.

import type { Contract } from '../release/release.js'
import type { Rule, Verdict } from '../release/rule.js'

export interface OutcomeQuestion {
  readonly contract: Pick<Contract, 'success' | 'harm' | 'slo' | 'price'>
  /** What each rule of the contract says of the task. */
  readonly verdictOf: (rule: Rule) => Verdict
  /** What the caller got last. */
  readonly delivered: 'answer' | 'refine' | 'nothing'
  /** The application's own word, null when it gave none. */
  readonly verdict: 'succeeded' | 'failed' | 'abandoned' | null
  readonly latencyMs: number
}

export interface JudgedOutcome {
  readonly status: 'succeeded' | 'failed' | 'abandoned'
  readonly success: boolean
  readonly harm: boolean
  /** Why it is no success, or what could not be judged; empty for a plain success. */
  readonly reasons: readonly string[]
  /** What is charged for it: the price of a success, 0 without one, null where the contract has no price. */
  readonly priceNanoUsd: number | null
  /** null: the contract has no latency target. */
  readonly sloMet: boolean | null
}

export function judgeOutcome(question: OutcomeQuestion): JudgedOutcome {
  const { contract, verdictOf, verdict, latencyMs } = question
  const reasons: string[] = []
  let harm = false
  for (const rule of contract.harm) {
    const judged = verdictOf(rule)
    // Harm needs a `yes`; what could not be judged is said, so that nobody takes silence for safety.
    if (judged === 'yes') harm = true
    if (judged !== 'no') reasons.push(`${HARM[judged]}: ${rule.source}`)
  }
  const objections = objectionsOf(question)
  reasons.push(...objections)
  const success = !harm && objections.length === 0
  const { nanoUsdPerSuccess } = contract.price
  const { p95LatencyMs } = contract.slo
  return {
    status: success ? 'succeeded' : verdict === 'abandoned' ? 'abandoned' : 'failed',
    success,
    harm,
    reasons,
    priceNanoUsd: nanoUsdPerSuccess === null ? null : success ? nanoUsdPerSuccess : 0,
    sloMet: p95LatencyMs === null ? null : latencyMs <= p95LatencyMs,
  }
}

const HARM = { yes: 'harm', unknown: 'harm not judged, a fact is missing' } as const
const NOT_MET = {
  no: 'success rule does not hold',
  unknown: 'success rule not judged, a fact is missing',
} as const

function objectionsOf({ contract, delivered, verdict, verdictOf }: OutcomeQuestion): readonly string[] {
  const objections: string[] = []
  const first = objectionOf(delivered, verdict)
  if (first !== null) objections.push(first)
  for (const rule of contract.success) {
    const judged = verdictOf(rule)
    if (judged !== 'yes') objections.push(`${NOT_MET[judged]}: ${rule.source}`)
  }
  return objections
}

/**
 * What speaks against success before any rule is asked. An application that says "succeeded" needs no
 * answer of ours.
 */
function objectionOf(
  delivered: OutcomeQuestion['delivered'],
  verdict: OutcomeQuestion['verdict'],
): string | null {
  if (verdict === 'failed' || verdict === 'abandoned') return `the application says ${verdict}`
  if (verdict === 'succeeded' || delivered === 'answer') return null
  return delivered === 'refine' ? 'the caller was asked to refine' : 'no answer was delivered'
}
