// When it pays to ask a provider to keep a prompt, and by which key. Marking costs a quarter more than
// reading (Anthropic, 5 minutes) and a later read saves nine tenths: one read pays for it, so what this
// tenant has sent before within the time to live is marked. The mark for an hour costs double and is left
// to callers.

import { dropOldest } from '../drop-oldest.js'
import type { Demand, PromptIdentity } from './demand.js'
import { textHash } from './prefix-hash.js'
import type { PromptCacheRules } from './prompt-cache-rules.js'

/** What to mark: the end of tools and instructions, the end of the conversation so far. */
export interface CacheMarks {
  readonly head: boolean
  readonly last: boolean
}

/**
 * `warmTokens`: of the longest beginning that was sent there before, however short. null: nothing is worth
 * it.
 */
export function marksFor(
  { chain, heads }: PromptIdentity,
  warmTokens: number,
  { minTokens }: PromptCacheRules,
): CacheMarks | null {
  const headTokens = heads === 0 ? 0 : (chain.tokens[0] ?? 0)
  const total = chain.tokens.at(-1) ?? 0
  const head = headTokens >= minTokens && warmTokens >= headTokens
  // The conversation itself came again, so it goes on: the next turn begins with all of this one.
  const last = warmTokens > headTokens && total >= minTokens
  return head || last ? { head, last } : null
}

const MINUTE_MS = 60_000
/** Beginnings whose rate is remembered: the first that was seen goes. */
export const KEYED_MAX = 4_096
/** Keys of one beginning. */
const SHARDS_MAX = 256

interface Rate {
  minuteMs: number
  calls: number
  before: number
}

/** Keys for prompts that begin alike, so many per beginning that each stays below what one machine takes. */
export class PromptKeys {
  readonly #rates = new Map<number, Rate>()

  /** null: a prompt without a beginning. At most 24 characters; says nothing of what is in the prompt. */
  next({ prompt }: Demand, requestsPerKey: number, nowMs: number): string | null {
    const beginning = prompt?.chain.hashes[0]
    if (prompt === undefined || beginning === undefined) return null
    const rate = this.#counted(beginning, nowMs)
    const wanted = Math.max(rate.calls, rate.before) / Math.max(1, requestsPerKey)
    let shards = 1
    while (shards < wanted && shards < SHARDS_MAX) shards *= 2
    // By conversation, so that its turns meet the same machine.
    const { session, chain } = prompt
    const conversation = session === null ? (chain.hashes[1] ?? beginning) : textHash(session)
    return `sw-${beginning.toString(36)}-${(conversation % shards).toString(36)}`
  }

  get size(): number {
    return this.#rates.size
  }

  #counted(beginning: number, nowMs: number): Rate {
    const rate = this.#rates.get(beginning) ?? this.#added(beginning, nowMs)
    const elapsedMs = nowMs - rate.minuteMs
    if (elapsedMs >= MINUTE_MS) {
      rate.before = elapsedMs < 2 * MINUTE_MS ? rate.calls : 0
      rate.calls = 0
      rate.minuteMs = nowMs
    }
    rate.calls += 1
    return rate
  }

  #added(beginning: number, nowMs: number): Rate {
    const rate = { minuteMs: nowMs, calls: 0, before: 0 }
    this.#rates.set(beginning, rate)
    if (this.#rates.size > KEYED_MAX) dropOldest(this.#rates)
    return rate
  }
}
