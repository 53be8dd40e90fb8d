// The next step down from a model, among those its route names: a lower tier, or the same tier for less
// money.

import type { ModelEntry, Route } from '../release/release.js'
import { type Models, modelNamed, routeModels, tierRank } from './route-models.js'

export interface SmallerQuestion {
  readonly route: Route
  readonly models: Models
  readonly current: string
  /** Models that have failed or do not fit. Default none. */
  readonly except?: readonly string[]
}

/** The nearest first: its own tier before those below, and within a tier the dearest. null: there is none. */
export function smallerModel({ route, models, current, except = [] }: SmallerQuestion): string | null {
  const from = modelNamed(models, current)
  const smaller = routeModels(route)
    .filter((name) => name !== current && !except.includes(name))
    .map((name) => modelNamed(models, name))
    .filter((entry) => isSmaller(entry, from))
  const [nearest] = smaller.sort(
    (a, b) => tierRank(b.tier) - tierRank(a.tier) || (outputRateOf(b) ?? -1) - (outputRateOf(a) ?? -1),
  )
  return nearest?.name ?? null
}

function isSmaller(entry: ModelEntry, from: ModelEntry): boolean {
  const step = tierRank(entry.tier) - tierRank(from.tier)
  if (step !== 0) return step < 0
  const rate = outputRateOf(entry)
  const fromRate = outputRateOf(from)
  return rate !== null && fromRate !== null && rate < fromRate
}

/** The dearest of its deployments, pico-USD per output token; null when one of them has no known price. */
function outputRateOf(entry: ModelEntry): number | null {
  let dearest = 0
  for (const { price } of entry.deployments) {
    if (price === null) return null
    dearest = Math.max(dearest, price.rates.output)
  }
  return dearest
}
