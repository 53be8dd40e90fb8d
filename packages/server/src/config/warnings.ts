// What is legal but probably not meant. Shown by `spillway check` and at start; never stops a release.

import type { CeilingLimits, Contract, ModelEntry, ProviderConfig, Tenant } from '../core/release/release.js'

export interface Checked {
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly models: ReadonlyMap<string, ModelEntry>
  readonly contracts: ReadonlyMap<string, Contract>
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly product: CeilingLimits
}

export function findWarnings(release: Checked): readonly string[] {
  return [simulated, unpriced, semanticCache, silentSignals].flatMap((find) => find(release))
}

function simulated({ providers, models }: Checked): readonly string[] {
  const names = [...models.values()].filter(({ deployments }) =>
    deployments.some(({ provider }) => providers.get(provider)?.kind === 'simulated'),
  )
  if (names.length === 0) return []
  return [
    `answered by the simulated provider, not by a real model: ${names.map(({ name }) => name).join(', ')}`,
  ]
}

function unpriced({ models }: Checked): readonly string[] {
  const ids = [...models.values()].flatMap(({ deployments }) =>
    deployments.filter(({ price }) => price === null).map(({ id }) => id),
  )
  if (ids.length === 0) return []
  const names = [...new Set(ids)].join(', ')
  return [
    `no price is known for ${names}: calls reserve at the dearest price and count as unpriced; add \`price\``,
  ]
}

function semanticCache({ contracts }: Checked): readonly string[] {
  const used = [...contracts.values()].some(({ cache }) => cache.semantic?.enabled === true)
  return used ? ['the semantic cache is accepted but not served by this version: it reports `off`'] : []
}

const WITHOUT_LOGPROBS: ReadonlySet<string | undefined> = new Set(['anthropic', 'bedrock'])

/** A rule on log probabilities never fires where the default model's provider gives none. */
function silentSignals({ providers, models, contracts }: Checked): readonly string[] {
  const givesNone = (model: string): boolean => {
    const deployments = models.get(model)?.deployments ?? []
    return (
      deployments.length > 0 &&
      deployments.every(({ provider }) => WITHOUT_LOGPROBS.has(providers.get(provider)?.kind))
    )
  }
  return [...contracts.values()].flatMap(({ name, route, signals }) => {
    if (!givesNone(route.default)) return []
    const reads = new Set(route.rules.flatMap(({ condition }) => condition.reads))
    const silent = [...reads].filter(
      (read) => Object.hasOwn(signals, read) && signals[read]?.from === 'logprobs',
    )
    return silent.map(
      (signal) =>
        `task ${name}: rules read \`${signal}\` from log probabilities, which \`${route.default}\` does ` +
        'not give, so they never fire; choose another source under `signals`',
    )
  })
}
