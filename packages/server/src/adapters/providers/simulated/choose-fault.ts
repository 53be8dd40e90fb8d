// Whether a call goes wrong, and how: by order of the request, by the state of the provider, or by a seeded
// coin.

import type { SimulatedBehaviour } from '../../../core/release/simulation.js'
import type { Directives } from './directives.js'
import { chance } from './seeded.js'

export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'outage' }
  | { readonly kind: 'error'; readonly status: number }
  | { readonly kind: 'throttle' }
  /** After 0 tokens: before the head. */
  | { readonly kind: 'stall'; readonly afterTokens: number }
  /** null: somewhere in the answer, by the seed. */
  | { readonly kind: 'broken'; readonly afterTokens: number | null }
  | { readonly kind: 'in_band_error'; readonly afterTokens: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'garbage' }

export interface FaultCircumstances {
  readonly behaviour: SimulatedBehaviour
  readonly directives: Directives
  readonly seed: number
  /** The request and how often it came before: a retry throws its own coin. */
  readonly occasion: string
  readonly stream: boolean
  /** The bucket of requests per minute is empty. */
  readonly throttled: boolean
}

export function chooseFault(at: FaultCircumstances): Fault {
  return orderedFault(at.directives) ?? stateFault(at) ?? chanceFault(at)
}

function orderedFault(directives: Directives): Fault | null {
  const { status } = directives
  if (status === 429) return { kind: 'throttle' }
  if (status !== null && status >= 400 && status <= 599) return { kind: 'error', status: Math.floor(status) }
  if (directives.html) return { kind: 'html' }
  if (directives.garbage) return { kind: 'garbage' }
  if (directives.stallAfter !== null) return { kind: 'stall', afterTokens: directives.stallAfter }
  if (directives.brokenAfter !== null) return { kind: 'broken', afterTokens: directives.brokenAfter }
  if (directives.inBandErrorAfter !== null)
    return { kind: 'in_band_error', afterTokens: directives.inBandErrorAfter }
  return null
}

function stateFault(at: FaultCircumstances): Fault | null {
  if (at.behaviour.outage) return { kind: 'outage' }
  return at.throttled ? { kind: 'throttle' } : null
}

/** One coin, cut into shares: each fault comes exactly as often as its rate says. */
function chanceFault(at: FaultCircumstances): Fault {
  const { errorRate, throttleRate, stallRate, brokenStreamRate } = at.behaviour
  let coin = chance(`fault\n${at.occasion}`, at.seed)
  if (coin < errorRate) return { kind: 'error', status: 500 }
  coin -= errorRate
  if (coin < throttleRate) return { kind: 'throttle' }
  coin -= throttleRate
  if (coin < stallRate) return { kind: 'stall', afterTokens: 0 }
  coin -= stallRate
  return at.stream && coin < brokenStreamRate ? { kind: 'broken', afterTokens: null } : { kind: 'none' }
}
