// Asks the provider to keep a prompt where that pays: by a key where it finds warm prompts by one, by marks
// where it keeps what is marked. Nothing is asked when the caller asks for itself, or the contract says not
// to.

import { type CacheMarks, marksFor } from '../../core/capacity/prompt-caching.js'
import type { ProviderConfig, Wire } from '../../core/release/release.js'
import { hasCacheMarks, markCache } from '../../wire/anthropic-messages/mark-cache.js'
import { markConverseCache } from '../../wire/bedrock-converse/mark-cache.js'
import type { Place } from '../capacity/deployment-state.js'
import { type Step, decide } from '../step-context.js'

export type CacheAsking =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'marks'; readonly marks: CacheMarks }

export function cacheAsking(
  step: Step,
  place: Place,
  to: { readonly provider: ProviderConfig; readonly wire: Wire },
): CacheAsking | null {
  const { demand, deployment, warmTokens } = place
  const { promptCache: rules } = deployment
  if (rules.ask === 'nothing' || demand.prompt === undefined || demand.inputTokens < rules.minTokens)
    return null
  if (step.task.contract.cache.provider === 'off') return null
  if (rules.ask === 'key') {
    if (step.request.view.cacheKey !== null || !knowsKeys(to.provider)) return null
    const key = step.engine.capacity.promptKeys.next(demand, rules.requestsPerKey, step.engine.system.nowMs())
    return key === null ? null : { kind: 'key', key }
  }
  const marks = marksFor(demand.prompt, warmTokens, rules)
  // Looked for in the caller's bytes as well: not every mark survives a change of the format.
  return marks === null || hasCacheMarks(step.request.body) ? null : { kind: 'marks', marks }
}

/** From here on Azure knows the key; before, it refuses what it does not know. */
const AZURE_KNOWS_KEYS = '2025-04-01'

/** Other servers that imitate OpenAI's API may refuse a field they do not know. */
function knowsKeys(provider: ProviderConfig): boolean {
  if (provider.kind === 'azure') return provider.apiVersion >= AZURE_KNOWS_KEYS
  return provider.kind === 'openai' && new URL(provider.baseUrl).hostname.endsWith('.openai.com')
}

/** The body with marks, in the provider's format; the same one when nothing could be marked. */
export function withMarks(step: Step, body: Uint8Array, { marks, wire }: MarkAsk): Uint8Array {
  const marked = wire === 'bedrock-converse' ? markConverseCache(body, marks) : markCache(body, marks)
  if (marked !== body) {
    const what = [marks.head ? 'instructions' : '', marks.last ? 'conversation' : '']
      .filter(Boolean)
      .join(', ')
    decide(step, { stage: 'attempt', choice: `keep ${what}`, reason: 'this tenant sent the same before' })
  }
  return marked
}

interface MarkAsk {
  readonly marks: CacheMarks
  readonly wire: Wire
}
