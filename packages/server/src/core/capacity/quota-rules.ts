// How a provider charges calls to its limits, how it tells of them, and which refusals are its own lack of
// capacity. The facts are data (data/provider-limits.json, read by the config floor); what they mean is here.

import type { Demand, Observation } from './demand.js'
import type { QuotaDimension } from './limit-report.js'
import { isThrottle } from './retry.js'

export const START_CHARGES = [
  'nothing',
  'input',
  'expected_output',
  'input_and_expected_output',
  'input_and_max_output',
  'greater_of_input_and_max_output',
] as const
/** What a bucket of tokens gives before the call is sent. */
export type StartCharge = (typeof START_CHARGES)[number]

export const END_CHARGES = ['as_at_start', 'input', 'output', 'input_and_output'] as const
/** What the call has taken in the end: the difference is given back, or owed. */
export type EndCharge = (typeof END_CHARGES)[number]

export interface ChargeRule {
  readonly start: StartCharge
  readonly end: EndCharge
  /** Each output token counts so often in the end. */
  readonly outputWeight: number
}

export const RESET_FORMATS = ['duration', 'date'] as const

/** The headers of one bucket, in lower case. null: this provider does not tell it. */
export interface LimitHeaders {
  readonly dimension: QuotaDimension
  readonly limit: string | null
  readonly remaining: string | null
  readonly reset: string | null
  /** `duration`: `6m0s`. `date`: RFC 3339. */
  readonly resetFormat: (typeof RESET_FORMATS)[number]
  readonly spanMs: number
  /** false: nobody says for sure what span `limit` is of. */
  readonly isBinding: boolean
}

/** A refusal that says: we are full. Our quota has nothing to do with it. */
export interface TheirCapacity {
  readonly status: number
  /** Only when the answer names this error (`x-amzn-errortype`); null: whatever it says. */
  readonly error: string | null
  /** How long to leave the deployment alone when the answer does not say; doubled each time in a row. */
  readonly restMs: number
}

export interface QuotaRules {
  readonly tokens: ChargeRule
  readonly inputTokens: ChargeRule
  readonly outputTokens: ChargeRule
  /** Are input tokens that were read from the prompt cache charged? */
  readonly chargesCacheReads: boolean
  /** Requests are counted in slices of so many ms: more cannot be saved up. */
  readonly requestsSliceMs: number
  readonly headers: readonly LimitHeaders[]
  readonly theirCapacity: readonly TheirCapacity[]
}

type Expected = Pick<Demand, 'inputTokens' | 'outputTokens' | 'outputTokensMax'>

/** As settled; `inputTokens` includes those read from the cache. */
export interface Used {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

export function startCharge(rules: QuotaRules, dimension: QuotaDimension, expected: Expected): number {
  const { inputTokens, outputTokens, outputTokensMax } = expected
  switch (ruleOf(rules, dimension)?.start) {
    case undefined:
      return 1
    case 'nothing':
      return 0
    case 'input':
      return inputTokens
    case 'expected_output':
      return outputTokens
    case 'input_and_expected_output':
      return inputTokens + outputTokens
    case 'input_and_max_output':
      return inputTokens + outputTokensMax
    case 'greater_of_input_and_max_output':
      return Math.max(inputTokens, outputTokensMax)
  }
}

/** null: what was charged at the start stays. */
export function endCharge(rules: QuotaRules, dimension: QuotaDimension, used: Used): number | null {
  const rule = ruleOf(rules, dimension)
  if (rule === null || rule.end === 'as_at_start') return null
  const input = rules.chargesCacheReads ? used.inputTokens : used.inputTokens - used.cachedTokens
  const output = used.outputTokens * rule.outputWeight
  switch (rule.end) {
    case 'input':
      return Math.max(0, input)
    case 'output':
      return output
    case 'input_and_output':
      return Math.max(0, input) + output
  }
}

/** null: for requests, which are charged as they are. */
function ruleOf(rules: QuotaRules, dimension: QuotaDimension): ChargeRule | null {
  switch (dimension) {
    case 'requests':
      return null
    case 'tokens':
      return rules.tokens
    case 'input_tokens':
      return rules.inputTokens
    case 'output_tokens':
      return rules.outputTokens
  }
}

export type RefusalCause =
  | { readonly kind: 'quota' }
  | { readonly kind: 'their-capacity'; readonly restMs: number }

const QUOTA: RefusalCause = { kind: 'quota' }
/** Of a lack of capacity that the facts do not list. */
const REST_MS = 1_000

/**
 * Why an attempt was turned away for being too much; null: it was not. `error`: the name that a header
 * gives. Our quota is refused before anything runs, with 429 or (AWS) 400; whatever else throttles is their
 * capacity.
 */
export function refusalCause(
  rules: QuotaRules,
  { end, status }: Pick<Observation, 'end' | 'status'>,
  error: string | null,
): RefusalCause | null {
  if (!isThrottle(end)) return null
  for (const each of rules.theirCapacity) {
    const isIt = each.status === status && (each.error === null || each.error === error)
    if (isIt) return { kind: 'their-capacity', restMs: each.restMs }
  }
  return status === 429 || status === 400 ? QUOTA : { kind: 'their-capacity', restMs: REST_MS }
}
