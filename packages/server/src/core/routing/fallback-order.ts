// Where to go when an attempt failed: along the model's deployments, then to other models of the route.
// Never to a higher tier: an outage of the small model must not become a premium bill.

import type { Deployment, ModelEntry, Route } from '../release/release.js'
import { type Models, modelNamed, routeModels, tierRank } from './route-models.js'

export interface Candidate {
  readonly model: ModelEntry
  readonly deployment: Deployment
}

export interface FallbackQuestion {
  readonly route: Route
  readonly models: Models
  /** The model that was chosen. */
  readonly model: string
  /** The order in which a model's deployments are tried; by default as configured. May leave some out. */
  readonly deploymentsOf?: (model: ModelEntry) => readonly Deployment[]
}

/**
 * Everything worth trying, best first, each pair at most once: a bounded list, so fallback cannot go in
 * circles.
 */
export function fallbackOrder(question: FallbackQuestion): readonly Candidate[] {
  const { deploymentsOf = (model: ModelEntry) => model.deployments } = question
  const candidates: Candidate[] = []
  for (const model of fallbackModels(question)) {
    const seen = new Set<string>()
    for (const deployment of deploymentsOf(model)) {
      if (!seen.has(deployment.id)) candidates.push({ model, deployment })
      seen.add(deployment.id)
    }
  }
  return candidates
}

/** The chosen model, then the route's others of its tier, then those below, the nearest tier first. */
function fallbackModels({ route, models, model }: FallbackQuestion): readonly ModelEntry[] {
  const chosen = modelNamed(models, model)
  const rank = tierRank(chosen.tier)
  const others = routeModels(route)
    .filter((name) => name !== model)
    .map((name) => modelNamed(models, name))
    .filter((entry) => tierRank(entry.tier) <= rank)
  return [chosen, ...others.sort((a, b) => tierRank(b.tier) - tierRank(a.tier))]
}
