// R4, reported failures 19 to 31: whatever way a vendor tells its usage, every token is charged once and in its
// class; what cannot be true is not believed, and is shown as disputed.

import type { AttemptView } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, askOnce } from './support/caller-formats.js'
import { eventsOf } from './support/dialects.js'
import { type AnsweringVendor, answerOf, chatStream, delta } from './support/vendors/answer-bytes.js'
import { PRICE, type Script, type Scripted, startScripted } from './support/vendors/scripted.js'

type Tokens = Partial<AttemptView['tokens']>

interface Told {
  readonly vendor: AnsweringVendor
  readonly name: string
  readonly usage: object | null
  readonly startUsage?: object
  /** As charged; null: estimated. */
  readonly tokens: Tokens | null
  readonly disputed?: true
}

const chat = (prompt: number, completion: number, more: object = {}) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  ...more,
})

const USAGES: readonly Told[] = [
  {
    vendor: 'vllm',
    name: 'cached tokens are part of the prompt',
    usage: chat(100, 4, { prompt_tokens_details: { cached_tokens: 80 } }),
    tokens: { input: 20, cache_read: 80, output: 4 },
  },
  {
    vendor: 'anthropic',
    name: 'cached and written tokens are beside the input',
    usage: {
      input_tokens: 10,
      cache_read_input_tokens: 80,
      cache_creation_input_tokens: 50,
      output_tokens: 4,
    },
    tokens: { input: 10, cache_read: 80, cache_write: 50, output: 4 },
  },
  {
    vendor: 'anthropic',
    name: 'the end of the stream leaves the input out',
    usage: { output_tokens: 4, input_tokens: 10 },
    startUsage: { input_tokens: 10, cache_creation_input_tokens: 50, output_tokens: 1 },
    tokens: { input: 10, output: 4 },
  },
  {
    vendor: 'bedrock',
    name: 'both cache classes are beside the input',
    usage: {
      inputTokens: 10,
      outputTokens: 4,
      totalTokens: 144,
      cacheReadInputTokens: 80,
      cacheWriteInputTokens: 50,
    },
    tokens: { input: 10, cache_read: 80, cache_write: 50, output: 4 },
  },
  {
    vendor: 'gemini',
    name: 'cached tokens are part of the prompt',
    usage: {
      promptTokenCount: 100,
      cachedContentTokenCount: 80,
      candidatesTokenCount: 4,
      totalTokenCount: 104,
    },
    tokens: { input: 20, cache_read: 80, output: 4 },
  },
  { vendor: 'vllm', name: 'no usage at all', usage: null, tokens: null },
  { vendor: 'vllm', name: 'negative', usage: chat(-5, 4), tokens: null },
  { vendor: 'gemini', name: 'no usage at all', usage: null, tokens: null },
  {
    vendor: 'vllm',
    name: 'more output than was allowed',
    usage: chat(10, 5_000),
    tokens: null,
    disputed: true,
  },
  { vendor: 'vllm', name: 'more input than bytes', usage: chat(90_000, 4), tokens: null, disputed: true },
  {
    vendor: 'bedrock',
    name: 'more input than bytes',
    usage: { inputTokens: 90_000, outputTokens: 4, totalTokens: 90_004 },
    tokens: null,
    disputed: true,
  },
]
const WORDS = ['One ', 'two ', 'three ', 'four.']
const FINISH = {
  azure: 'stop',
  vllm: 'stop',
  anthropic: 'end_turn',
  bedrock: 'end_turn',
  gemini: 'STOP',
} as const
const CASES = USAGES.flatMap((told) => EVERY_WAY.map((way) => ({ told, way })))

const usage = chat(10, 4)
const content = WORDS.map((text) => delta({ content: text }))
/** Streams of chat completions that tell their usage elsewhere than OpenAI. */
const PLACES: Readonly<Record<string, readonly object[]>> = {
  'in a chunk that has choices': [...content, { ...delta({}, 'stop'), usage }],
  'after the finish, with choices that are empty of words': [
    ...content,
    delta({}, 'stop'),
    { ...delta({}), usage },
  ],
  'in every chunk, each of everything so far': [
    ...content.map((chunk, index) => ({ ...chunk, usage: chat(10, index + 1) })),
    delta({}, 'stop'),
    { choices: [], usage },
  ],
  twice: [...content, { ...delta({}, 'stop'), usage }, { choices: [], usage }],
  'in the first chunk, as 0, and at the end': [
    { ...delta({ role: 'assistant' }), usage: chat(10, 0) },
    ...content,
    { ...delta({}, 'stop'), usage },
  ],
}
const STREAMED = EVERY_WAY.filter(({ stream }) => stream)
const PLACED = Object.keys(PLACES).flatMap((place) => STREAMED.map((way) => ({ place, way })))

let vendors: Scripted
beforeAll(async () => {
  const scripts: Script[] = [
    ...CASES.map(({ told: { vendor, ...told } }) => ({
      vendor,
      answer: answerOf(vendor, { ...told, words: WORDS, finish: FINISH[vendor] }),
    })),
    ...PLACED.map(({ place }) => ({
      vendor: 'vllm' as const,
      answer: () => chatStream(PLACES[place] ?? []),
    })),
  ]
  vendors = await startScripted(scripts)
})
afterAll(() => vendors[Symbol.asyncDispose]())

const nano = ({ input = 0, cache_read = 0, cache_write = 0, output = 0 }: Tokens) =>
  Math.round(
    (input * PRICE.input +
      cache_read * PRICE.cacheRead +
      cache_write * PRICE.cacheWrite +
      output * PRICE.output) *
      1000,
  )

describe.each(USAGES)('$vendor: $name', (told) => {
  test.concurrent.each(EVERY_WAY)('asked in $name', async (way) => {
    const index = CASES.findIndex((one) => one.told === told && one.way === way)
    const { answer, trace, spentUsd, heldUsd } = await askOnce(vendors, way, { contract: `alone${index}` })
    const [attempt, ...others] = trace.steps.flatMap((step) => step.attempts)
    expect([answer.status, attempt?.end, others]).toEqual([200, 'ok', []])
    const start = told.startUsage !== undefined && way.stream ? { cache_write: 50 } : {}
    const { tokens } = told
    expect(attempt?.basis).toBe(tokens === null ? 'estimated' : 'reported')
    expect(attempt?.tokens).toMatchObject(tokens === null ? {} : { ...tokens, ...start })
    expect(attempt?.disputed !== null).toBe(told.disputed === true)
    expect(Math.round(spentUsd * 1e9)).toBe(nano(attempt?.tokens ?? {}))
    expect(attempt?.tokens.output).toBeGreaterThan(0)
    expect(attempt?.tokens.output).toBeLessThanOrEqual(100)
    expect(heldUsd).toBe(0)
  })
})

describe.each(Object.keys(PLACES))('usage %s', (place) => {
  test.concurrent.each(STREAMED)('asked in $name', async (way) => {
    const index = CASES.length + PLACED.findIndex((one) => one.place === place && one.way === way)
    const more = way.format.name === 'chat' ? { stream_options: { include_usage: true } } : {}
    const { text, trace, spentUsd } = await askOnce(vendors, way, { contract: `alone${index}`, more })
    const [attempt] = trace.steps.flatMap((step) => step.attempts)
    expect(attempt).toMatchObject({ end: 'ok', basis: 'reported', tokens: { input: 10, output: 4 } })
    expect(Math.round(spentUsd * 1e9)).toBe(nano({ input: 10, output: 4 }))
    expect(text).toMatch(way.format.ends)
    expect(toldTo(text, way.format.name)).toEqual([[10, 4]])
  })
})

type Fields = Readonly<Record<string, unknown>>

/** What whoever adds up the usage of a stream would: input and output of every event that tells it. */
function toldTo(text: string, format: string): readonly (readonly unknown[])[] {
  const events = eventsOf(text)
  if (format === 'messages') return [messageUsage(events)]
  if (format === 'responses') {
    const usages = events.map(
      (one) => (one['response'] as Fields | undefined)?.['usage'] as Fields | undefined,
    )
    return usages.flatMap((one) => (one ? [[one['input_tokens'], one['output_tokens']]] : []))
  }
  // With words beside it, some clients would count it twice.
  return events
    .filter((one) => one['usage'] !== null && one['usage'] !== undefined)
    .map((one) => [
      ...Object.values(one['usage'] as Fields).slice(0, 2),
      ...(one['choices'] as readonly Fields[]),
    ])
}

/** Some clients price a message by its start alone: an input of 0 there would be believed. */
function messageUsage(events: readonly Fields[]): readonly unknown[] {
  const [start] = events.map((one) => (one['message'] as Fields | undefined)?.['usage'] as Fields | undefined)
  const last = events.find((one) => one['type'] === 'message_delta')?.['usage'] as Fields
  return Number(start?.['input_tokens']) > 0
    ? [last['input_tokens'], last['output_tokens']]
    : ['no input at first']
}
