// Which way down: when a limit, the time, a provider or the capacity gives out, the contract's ladder says
// in what order to give way. One total function of plain data: the same state always takes the same rung.

import type { RungName } from '../release/release.js'
import { unreachable } from '../unreachable.js'
import type { LimitName } from './amounts.js'

/** What gave out. */
export type LadderTrigger =
  | { readonly kind: 'budget'; readonly limit: LimitName }
  | { readonly kind: 'deadline' }
  /** Every attempt failed; `end` is the last one's (`http_503`, `timeout`, `context_length`). */
  | { readonly kind: 'upstream'; readonly end: string }
  | { readonly kind: 'capacity' }
  /** A tenant, product or premium ceiling. */
  | { readonly kind: 'ceiling'; readonly limit: LimitName }

export interface LadderState {
  readonly trigger: LadderTrigger
  /** Rungs this call already stands on. */
  readonly taken: readonly RungName[]
  /** The conversation without its oldest turns, and whether that would fit. null: nothing can be dropped. */
  readonly shorter: { readonly fits: boolean } | null
  /** The next smaller model, and whether it would fit limits, ceilings and time. null: there is none. */
  readonly smaller: { readonly model: string; readonly fits: boolean } | null
  /** An earlier answer to the same request, however old. */
  readonly cached: { readonly ageMs: number } | null
  /** What was generated before the end came. */
  readonly partial: { readonly outputTokens: number } | null
}

export type RungChoice =
  | { readonly kind: 'rung'; readonly rung: RungName; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reason: string }

/** The first rung, in the contract's order, that is not taken yet and can help against this trigger. */
export function chooseRung(ladder: readonly RungName[], state: LadderState): RungChoice {
  const cause = describeTrigger(state.trigger)
  for (const rung of ladder) {
    if (state.taken.includes(rung)) continue
    const help = helpOf(rung, state)
    if (help !== null) return { kind: 'rung', rung, reason: `${cause}: ${help}` }
  }
  const why = ladder.length === 0 ? 'the contract has no ladder' : 'no rung of the ladder can help'
  return { kind: 'refuse', reason: `${cause}: ${why}` }
}

/** What the rung would do about it, or null when it cannot help. */
function helpOf(rung: RungName, state: LadderState): string | null {
  switch (rung) {
    case 'shorter_context':
      return state.shorter?.fits && shorteningHelps(state.trigger) ? 'the oldest turns are left out' : null
    case 'smaller_model':
      return state.smaller?.fits && smallerModelHelps(state.trigger)
        ? `${state.smaller.model} answers instead`
        : null
    case 'cached_answer':
      return state.cached
        ? `an answer of ${Math.round(state.cached.ageMs / 1000)} s ago is given again`
        : null
    case 'partial_result':
      return state.partial && state.partial.outputTokens > 0
        ? `the ${state.partial.outputTokens} tokens generated so far are given`
        : null
    case 'refine':
      return 'the caller is asked to refine'
    default:
      return unreachable(rung)
  }
}

/** Fewer input tokens: less input, less money, and a prompt that fits the model's window. */
function shorteningHelps(trigger: LadderTrigger): boolean {
  switch (trigger.kind) {
    case 'budget':
    case 'ceiling':
      return trigger.limit === 'inputTokens' || trigger.limit === 'nanoUsd'
    case 'upstream':
      return isContextLengthEnd(trigger.end)
    case 'deadline':
    case 'capacity':
      return false
    default:
      return unreachable(trigger)
  }
}

/**
 * Cheaper, faster, elsewhere: but still one call of as many tokens. A premium share counts calls, so it
 * helps there.
 */
function smallerModelHelps(trigger: LadderTrigger): boolean {
  switch (trigger.kind) {
    case 'budget':
      return trigger.limit === 'nanoUsd' || trigger.limit === 'latencyMs'
    case 'ceiling':
      return trigger.limit === 'nanoUsd' || trigger.limit === 'modelCalls'
    case 'deadline':
    case 'upstream':
    case 'capacity':
      return true
    default:
      return unreachable(trigger)
  }
}

/** The prompt was longer than the model's window: `context_length`, or a 413. */
export function isContextLengthEnd(end: string): boolean {
  return end === 'http_413' || end.includes('context_length')
}

function describeTrigger(trigger: LadderTrigger): string {
  switch (trigger.kind) {
    case 'budget':
      return `the budget of ${trigger.limit} does not suffice`
    case 'ceiling':
      return `the ceiling of ${trigger.limit} is reached`
    case 'deadline':
      return "the task's time is up"
    case 'upstream':
      return `every attempt failed (${trigger.end})`
    case 'capacity':
      return 'no deployment has capacity'
    default:
      return unreachable(trigger)
  }
}
