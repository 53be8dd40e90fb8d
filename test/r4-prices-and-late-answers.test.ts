// R4, reported failures 31, 32 and 50, and the Responses API's own ways to fail: every attempt costs what its own
// model costs, a model without a price is not free, and who does not answer is not waited for.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, FORMATS, type Way, askOnce, inBandError } from './support/caller-formats.js'
import { errorOf } from './support/http.js'
import { answerOf } from './support/vendors/answer-bytes.js'
import { type VendorAnswer, json } from './support/vendors/front.js'
import {
  PRICE,
  SPARE_PRICE,
  type Price,
  type Script,
  type Scripted,
  startScripted,
} from './support/vendors/scripted.js'
import { streamed } from './support/vendors/stream-bytes.js'

const FIXTURES = new URL('../packages/server/src/wire/fixtures/openai-responses/', import.meta.url)
const events = (name: string) => readFileSync(new URL(`${name}.txt`, FIXTURES), 'utf8').split(/(?<=\n\n)/)
const EVENT_STREAM = 'text/event-stream'

/** Resolved when the caller has seen a word. */
const seen = { words: (): void => undefined }

/** All but the last event, then, when they have arrived, the last: a response that fails after words. */
const fixture = (name: string) => () => {
  const all = events(name)
  const pieces = all.slice(0, -1).map((text) => Buffer.from(text))
  const arrived = new Promise<void>((resolve) => (seen.words = resolve))
  return streamed(
    { type: EVENT_STREAM, pieces },
    { how: 'end', last: Buffer.from(all.at(-1) ?? '') },
    arrived,
  )
}
const FAILED = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'failed',
  error: { code: 'server_error', message: 'The model had an error.' },
  output: [],
  usage: null,
}
const usage = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 }
const answered = answerOf('vllm', { words: ['Here.'], finish: 'stop', usage })
const silent = (): VendorAnswer => streamed({ type: EVENT_STREAM, pieces: [] }, { how: 'stall' })
const broken = (): VendorAnswer => streamed({ type: EVENT_STREAM, pieces: [] }, { how: 'cut' })

const SCRIPTS = {
  failed: { vendor: 'openai', answer: fixture('failed') },
  inBand: { vendor: 'openai', answer: fixture('error-in-band') },
  whole: { vendor: 'openai', answer: () => json(200, FAILED) },
  unpriced: { vendor: 'vllm', answer: answered, price: null },
  broken: { vendor: 'vllm', answer: broken },
  ...Object.fromEntries(EVERY_WAY.map(({ name }) => [name, { vendor: 'vllm', answer: silent }])),
} as const satisfies Readonly<Record<string, Script>>
const contract = (kind: 'alone' | 'spared', name: string) => `${kind}${Object.keys(SCRIPTS).indexOf(name)}`

let vendors: Scripted
beforeAll(async () => {
  vendors = await startScripted(Object.values(SCRIPTS))
})
afterAll(() => vendors[Symbol.asyncDispose]())

const wayOf = (name: (typeof FORMATS)[number]['name'], stream: boolean): Way => {
  const format = FORMATS.find((one) => one.name === name)
  if (format === undefined) throw new Error(`no format ${name}`)
  return { format, stream, name }
}

describe('a response', () => {
  test.each([
    ['failed', 'stream_error'],
    ['inBand', 'throttled'],
  ] as const)('that ends as %s breaks off in band, and is never completed', async (name, end) => {
    const way = wayOf('responses', true)
    const watch = (text: string) => (text.includes('Once') ? seen.words() : undefined)
    const told = await askOnce(vendors, way, { contract: contract('alone', name), watch })
    expect(told.answer.status).toBe(200)
    expect(told.text).not.toMatch(way.format.ends)
    expect(inBandError(told.text)).toMatchObject({ code: 'upstream.failed' })
    expect(String(inBandError(told.text)?.['message'])).toMatch(/The provider said: .{10}/)
    const attempts = told.trace.steps.flatMap((step) => step.attempts)
    expect(attempts).toMatchObject([{ end, basis: 'estimated' }])
    expect(told.heldUsd).toBe(0)
  })

  test('whose status is failed is no answer, though it came with 200', async () => {
    const told = await askOnce(vendors, wayOf('responses', false), { contract: contract('alone', 'whole') })
    expect([told.answer.status, errorOf(told.answer)['code']]).toEqual([502, 'upstream.failed'])
    expect(told.text).toContain('The model had an error.')
    expect([told.spentUsd, told.heldUsd]).toEqual([0, 0])
  })
})

describe('prices', () => {
  test('a model without a price is charged what was held: the dearest there is, never nothing', async () => {
    const told = await askOnce(vendors, wayOf('chat', false), { contract: contract('alone', 'unpriced') })
    const [attempt] = told.trace.steps.flatMap((step) => step.attempts)
    expect(attempt).toMatchObject({ end: 'ok', cost_usd: null, price_book: null })
    expect(attempt?.charged_usd).toBe(attempt?.held.cost_usd)
    expect(told.spentUsd).toBeGreaterThan((usage.completion_tokens * SPARE_PRICE.output) / 1e6)
    expect([told.heldUsd, told.spentUsd]).toEqual([0, attempt?.charged_usd])
  })

  test('an attempt and the one that stood in for it are each charged at their own price', async () => {
    const ask = { contract: contract('spared', 'broken'), more: { stream: true } }
    const told = await askOnce(vendors, wayOf('chat', false), ask)
    const attempts = told.trace.steps.flatMap((step) => step.attempts)
    const models = attempts.map(({ model }) => (model === 'spare' ? 'spare' : 'first'))
    expect(models.slice(0, 2)).toEqual(['first', 'first'])
    expect(models).toContain('spare')
    for (const { model, tokens, charged_usd } of attempts) {
      const { input, output }: Price = model === 'spare' ? SPARE_PRICE : PRICE
      expect(Math.round(charged_usd * 1e9)).toBe((tokens.input * input + tokens.output * output) * 1000)
    }
    expect(told.heldUsd).toBe(0)
  })
})

describe('a vendor that sends a head and then nothing', () => {
  test.concurrent.each(EVERY_WAY)('is given up in time, asked in $name', async (way) => {
    const told = await askOnce(vendors, way, { contract: contract('alone', way.name) })
    expect([told.answer.status, errorOf(told.answer)['code']]).toEqual([504, 'upstream.timeout'])
    const attempts = told.trace.steps.flatMap((step) => step.attempts)
    expect(attempts.map(({ end }) => end)).toEqual(['timeout', 'timeout'])
    // It was sent, and may have run: its input is charged, its output was never seen.
    expect(attempts.every(({ basis, tokens }) => basis === 'estimated' && tokens.input > 0)).toBe(true)
    expect(told.spentUsd).toBeGreaterThan(0)
    expect(told.heldUsd).toBe(0)
  })
})
