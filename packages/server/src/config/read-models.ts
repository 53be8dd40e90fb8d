// What a route may name: models as tiers of capacity, each with the deployments that serve it.

import { didYouMean } from '@spillway/protocol'
import { type CatalogueEntry, picoPerToken, type PriceCatalogue } from '../core/money/price-catalogue.js'
import { PAID_BY_THE_HOUR, type Price, type Rates } from '../core/money/price.js'
import {
  type Deployment,
  type ModelEntry,
  type ProviderConfig,
  type Tier,
  TIERS,
} from '../core/release/release.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import { bundledPromptCaches } from './prompt-caches.js'
import { bundledProviderLimits } from './provider-limits.js'
import { deploymentLimits, deploymentTargets, NO_DEPLOYMENT_LIMITS, NO_TARGETS, usd } from './read-limits.js'
import {
  asMap,
  list,
  located,
  filled,
  number,
  oneOf,
  optional,
  quoted,
  type Reader,
  record,
  required,
  whole,
} from './readers.js'
import type { Tree } from './tree.js'

/** Where neither the configuration nor the catalogue says how long an answer can be, tokens. */
const MAX_OUTPUT_TOKENS_DEFAULT = 4096

const rate = number({ min: 0, max: 1_000_000, unit: 'USD per million tokens' })
const rates = record({
  input: required(rate),
  output: required(rate),
  cache_read: optional(rate),
  cache_write: optional(rate),
  cache_write_1h: optional(rate),
  reasoning: optional(rate),
})

/** A price of our own, USD per million tokens. A class that is not named costs what its parent costs. */
const price: Reader<Price> = {
  fallback: { rates: { input: 0, output: 0 }, tiers: [], book: 'override' },
  read(tree, problems) {
    const values = rates.read(tree, problems)
    const named: [keyof Rates, number | null][] = [
      ['cacheRead', values.cache_read],
      ['cacheWrite', values.cache_write],
      ['cacheWrite1h', values.cache_write_1h],
      ['reasoning', values.reasoning],
    ]
    const set = named.flatMap(([key, value]) => (value === null ? [] : [[key, picoPerToken(value)] as const]))
    const base = { input: picoPerToken(values.input), output: picoPerToken(values.output) }
    return { rates: { ...base, ...Object.fromEntries(set) }, tiers: [], book: 'override' }
  },
}

const deployment = located(
  record({
    provider: required(located(filled)),
    /** The provider's name of the model. Default: the name it has here. */
    model: optional(located(filled)),
    limits: optional(deploymentLimits, NO_DEPLOYMENT_LIMITS),
    targets: optional(deploymentTargets),
    price: optional(price),
    usd_per_hour: optional(usd),
    max_output_tokens: optional(whole('tokens')),
  }),
)
type DeploymentValues = typeof deployment.fallback

const model = record({
  /** Default: from the price, as for models that nobody defined. */
  tier: optional(oneOf(TIERS, 'tier')),
  deployments: required(list(deployment, { min: 1 })),
  /** For every deployment that has none of its own. */
  targets: optional(deploymentTargets),
  price: optional(price),
  max_output_tokens: optional(whole('tokens')),
})
type ModelValues = typeof model.fallback

export interface Sources {
  readonly providers: ReadonlyMap<string, ProviderConfig>
  /** Names under `providers`, also of those that could not be read. */
  readonly written: ReadonlySet<string>
  readonly prices: PriceCatalogue
  readonly problems: Problems
}

export function readModels(tree: Tree, sources: Sources): ReadonlyMap<string, ModelEntry> {
  const models = new Map<string, ModelEntry>()
  for (const [name, entry] of asMap(tree, sources.problems)?.entries ?? []) {
    if (isTier(name)) {
      sources.problems.add(entry.keyOffset, `a model cannot be named \`${name}\`: that is a tier`)
      continue
    }
    checkName(name, entry.keyOffset, sources.problems)
    if (name.startsWith('task:'))
      sources.problems.add(entry.keyOffset, '`task:` is how a request names a task')
    models.set(name, buildModel(name, model.read(entry.value, sources.problems), sources))
  }
  return models
}

export function isTier(name: string): name is Tier {
  return TIERS.some((tier) => tier === name)
}

function buildModel(name: string, values: ModelValues, sources: Sources): ModelEntry {
  const deployments = new Map<string, Deployment>()
  for (const item of values.deployments) {
    const built = buildDeployment({ name, model: values, item }, sources)
    if (!built) continue
    if (deployments.has(built.id)) sources.problems.add(item.offset, `\`${built.id}\` is listed twice`)
    deployments.set(built.id, built)
  }
  const all = [...deployments.values()]
  return { name, tier: values.tier ?? tierOf(all[0]?.price ?? null), deployments: all }
}

function buildDeployment(
  from: { readonly name: string; readonly model: ModelValues; readonly item: DeploymentValues },
  sources: Sources,
): Deployment | null {
  const { value } = from.item
  const provider = sources.providers.get(value.provider.value)
  if (!provider) {
    // A provider that is there but wrong has been told already.
    if (!sources.written.has(value.provider.value)) {
      const help = didYouMean(value.provider.value, sources.providers.keys())
      sources.problems.add(value.provider.offset, `unknown provider ${quoted(value.provider)}; ${help}`)
    }
    return null
  }
  const upstream = value.model?.value ?? from.name
  if (value.model && upstream !== '') checkName(upstream, value.model.offset, sources.problems)
  const entry = listing(provider, upstream, sources.prices)
  const isPaidByTheHour = value.usd_per_hour !== null && provider.kind !== 'on-device'
  const listed = isPaidByTheHour ? PAID_BY_THE_HOUR : entry?.price
  return {
    id: `${provider.name}/${upstream}`,
    provider: provider.name,
    model: upstream,
    limits: value.limits,
    promptCache: bundledPromptCaches().rulesFor(provider, upstream),
    targets: value.targets ?? from.model.targets ?? NO_TARGETS,
    quota: bundledProviderLimits().rulesFor(provider, upstream),
    price: value.price ?? from.model.price ?? listed ?? null,
    usdPerHour: value.usd_per_hour,
    maxOutputTokens:
      value.max_output_tokens ??
      from.model.max_output_tokens ??
      entry?.maxOutputTokens ??
      MAX_OUTPUT_TOKENS_DEFAULT,
  }
}

/** One more token costs nothing; what the machine costs is `usd_per_hour`. */
const ON_DEVICE: CatalogueEntry = {
  provider: 'on-device',
  price: { rates: { input: 0, output: 0 }, tiers: [], book: 'on-device' },
}

/**
 * Under which name the catalogue knows who sells. A deployment on Azure has any name its owner gave it: one
 * that is no model's name has no list price.
 */
const SELLER_OF = { azure: 'azure', bedrock: 'aws', gemini: 'google', vertex: 'google' } as const

/**
 * A provider's list price of a model. Other people's servers are found by their address, own ones have no
 * list.
 */
function listing(provider: ProviderConfig, upstream: string, prices: PriceCatalogue): CatalogueEntry | null {
  switch (provider.kind) {
    case 'openai':
    case 'anthropic':
      return prices.find(upstream, provider.kind)
    case 'openai-compatible':
      return prices.find(upstream, provider.baseUrl)
    case 'simulated':
      return prices.find(upstream)
    case 'on-device':
      return ON_DEVICE
    case 'azure':
    case 'bedrock':
    case 'gemini':
    case 'vertex':
      return prices.find(upstream, SELLER_OF[provider.kind])
  }
}

/** A deployment nobody wrote down: catalogue price, no limits. */
export function impliedDeployment(
  provider: ProviderConfig,
  upstream: string,
  prices: PriceCatalogue,
): Deployment {
  const entry = listing(provider, upstream, prices)
  return {
    id: `${provider.name}/${upstream}`,
    provider: provider.name,
    model: upstream,
    limits: NO_DEPLOYMENT_LIMITS,
    promptCache: bundledPromptCaches().rulesFor(provider, upstream),
    targets: NO_TARGETS,
    quota: bundledProviderLimits().rulesFor(provider, upstream),
    price: entry?.price ?? null,
    usdPerHour: null,
    maxOutputTokens: entry?.maxOutputTokens ?? MAX_OUTPUT_TOKENS_DEFAULT,
  }
}

const SMALL_USD_PER_MILLION_MAX = 2
const MID_USD_PER_MILLION_MAX = 8

/**
 * The tier of a model that is not given one, by its output price per million tokens: at most 2 USD small,
 * at most 8 USD mid, else premium. An unknown price is never taken for a cheap one, and paid hours say
 * nothing of it: premium.
 */
export function tierOf(known: Price | null): Tier {
  if (!known || known === PAID_BY_THE_HOUR) return 'premium'
  if (known.rates.output <= picoPerToken(SMALL_USD_PER_MILLION_MAX)) return 'small'
  return known.rates.output <= picoPerToken(MID_USD_PER_MILLION_MAX) ? 'mid' : 'premium'
}
