// The dated facts about providers' limits, `data/provider-limits.json`: read once, with the same readers as a
// configuration, so that a mistake in it names its line. Facts change more often than code.

import {
  END_CHARGES,
  type LimitHeaders,
  type QuotaRules,
  RESET_FORMATS,
  START_CHARGES,
} from '../core/capacity/quota-rules.js'
import { QUOTA_DIMENSIONS } from '../core/capacity/limit-report.js'
import { parsed, type Parsed } from '../core/parsed.js'
import type { ProviderConfig } from '../core/release/release.js'
import { FACT, type FactText, bundledFacts, pattern } from './fact-file.js'
import { parseYaml } from './parse-yaml.js'
import type { ProviderKind } from './provider-fields.js'
import type { Problems } from './problems.js'
import {
  filled,
  flag,
  list,
  mapOf,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
  type Values,
  whole,
} from './readers.js'
import { type MapTree, type Tree, inherit } from './tree.js'

export interface ProviderLimits {
  /** The day the facts were gathered, `2026-11-24`. */
  readonly asOf: string
  /** `model`: the provider's name of it. */
  rulesFor(provider: ProviderConfig, model: string): QuotaRules
}

const PER_MS = { minute: 60_000, day: 86_400_000 } as const
const OUTPUT_WEIGHT_MAX = 100
const REST_MS_MAX = 600_000

const lowerCase: Reader<string> = {
  fallback: '',
  read(tree, problems) {
    const name = filled.read(tree, problems)
    if (name !== name.toLowerCase()) problems.add(tree.offset, 'must be in lower case')
    return name
  },
}

const limitHeaders = record({
  ...FACT,
  dimension: required(oneOf(QUOTA_DIMENSIONS, 'dimension')),
  limit: optional(lowerCase),
  remaining: optional(lowerCase),
  reset: optional(lowerCase),
  reset_format: optional(oneOf(RESET_FORMATS, 'format'), 'duration' as const),
  per: optional(oneOf(['minute', 'day'], 'span'), 'minute' as const),
  binding: optional(flag, true),
})

const charge = record({
  ...FACT,
  start: required(oneOf(START_CHARGES, 'charge')),
  end: required(oneOf(END_CHARGES, 'charge')),
  output_weight: optional(whole('tokens', 1, OUTPUT_WEIGHT_MAX), 1),
})

const theirCapacity = record({
  ...FACT,
  status: required(whole('status', 400, 599)),
  error: optional(filled),
  rest_ms: required(whole('ms', 1, REST_MS_MAX)),
})

const FACTS = {
  headers: required(list(limitHeaders)),
  tokens: required(charge),
  input_tokens: required(charge),
  output_tokens: required(charge),
  charges_cache_reads: required(record({ ...FACT, value: required(flag) })),
  requests_slice_ms: required(record({ ...FACT, value: required(whole('ms', 100, PER_MS.minute)) })),
  their_capacity: required(list(theirCapacity)),
}
const facts = record({ ...FACTS, variants: optional(list(subtree())) })
const variantFacts = record({ ...FACTS, host: optional(filled), model: optional(pattern) })

interface Variant {
  readonly host: string | null
  readonly model: RegExp | null
  readonly rules: QuotaRules
}

interface Known {
  readonly base: QuotaRules
  /** The first that fits counts. */
  readonly variants: readonly Variant[]
}

/** Problems are named `file:line:column`. */
export function parseProviderLimits(input: FactText): Parsed<ProviderLimits> {
  const { tree, problems } = parseYaml({ ...input, env: {} })
  const file = record({
    as_of: required(filled),
    sources: required(mapOf(text)),
    providers: required(mapOf(provider)),
  }).read(tree, problems)
  if (problems.all().length > 0) return { kind: 'invalid', problems: problems.all() }
  return parsed({
    asOf: file.as_of,
    rulesFor: (config, model) => chosen(knownOf(file.providers, config.kind), config, model),
  })
}

const provider: Reader<Known> = {
  fallback: { base: rulesOf(facts.fallback), variants: [] },
  read(tree, problems) {
    const values = facts.read(tree, problems)
    const variants = (values.variants ?? []).map((each) => variantOf(tree, each, problems))
    return { base: rulesOf(values), variants }
  },
}

/** A variant says only what is different. */
function variantOf(base: Tree, own: Tree, problems: Problems): Variant {
  const { host, model, ...values } = variantFacts.read(inherit(withoutVariants(base), own), problems)
  if (host === null && model === null) problems.add(own.offset, 'needs `host` or `model`')
  return { host, model, rules: rulesOf(values) }
}

function withoutVariants(tree: Tree): Tree {
  if (tree.kind !== 'map') return tree
  const entries = new Map([...tree.entries].filter(([key]) => key !== 'variants'))
  return { ...tree, entries } satisfies MapTree
}

function rulesOf(values: Values<typeof FACTS>): QuotaRules {
  const charged = ({ start, end, output_weight: outputWeight }: (typeof values)['tokens']) => {
    return { start, end, outputWeight }
  }
  return {
    tokens: charged(values.tokens),
    inputTokens: charged(values.input_tokens),
    outputTokens: charged(values.output_tokens),
    chargesCacheReads: values.charges_cache_reads.value,
    requestsSliceMs: values.requests_slice_ms.value,
    headers: values.headers.map(headersOf),
    theirCapacity: values.their_capacity.map(({ status, error, rest_ms: restMs }) => {
      return { status, error, restMs }
    }),
  }
}

function headersOf(values: typeof limitHeaders.fallback): LimitHeaders {
  const { dimension, limit, remaining, reset, reset_format: resetFormat, per, binding } = values
  return { dimension, limit, remaining, reset, resetFormat, spanMs: PER_MS[per], isBinding: binding }
}

function knownOf(providers: ReadonlyMap<string, Known>, kind: ProviderKind): Known {
  const known = providers.get(kind)
  if (known === undefined) throw new Error(`no limits are known of providers of kind ${kind}`)
  return known
}

function chosen({ base, variants }: Known, config: ProviderConfig, model: string): QuotaRules {
  const address = 'baseUrl' in config ? config.baseUrl : null
  const host = address !== null && URL.canParse(address) ? new URL(address).hostname : null
  const fits = (each: Variant) =>
    (each.host === null || each.host === host) && (each.model === null || each.model.test(model))
  return variants.find(fits)?.rules ?? base
}

function subtree(): Reader<Tree> {
  return { fallback: { kind: 'map', offset: 0, entries: new Map() }, read: (tree) => tree }
}

/** Those that came with this version. */
export const bundledProviderLimits = bundledFacts('provider-limits.json', parseProviderLimits)
