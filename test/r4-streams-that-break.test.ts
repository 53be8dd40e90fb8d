// R4: a stream that breaks at the vendor never ends as if it were whole. Before the first word the call is
// tried again unseen; after it the caller is told in band, in its own format and in the vendor's words. What
// had come is paid once, and nothing stays held.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Told, type Way, askOnce, inBandError } from './support/caller-formats.js'
import {
  type Break,
  STREAMS,
  type StreamBytes,
  awsFrame,
  damaged,
  exception,
  streamed,
} from './support/vendors/stream-bytes.js'
import { type Scripted, startScripted } from './support/vendors/scripted.js'

interface Breaking {
  readonly vendor: keyof typeof STREAMS
  readonly name: string
  readonly broken: Break
  readonly end: string
  /** The vendor's words, where it said any. */
  readonly says?: string
  /** The request itself is to blame: not tried again. */
  readonly rejected?: true
}

const last = (bytes: Uint8Array | string): Break => ({ how: 'end', last: Buffer.from(bytes) })
const frame = (json: unknown, event?: string) =>
  last(`${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(json)}\n\n`)
const { bedrock } = STREAMS
const WORDS = bedrock.words('never seen')
const MESSAGE_TYPE_ERROR = awsFrame(
  { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'An internal server error.' },
  {},
)

const nothing = (vendor: Breaking['vendor']): readonly Breaking[] => [
  { vendor, name: 'the connection is lost', broken: { how: 'cut' }, end: 'broken_stream' },
  { vendor, name: 'the body ends early', broken: last(''), end: 'broken_stream' },
]

const CHAT: readonly Breaking[] = [
  ...nothing('vllm'),
  {
    vendor: 'vllm',
    name: 'an error in band',
    broken: frame({
      error: { object: 'error', message: 'EngineCore died.', type: 'InternalServerError', code: 500 },
    }),
    end: 'stream_error',
    says: 'EngineCore died.',
  },
  {
    vendor: 'vllm',
    name: 'a mistake told in band',
    broken: frame({ error: { message: 'Too many images.', type: 'BadRequestError', code: 400 } }),
    end: 'rejected',
    says: 'Too many images.',
    rejected: true,
  },
  {
    vendor: 'vllm',
    name: 'half a frame',
    broken: last('data: {"id":"chatcmpl-7","cho'),
    end: 'broken_stream',
  },
  { vendor: 'vllm', name: 'a page', broken: last('<html><body>502</body></html>\n\n'), end: 'invalid_body' },
  { vendor: 'vllm', name: 'silence', broken: { how: 'stall' }, end: 'timeout' },
]

const ANTHROPIC: readonly Breaking[] = [
  ...nothing('anthropic'),
  {
    vendor: 'anthropic',
    name: 'overloaded in band',
    broken: frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error'),
    end: 'throttled',
    says: 'Overloaded',
  },
]

const thrown = (type: string, message: string, end: string): Breaking => ({
  vendor: 'bedrock',
  name: type,
  broken: last(exception(type, message)),
  end,
  says: message,
})

const BEDROCK: readonly Breaking[] = [
  ...nothing('bedrock'),
  thrown('throttlingException', 'Too many tokens, please wait.', 'throttled'),
  thrown('modelStreamErrorException', 'The model failed in the middle.', 'stream_error'),
  thrown('internalServerException', 'The system met an error.', 'stream_error'),
  thrown('serviceUnavailableException', 'The service is not available.', 'throttled'),
  { ...thrown('validationException', 'The image is too large.', 'rejected'), rejected: true },
  {
    vendor: 'bedrock',
    name: 'an error frame',
    broken: last(MESSAGE_TYPE_ERROR),
    end: 'stream_error',
    says: 'An internal server error.',
  },
  { vendor: 'bedrock', name: 'half a frame', broken: last(WORDS.subarray(0, 40)), end: 'broken_stream' },
  {
    vendor: 'bedrock',
    name: 'a wrong checksum of the prelude',
    broken: last(damaged(WORDS, 9)),
    end: 'invalid_body',
  },
  {
    vendor: 'bedrock',
    name: 'a wrong checksum of the message',
    broken: last(damaged(WORDS, -1)),
    end: 'invalid_body',
  },
  { vendor: 'bedrock', name: 'a changed payload', broken: last(damaged(WORDS, -8)), end: 'invalid_body' },
]

const GEMINI: readonly Breaking[] = [
  ...nothing('gemini'),
  {
    vendor: 'gemini',
    name: 'an error object in band',
    broken: frame({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }),
    end: 'throttled',
    says: 'The model is overloaded.',
  },
  {
    vendor: 'gemini',
    name: 'an error list in band',
    broken: frame([{ error: { code: 500, message: 'An internal error.', status: 'INTERNAL' } }]),
    end: 'stream_error',
    says: 'An internal error.',
  },
]

const BREAKS: readonly Breaking[] = [...CHAT, ...ANTHROPIC, ...BEDROCK, ...GEMINI]
const STREAMED = EVERY_WAY.filter(({ stream }) => stream)
const CASES = BREAKS.flatMap((breaking) =>
  STREAMED.flatMap((way) => [true, false].map((early) => ({ breaking, way, early }))),
)
const wholeOf = ({ type, begin, words, end }: StreamBytes) =>
  streamed({ type, pieces: [begin, words('Well '), words('said.')] }, { how: 'end', last: end })

/** One for each case: released when the caller has seen what came before the break. */
const SEEN = CASES.map(() => {
  let release = (): void => undefined
  const seen = new Promise<void>((resolve) => (release = resolve))
  return { seen, release: () => release() }
})

let vendors: Scripted
beforeAll(async () => {
  const scripts = CASES.map(({ breaking: { vendor, broken }, early }, index) => ({
    vendor,
    answer: (times: number) => {
      const bytes = STREAMS[vendor]
      if (times > 0) return wholeOf(bytes)
      const { type, begin, words } = bytes
      if (early) return streamed({ type, pieces: [] }, broken)
      return streamed({ type, pieces: [begin, words('Half '), words('said ')] }, broken, SEEN[index]?.seen)
    },
  }))
  vendors = await startScripted(scripts)
})
afterAll(() => vendors[Symbol.asyncDispose]())

function ask(breaking: Breaking, way: Way, early: boolean): Promise<Told> {
  const index = CASES.findIndex((one) => one.breaking === breaking && one.way === way && one.early === early)
  const more = way.format.name === 'chat' ? { stream_options: { include_usage: true } } : {}
  const watch = (text: string) => (text.includes('said ') ? SEEN[index]?.release() : undefined)
  return askOnce(vendors, way, { contract: `alone${index}`, more, watch })
}

const attemptsOf = ({ trace }: Told) => trace.steps.flatMap((step) => step.attempts)

describe.each(BREAKS)('$vendor: $name', (breaking) => {
  test.concurrent.each(STREAMED)('after words, asked in $name', async (way) => {
    const told = await ask(breaking, way, false)
    expect(told.answer.status).toBe(200)
    expect(way.format.textOf(told.answer)).toBe('Half said ')
    expect(told.text).not.toMatch(way.format.ends)
    const error = inBandError(told.text)
    expect(error?.['code']).toBe('upstream.failed')
    expect(error?.['message']).toContain(breaking.says ?? breaking.end)
    const [attempt, ...others] = attemptsOf(told)
    expect(others).toEqual([])
    expect(attempt).toMatchObject({ end: breaking.end, basis: 'estimated', tokens: { output: 2 } })
    expect(told.spentUsd).toBe(attempt?.charged_usd)
    expect(told.spentUsd).toBeGreaterThan(0)
    expect(told.heldUsd).toBe(0)
  })

  test.concurrent.each(STREAMED)('before the first word, asked in $name', async (way) => {
    const told = await ask(breaking, way, true)
    const ends = attemptsOf(told).map(({ end }) => end)
    expect(told.heldUsd).toBe(0)
    const isTriedAgain = breaking.rejected === undefined
    expect(ends).toEqual(isTriedAgain ? [breaking.end, 'ok'] : [breaking.end])
    expect(told.answer.status).toBe(isTriedAgain ? 200 : 400)
    expect(told.text).toContain(isTriedAgain ? 'Well ' : String(breaking.says))
    expect(way.format.ends.test(told.text)).toBe(isTriedAgain)
  })
})
