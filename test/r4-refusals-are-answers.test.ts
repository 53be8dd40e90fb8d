// R4: an answer that a filter stopped, or that the model refused to give, is an answer: the caller gets it with
// its own format's word for that, whole or streamed; it is not tried again and costs what the vendor reported.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Told, type Way, askOnce } from './support/caller-formats.js'
import { eventsOf } from './support/dialects.js'
import { type AnsweringVendor, answerOf } from './support/vendors/answer-bytes.js'
import { PRICE, type Scripted, startScripted } from './support/vendors/scripted.js'

interface Refused {
  readonly vendor: AnsweringVendor
  readonly finish: string
  readonly words: readonly string[]
  readonly usage: object
}

const CHAT_USAGE = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 }
const CONVERSE_USAGE = { inputTokens: 10, outputTokens: 2, totalTokens: 12 }
const GEMINI_USAGE = { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 }
const WORDS = ['Some ', 'words']

const REFUSALS: readonly Refused[] = [
  { vendor: 'azure', finish: 'content_filter', words: WORDS, usage: CHAT_USAGE },
  { vendor: 'vllm', finish: 'content_filter', words: [], usage: CHAT_USAGE },
  { vendor: 'anthropic', finish: 'refusal', words: WORDS, usage: { input_tokens: 10, output_tokens: 2 } },
  { vendor: 'bedrock', finish: 'guardrail_intervened', words: ['Not ', 'allowed.'], usage: CONVERSE_USAGE },
  { vendor: 'bedrock', finish: 'content_filtered', words: [], usage: CONVERSE_USAGE },
  { vendor: 'gemini', finish: 'SAFETY', words: WORDS, usage: GEMINI_USAGE },
  { vendor: 'gemini', finish: 'blocked', words: [], usage: { promptTokenCount: 10, totalTokenCount: 10 } },
]
const CASES = REFUSALS.flatMap((refused) => EVERY_WAY.map((way) => ({ refused, way })))

let vendors: Scripted
beforeAll(async () => {
  const scripts = CASES.map(({ refused }) => ({
    vendor: refused.vendor,
    answer: answerOf(refused.vendor, refused),
  }))
  vendors = await startScripted(scripts)
})
afterAll(() => vendors[Symbol.asyncDispose]())

const WORD = { chat: 'content_filter', messages: 'refusal', responses: 'content_filter' } as const

describe.each(REFUSALS)('$vendor: $finish with $words', (refused) => {
  test.concurrent.each(EVERY_WAY)('asked in $name', async (way) => {
    const index = CASES.findIndex((one) => one.refused === refused && one.way === way)
    const more = way.format.name === 'chat' && way.stream ? { stream_options: { include_usage: true } } : {}
    const told = await askOnce(vendors, way, { contract: `alone${index}`, more })
    expect(told.answer.status).toBe(200)
    expect(finishOf(told, way)).toBe(WORD[way.format.name])
    expect(way.format.textOf(told.answer)).toBe(refused.words.join(''))
    expect(!way.stream || way.format.ends.test(told.text)).toBe(true)
    const attempts = told.trace.steps.flatMap((step) => step.attempts)
    expect(attempts).toMatchObject([{ end: 'ok', basis: 'reported' }])
    const output = refused.finish === 'blocked' ? 0 : 2
    expect(Math.round(told.spentUsd * 1e9)).toBe((10 * PRICE.input + output * PRICE.output) * 1000)
    expect(told.heldUsd).toBe(0)
    expect(vendors.calls(index)).toHaveLength(1)
  })
})

type Fields = Readonly<Record<string, unknown>>

/** The format's own word for how the answer ended. */
function finishOf({ answer }: Told, { format }: Way): unknown {
  const parts = typeof answer.body === 'string' ? eventsOf(answer.body) : [answer.body as Fields]
  const words = parts.map((part) => {
    if (format.name === 'chat') return (part['choices'] as readonly Fields[])[0]?.['finish_reason']
    if (format.name === 'messages')
      return part['stop_reason'] ?? (part['delta'] as Fields | undefined)?.['stop_reason']
    const response = (part['response'] ?? part) as Fields
    return (response['incomplete_details'] as Fields | null | undefined)?.['reason']
  })
  return words.findLast((word) => typeof word === 'string')
}
