// What the caller's `model` means: a task, a model or a tier. It says what is wanted; the contract says
// what is had.

import { type Contract, type ModelEntry, TIERS, type Tier } from '../release/release.js'
import { type Models, modelNamed, routeModels, tierRank } from './route-models.js'

export const DEFAULT_CONTRACT = 'default'

export interface ModelAsk {
  /** The body's `model`. */
  readonly requested: string
  /** The contract named by header or by the task that is joined; null when the caller named none. */
  readonly task: string | null
  readonly contracts: ReadonlyMap<string, Contract>
  readonly models: Models
}

export type ResolvedModel =
  | {
      readonly kind: 'resolved'
      readonly contract: Contract
      /** The model the caller gets unless a ceiling says no; null: the route decides. */
      readonly pinned: string | null
      readonly reason: string
    }
  | { readonly kind: 'unknown-model'; readonly requested: string }
  | { readonly kind: 'unknown-task'; readonly task: string }
  /** Header and body name different tasks. */
  | { readonly kind: 'conflict'; readonly task: string; readonly requestedTask: string }

const TASK_PREFIXES = ['task:', 'spillway/']

/**
 * Tasks come first, then configured models, then tiers. A call that names no task runs under the contract
 * `default` and gets the model it asks for; inside a task the route has the last word.
 */
export function resolveRequestedModel(ask: ModelAsk): ResolvedModel {
  const requestedTask = taskNameOf(ask)
  if (requestedTask !== null) {
    if (ask.task !== null && ask.task !== requestedTask)
      return { kind: 'conflict', task: ask.task, requestedTask }
    const contract = ask.contracts.get(requestedTask)
    if (contract === undefined) return { kind: 'unknown-task', task: requestedTask }
    return { kind: 'resolved', contract, pinned: null, reason: 'the caller named the task' }
  }
  const name = ask.task ?? DEFAULT_CONTRACT
  const contract = ask.contracts.get(name)
  if (contract === undefined) return { kind: 'unknown-task', task: name }
  const wanted = ask.models.get(ask.requested) ?? modelOfTier(ask, contract)
  if (wanted === null) return { kind: 'unknown-model', requested: ask.requested }
  return { kind: 'resolved', contract, ...honour(ask, contract, wanted) }
}

function taskNameOf({ requested, contracts }: ModelAsk): string | null {
  if (contracts.has(requested)) return requested
  const prefix = TASK_PREFIXES.find((candidate) => requested.startsWith(candidate))
  return prefix === undefined ? null : requested.slice(prefix.length)
}

/** The first of that tier: among those the route names, else among all that are configured. */
function modelOfTier({ requested, models }: ModelAsk, contract: Contract): ModelEntry | null {
  const tier: Tier | undefined = TIERS.find((candidate) => candidate === requested)
  if (tier === undefined) return null
  const named = routeModels(contract.route).map((name) => modelNamed(models, name))
  return [...named, ...models.values()].find((model) => model.tier === tier) ?? null
}

function honour(
  ask: ModelAsk,
  contract: Contract,
  wanted: ModelEntry,
): { pinned: string | null; reason: string } {
  const { route } = contract
  const pinned = wanted.name
  if (ask.task === null) return { pinned, reason: 'the caller asked for this model' }
  if (routeModels(route).includes(pinned)) return { pinned, reason: 'the route names the model asked for' }
  if (tierRank(wanted.tier) <= tierRank(modelNamed(ask.models, route.default).tier)) {
    return { pinned, reason: "the tier of the model asked for is not above the default's" }
  }
  return { pinned: null, reason: `${pinned} is above the default's tier and not named by the route` }
}
