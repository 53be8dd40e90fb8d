// Is there room for one more premium call? "Quality spend" is contained by share and by money per day.

import type { Route } from '../release/release.js'
import { type Models, modelNamed } from './route-models.js'

/** What the contract has used so far. */
export interface PremiumUse {
  /** All model calls of the contract in the window. */
  readonly calls: number
  /** Of them, those that went to the premium tier. */
  readonly premiumCalls: number
  /** Settled and held for premium calls today, nano-USD. */
  readonly nanoUsdToday: number
}

export type PremiumCeiling = 'share' | 'money'

/** The ceiling that a call to this model would break, counted in; null for room, and for every other tier. */
export function premiumCeilingOf(model: string, given: PremiumContext): PremiumCeiling | null {
  if (modelNamed(given.models, model).tier !== 'premium') return null
  const { maxShare, maxNanoUsdPerDay } = given.route.premium
  const { calls, premiumCalls, nanoUsdToday } = given.premiumUse
  if (maxShare !== null && (premiumCalls + 1) / (calls + 1) > maxShare) return 'share'
  if (maxNanoUsdPerDay !== null && nanoUsdToday >= maxNanoUsdPerDay) return 'money'
  return null
}

export interface PremiumContext {
  readonly route: Route
  readonly models: Models
  readonly premiumUse: PremiumUse
}
