// A server of one's own (vLLM with its prefix cache on) as a front: it keeps the beginnings of prompts that it
// has computed, message by message, in so much room, and tells how many tokens of a prompt it had.

import { type Vendor, json, startVendor } from './front.js'

export interface WarmReplica extends Vendor {
  readonly served: number
  /** Input tokens, and those of them that were not computed again. */
  readonly promptTokens: number
  readonly cachedTokens: number
  /** Everything is answered 503 from now on, or no longer. */
  setDown(down: boolean): void
  /** As after a restart. */
  forget(): void
  /** Each call is answered when what this gives for it has come true. */
  hold(until: () => Promise<void>): void
}

export interface WarmReplicaOptions {
  readonly roomTokens: number
}

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

const BYTES_PER_TOKEN = 4

export async function startWarmReplica({ roomTokens }: WarmReplicaOptions): Promise<WarmReplica> {
  const cache = new Map<string, number>()
  const state = { served: 0, promptTokens: 0, cachedTokens: 0, isDown: false }
  let until = (): Promise<void> => Promise.resolve()
  const vendor = await startVendor(async (call) => {
    if (state.isDown) return json(503, { error: { message: 'is loading', code: 503 } })
    const { messages } = JSON.parse(call.body.toString('utf8')) as ChatBody
    const { prompt, cached } = compute(cache, messages, roomTokens)
    state.served += 1
    state.promptTokens += prompt
    state.cachedTokens += cached
    await until()
    return json(200, answer(prompt, cached))
  })
  return {
    ...vendor,
    get served() {
      return state.served
    },
    get promptTokens() {
      return state.promptTokens
    },
    get cachedTokens() {
      return state.cachedTokens
    },
    setDown(down) {
      state.isDown = down
    },
    forget: () => cache.clear(),
    hold(given) {
      until = given
    },
  }
}

/** Beginnings by their text; the longest unused goes when there is no room. */
function compute(
  cache: Map<string, number>,
  messages: ChatBody['messages'],
  roomTokens: number,
): { readonly prompt: number; readonly cached: number } {
  let text = ''
  let cached = 0
  let isWarm = true
  let before = 0
  for (const { role, content } of messages) {
    text += `${role}:${content}\n`
    const tokens = Math.ceil(text.length / BYTES_PER_TOKEN)
    isWarm &&= cache.has(text)
    if (isWarm) cached = tokens
    cache.delete(text)
    cache.set(text, tokens - before)
    before = tokens
  }
  let held = [...cache.values()].reduce((sum, tokens) => sum + tokens, 0)
  for (const [oldest, tokens] of cache) {
    if (held <= roomTokens) break
    cache.delete(oldest)
    held -= tokens
  }
  return { prompt: before, cached }
}

function answer(prompt: number, cached: number): object {
  return {
    id: 'chatcmpl-warm',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'llama',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: 2,
      total_tokens: prompt + 2,
      prompt_tokens_details: { cached_tokens: cached },
    },
  }
}
