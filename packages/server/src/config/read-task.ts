// The keys of one task, as written: types, ranges and defaults. What follows from several of them together
// (rules, references, the contract itself) is made in `build-contract.ts`.

import { CRITICALITIES, type Criticality } from '../core/capacity/demand.js'
import { FULL_LADDER, type RungName } from '../core/release/release.js'
import { usd, USD_MAX } from './read-limits.js'
import {
  flag,
  list,
  located,
  mapOf,
  filled,
  number,
  onOff,
  oneOf,
  optional,
  record,
  required,
  share,
  text,
  textTree,
  whole,
} from './readers.js'

/** For the whole task, first token to last. Default 10 minutes, at most a day. */
const LATENCY_MS_DEFAULT = 600_000
const LATENCY_MS_MAX = 86_400_000
const RETENTION_DAYS_DEFAULT = 30
const DAYS_MAX = 3_650
const TTL_SECONDS_MAX = 31_536_000
const SIMILARITY_DEFAULT = 0.92
const SEMANTIC_TTL_SECONDS_DEFAULT = 86_400
const EXACT_TTL_SECONDS_DEFAULT = 3_600
const SAMPLES_MAX = 10

export const REFINE_MESSAGE_DEFAULT =
  'I could not finish this within the limits set for it. Please narrow the question ' +
  'or add the most important detail, and I will try again.'

// A limit that nothing fits into is a mistake: zero calls, zero tokens, no money. Tools alone may be
// forbidden.
const budget = record({
  max_model_calls: optional(whole('calls')),
  max_input_tokens: optional(whole('tokens')),
  max_output_tokens: optional(whole('tokens')),
  max_tool_calls: optional(whole('calls', 0)),
  max_tool_ms: optional(whole('ms', 0)),
  max_latency_ms: optional(whole('ms', 1, LATENCY_MS_MAX), LATENCY_MS_DEFAULT),
  max_cost_usd: optional(number({ min: 0.000001, max: USD_MAX, unit: 'USD' })),
})

const slo = record({
  p95_latency_ms: optional(located(whole('ms', 1, LATENCY_MS_MAX))),
  success_rate: optional(share),
})

const signal = record({
  from: required(oneOf(['logprobs', 'output', 'judge', 'self_consistency', 'attribute'], 'signal source')),
  /** For `output`: dotted path into the JSON answer. Default: the signal's name. */
  path: optional(located(filled)),
  /** For `judge`: the model that grades. */
  model: optional(located(filled)),
  /** For `self_consistency`: answers to compare, 2..10. Default 3. */
  samples: optional(located(whole('samples', 2, SAMPLES_MAX))),
  /** For `attribute`: which one. Default: the signal's name. */
  name: optional(located(filled)),
})
export type SignalValues = typeof signal.fallback

const routeRule = record({ condition: required(textTree), model: required(located(filled)) })

const premium = record({ max_share: optional(share), max_usd_per_day: optional(usd) })

/** On the caller's device, before a call reaches the server. */
const onDevice = record({
  /** Answers that are less sure, or do not say how sure they are, go to the server. */
  min_confidence: required(share),
  timeout_ms: optional(whole('ms', 1, LATENCY_MS_MAX)),
})

const route = record({
  /** Default: the cheapest configured model of the smallest tier. */
  default: optional(located(filled)),
  escalate_if: optional(list(routeRule), []),
  premium: optional(premium, premium.fallback),
  on_device: optional(onDevice),
})

const ttl = whole('seconds', 1, TTL_SECONDS_MAX)
const exact = record({ ttl_seconds: optional(ttl, EXACT_TTL_SECONDS_DEFAULT) })
const semantic = record({
  enabled: optional(flag, true),
  similarity_threshold: optional(share, SIMILARITY_DEFAULT),
  ttl_seconds: optional(ttl, SEMANTIC_TTL_SECONDS_DEFAULT),
})
const cache = record({
  exact: optional(exact),
  semantic: optional(semantic),
  /** May providers be asked to keep prompts? Default `auto`: where it pays. */
  provider: optional(oneOf(['auto', 'off'], 'way to use providers’ caches'), 'auto' as const),
})

const retries = record({
  max_attempts: optional(whole('attempts')),
  /** A second copy of a call whose answer is slow to begin. Default `on`. */
  hedge: optional(onOff, true),
})

const rung = oneOf<RungName>(FULL_LADDER, 'rung')

export const task = record({
  description: optional(text),
  /** Default `[]`: every answer is a success. */
  success: optional(list(textTree), []),
  /** Default `[]`: no answer does harm. */
  harm: optional(list(textTree), []),
  slo: optional(slo, slo.fallback),
  budget: optional(budget, budget.fallback),
  /** Default: the full ladder, but none for the contract `default`. `[]`: refuse. */
  degrade: optional(located(list(located(rung)))),
  refine_message: optional(text, REFINE_MESSAGE_DEFAULT),
  signals: optional(mapOf(located(signal))),
  route: optional(route, route.fallback),
  cache: optional(cache, cache.fallback),
  retries: optional(retries, retries.fallback),
  /** Under overload the last class goes first. */
  criticality: optional(oneOf<Criticality>(CRITICALITIES, 'criticality'), 'critical'),
  record: optional(oneOf(['metadata', 'content'], 'way to record'), 'metadata'),
  /** How long recorded content is kept, days. Default 30. */
  retention_days: optional(whole('days', 1, DAYS_MAX), RETENTION_DAYS_DEFAULT),
  price: optional(record({ usd_per_success: optional(usd) })),
})
export type TaskValues = typeof task.fallback
