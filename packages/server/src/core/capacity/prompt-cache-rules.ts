// What a provider keeps of prompts, and how it is asked to. The facts are data (data/prompt-cache.json,
// read by the config floor); what they mean is here.

import type { WarmPolicy } from './prefix-memory.js'

/**
 * `nothing`: it keeps what it likes. `key`: it finds warm prompts better when those that begin alike carry
 * the same key (`prompt_cache_key`). `marks`: it keeps what is marked (`cache_control`, `cachePoint`), at a
 * price.
 */
export const CACHE_ASKS = ['nothing', 'key', 'marks'] as const
export type CacheAsk = (typeof CACHE_ASKS)[number]

export interface PromptCacheRules extends WarmPolicy {
  /** Shorter beginnings are not kept, tokens. */
  readonly minTokens: number
  readonly ask: CacheAsk
  /** One key stands for so many requests a minute; more of them overflow to a cold machine. */
  readonly requestsPerKey: number
}
