// What runs when nobody wrote a configuration: enough to answer, and one example task to try budgets with.

import type { ModelEntry, ProviderConfig } from '../core/release/release.js'
import { TIERS } from '../core/release/release.js'
import type { Environment } from './environment.js'

export const BUILT_IN_FILE = 'built-in'

const OPENAI_MODEL = 'gpt-4o-mini'
const ANTHROPIC_MODEL = 'claude-haiku-4-5'
const GEMINI_MODEL = 'gemini-2.5-flash-lite'

/** The configuration as text, so that it goes the way of every other one. */
export function builtInConfig(env: Environment): string {
  const kinds = new Set<string>()
  if (env['OPENAI_API_KEY']) kinds.add('openai')
  if (env['ANTHROPIC_API_KEY']) kinds.add('anthropic')
  if (env['GEMINI_API_KEY']) kinds.add('gemini')
  const model = smallModelOf(kinds)
  return `defaults:
  route: { default: ${model} }
tasks:
  default:
    description: Calls that name no task.
  support_reply:
    description: Draft a reply to a customer's message.
    success: ["output.text != ''"]
    slo: { p95_latency_ms: 6000, success_rate: 0.95 }
    budget: { max_model_calls: 5, max_input_tokens: 6000, max_output_tokens: 700, max_latency_ms: 20000,
              max_cost_usd: 0.05 }
    refine_message: "I need one more detail to answer this well: what exactly happened, and when?"
    price: { usd_per_success: 0.10 }
`
}

/**
 * Where a task goes that names no model: the cheapest configured model of the smallest tier, else the small
 * model of a provider that is there. Decided by content, never by the order of keys.
 */
export function defaultModelOf(
  models: ReadonlyMap<string, ModelEntry>,
  providers: ReadonlyMap<string, ProviderConfig>,
): string {
  const [first] = [...models.values()]
    .filter(answers)
    .toSorted(
      (left, right) =>
        TIERS.indexOf(left.tier) - TIERS.indexOf(right.tier) ||
        outputRate(left) - outputRate(right) ||
        (left.name < right.name ? -1 : 1),
    )
  if (first) return first.name
  return smallModelOf(new Set([...providers.values()].map(({ kind }) => kind)))
}

function smallModelOf(kinds: ReadonlySet<string>): string {
  if (kinds.has('openai')) return OPENAI_MODEL
  if (kinds.has('anthropic')) return ANTHROPIC_MODEL
  return kinds.has('gemini') ? GEMINI_MODEL : OPENAI_MODEL
}

/**
 * Embedding models are priced for what they read alone; a model of our own that costs nothing at all does
 * answer.
 */
function answers({ deployments }: ModelEntry): boolean {
  return !deployments.some(({ price }) => price && price.rates.output === 0 && price.rates.input > 0)
}

// Two unknown prices differ by nothing; a sort must never see Infinity minus Infinity.
function outputRate(model: ModelEntry): number {
  return model.deployments[0]?.price?.rates.output ?? Number.MAX_SAFE_INTEGER
}
