// References to models: what a route names is configured, or sold by a configured provider, or simulated,
// or a mistake. Choices never depend on the order of keys, so that the order does not change the release.

import { nearest } from '@spillway/protocol'
import type { PriceCatalogue } from '../core/money/price-catalogue.js'
import type { ModelEntry, ProviderConfig } from '../core/release/release.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import { impliedDeployment, isTier, tierOf } from './read-models.js'
import { type Located, quoted } from './readers.js'

export interface ModelReference extends Located<string> {
  /** Nobody wrote it: the model a task gets that names none. */
  readonly implied: boolean
}

export interface Resolution {
  readonly models: ReadonlyMap<string, ModelEntry>
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly prices: PriceCatalogue
  readonly problems: Problems
}

/** The configured models, and one more for every name that is resolved through the price catalogue. */
export function resolveModels(
  references: readonly ModelReference[],
  resolution: Resolution,
): ReadonlyMap<string, ModelEntry> {
  const models = new Map(resolution.models)
  for (const reference of references) {
    if (models.has(reference.value) || reference.value === '') continue
    const provider = providerFor(reference, resolution)
    if (!provider) continue
    checkName(reference.value, reference.offset, resolution.problems)
    const deployment = impliedDeployment(provider, reference.value, resolution.prices)
    const tier = tierOf(deployment.price)
    models.set(reference.value, { name: reference.value, tier, deployments: [deployment] })
  }
  return models
}

// What to set, for providers whose key people have at hand.
const KEY_VARIABLES: Readonly<Record<string, string>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GEMINI_API_KEY',
}

/** Which kinds of provider serve what a seller of the catalogue sells under the same name; in this order. */
const KINDS_OF_SELLER: Readonly<Record<string, readonly ProviderConfig['kind'][]>> = {
  openai: ['openai'],
  anthropic: ['anthropic'],
  google: ['gemini', 'vertex'],
  aws: ['bedrock'],
}

/** Bedrock names the maker first, and before it perhaps a region: `eu.amazon.nova-lite-v1:0`. */
const BEDROCK_ID = /^(?:[a-z0-9-]+\.[a-z]|arn:)/

function providerFor(reference: ModelReference, resolution: Resolution): ProviderConfig | null {
  const { value: name, offset } = reference
  const { prices, problems } = resolution
  if (isTier(name)) {
    problems.add(offset, `\`${name}\` is a tier; name a model`)
    return null
  }
  const providers = [...resolution.providers.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const entry = prices.find(name)
  const seller = entry && soldBy(entry.provider, providers)
  const provider =
    seller ?? resoldBy(name, providers, prices) ?? providers.find(({ kind }) => kind === 'simulated')
  if (provider) return provider
  problems.add(offset, unresolved(reference, entry?.provider ?? null, resolution))
  return null
}

function unresolved(reference: ModelReference, seller: string | null, { models }: Resolution): string {
  if (reference.implied) return 'no model to route to: give `route.default`, or define `models`'
  if (seller !== null) {
    const variable = KEY_VARIABLES[seller]
    const way = variable === undefined ? '' : `set \`${variable}\`, or `
    return `${quoted(reference)} is sold by ${seller}, which has no key here; ${way}define it in \`models\``
  }
  const near = nearest(reference.value, models.keys())
  const help = near === null ? 'define it in `models`' : `did you mean \`${near}\`?`
  return `unknown model ${quoted(reference)}: neither in \`models\` nor in the price list; ${help}`
}

/** Of several that would do: the one that bears the seller's name, else the first by name. */
function soldBy(seller: string, providers: readonly ProviderConfig[]): ProviderConfig | undefined {
  const called = providers.find(({ name, kind }) => name === seller && kind !== 'simulated')
  if (called) return called
  for (const wanted of KINDS_OF_SELLER[seller] ?? []) {
    const found = providers.find(({ kind }) => kind === wanted)
    if (found) return found
  }
  return undefined
}

/** Clouds sell others' models, too, under names of their own or under the maker's. */
function resoldBy(
  name: string,
  providers: readonly ProviderConfig[],
  prices: PriceCatalogue,
): ProviderConfig | undefined {
  return providers.find(({ kind }) => {
    if (kind === 'bedrock') return BEDROCK_ID.test(name) && prices.find(name, 'aws') !== null
    return kind === 'vertex' && prices.find(name, 'google') !== null
  })
}
