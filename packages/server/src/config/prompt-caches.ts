// The dated facts about what providers keep of prompts, `data/prompt-cache.json`: read once, with the
// readers of a configuration, so that a mistake in it names its line. Facts change more often than code.

import { CACHE_ASKS, type PromptCacheRules } from '../core/capacity/prompt-cache-rules.js'
import { type Parsed, parsed } from '../core/parsed.js'
import type { ProviderConfig } from '../core/release/release.js'
import { FACT, type FactText, bundledFacts, pattern } from './fact-file.js'
import { parseYaml } from './parse-yaml.js'
import { filled, list, mapOf, oneOf, optional, record, required, text, whole } from './readers.js'

export interface PromptCaches {
  /** The day the facts were gathered, `2026-11-24`. */
  readonly asOf: string
  /** `model`: the provider's name of it. */
  rulesFor(provider: ProviderConfig, model: string): PromptCacheRules
}

const TTL_MS_MAX = 86_400_000
/** A key that no fact bounds. */
const REQUESTS_PER_KEY_DEFAULT = 15

const rule = record({
  ...FACT,
  kinds: required(list(filled, { min: 1 })),
  hosting: optional(filled),
  model: optional(pattern),
  min_tokens: required(whole('tokens')),
  /** Default: until there is no room. */
  ttl_ms: optional(whole('ms', 1, TTL_MS_MAX)),
  /** Default: only the time counts. */
  room_tokens: optional(whole('tokens')),
  ask: required(oneOf(CACHE_ASKS, 'way to ask')),
  requests_per_key: optional(whole('requests'), REQUESTS_PER_KEY_DEFAULT),
})
type Rule = typeof rule.fallback

const file = record({
  as_of: required(filled),
  sources: required(mapOf(text)),
  rules: required(list(rule, { min: 1 })),
})

/** Problems are named `file:line:column`. */
export function parsePromptCaches(input: FactText): Parsed<PromptCaches> {
  const { tree, problems } = parseYaml({ ...input, env: {} })
  const values = file.read(tree, problems)
  if (problems.all().length > 0) return { kind: 'invalid', problems: problems.all() }
  const known = values.rules.map((each) => ({ rule: each, rules: rulesOf(each) }))
  return parsed({
    asOf: values.as_of,
    rulesFor(provider, model) {
      const found = known.find((each) => fits(each.rule, provider, model))
      if (found === undefined) throw new Error(`nothing is known of prompts kept by ${provider.kind}`)
      return found.rules
    },
  })
}

/** The first that fits counts. */
function fits({ kinds, hosting, model }: Rule, provider: ProviderConfig, name: string): boolean {
  const isHost = hosting === null || hosting === provider.hosting
  return kinds.includes(provider.kind) && isHost && (model === null || model.test(name))
}

function rulesOf(values: Rule): PromptCacheRules {
  return {
    minTokens: values.min_tokens,
    ttlMs: values.ttl_ms ?? Infinity,
    roomTokens: values.room_tokens ?? Infinity,
    ask: values.ask,
    requestsPerKey: values.requests_per_key,
  }
}

/** Those that came with this version. */
export const bundledPromptCaches = bundledFacts('prompt-cache.json', parsePromptCaches)
