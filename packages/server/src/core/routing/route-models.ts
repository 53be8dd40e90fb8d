// What a route names, and how tiers compare: shared by every routing decision.

import { type ModelEntry, type Route, TIERS, type Tier } from '../release/release.js'

export type Models = ReadonlyMap<string, ModelEntry>

/** The models a route names: the default first, then its rules' in order, each once. */
export function routeModels(route: Route): readonly string[] {
  return [...new Set([route.default, ...route.rules.map((rule) => rule.model)])]
}

/** 0 = small, 2 = premium. */
export function tierRank(tier: Tier): number {
  return TIERS.indexOf(tier)
}

/** Its configuration. A route may only name configured models (`config/` checks it), so a miss is a bug. */
export function modelNamed(models: Models, name: string): ModelEntry {
  const entry = models.get(name)
  if (entry === undefined) throw new Error(`model ${name} is not configured`)
  return entry
}
