// How a task ended, by its contract: a clean answer is not a success until the rules say so, and harm
// undoes it.

import type { Contract } from '../release/release.js'
import type { Facts, Rule } from '../release/rule.js'

export interface OutcomeQuestion {
  readonly contract: Pick<Contract, 'success' | 'harm' | 'slo' | 'price'>
  /** `endFacts` of the task. */
  readonly facts: Facts
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

export function judgeOutcome({
  contract,
  facts,
  delivered,
  verdict,
  latencyMs,
}: OutcomeQuestion): JudgedOutcome {
  const harms = contract.harm.map((rule) => judgeHarm(rule, facts))
  const harm = harms.some(({ harmful }) => harmful)
  const failures = [
    objectionOf(delivered, verdict),
    ...contract.success.map((rule) => failureOf(rule, facts)),
  ]
  const missed = failures.filter((reason) => reason !== null)
  const success = !harm && missed.length === 0
  const { nanoUsdPerSuccess } = contract.price
  const { p95LatencyMs } = contract.slo
  return {
    status: success ? 'succeeded' : verdict === 'abandoned' ? 'abandoned' : 'failed',
    success,
    harm,
    reasons: [...harms.map(({ reason }) => reason).filter((reason) => reason !== null), ...missed],
    priceNanoUsd: nanoUsdPerSuccess === null ? null : success ? nanoUsdPerSuccess : 0,
    sloMet: p95LatencyMs === null ? null : latencyMs <= p95LatencyMs,
  }
}

/** Harm needs a `yes`; a rule that could not be judged is said, so that nobody takes silence for safety. */
function judgeHarm(rule: Rule, facts: Facts): { harmful: boolean; reason: string | null } {
  const judged = rule.evaluate(facts)
  if (judged === 'yes') return { harmful: true, reason: `harm: ${rule.source}` }
  return {
    harmful: false,
    reason: judged === 'unknown' ? `harm not judged, a fact is missing: ${rule.source}` : null,
  }
}

function failureOf(rule: Rule, facts: Facts): string | null {
  switch (rule.evaluate(facts)) {
    case 'yes':
      return null
    case 'no':
      return `success rule does not hold: ${rule.source}`
    case 'unknown':
      return `success rule not judged, a fact is missing: ${rule.source}`
  }
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
