// R4: what a provider's format has no word for, or no room for, is refused by the field's name in the caller's
// terms: 400, nothing sent, nothing charged, nothing held.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Way, askOnce } from './support/caller-formats.js'
import { errorOf } from './support/http.js'
import type { VendorName } from './support/vendors/fault.js'
import { json } from './support/vendors/front.js'
import { type Scripted, startScripted } from './support/vendors/scripted.js'

const MIB = 1024 * 1024
const png = (bytes: number) => Buffer.alloc(bytes).toString('base64')

type Fields = Readonly<Record<string, unknown>>
type Name = Way['format']['name']

const ask = (content: readonly Fields[]): Fields => ({ messages: [{ role: 'user', content }] })
const chatImage = (url: string) => ask([{ type: 'image_url', image_url: { url } }])
const claudeImage = (source: Fields) => ask([{ type: 'image', source }])
const input = (content: readonly Fields[]): Fields => ({ input: [{ role: 'user', content }] })
const inputImage = (image_url: string) => input([{ type: 'input_image', image_url, detail: 'auto' }])
const WEB = 'https://example.test/a.png'
const dataUrl = (bytes: number) => `data:image/png;base64,${png(bytes)}`

interface Unsupported {
  readonly format: Name
  readonly to: VendorName
  readonly what: string
  readonly more: () => Fields
  /** The place, as the caller wrote it. */
  readonly at: string
}

const rows = (format: Name, what: string, at: string, more: () => Fields, ...to: readonly VendorName[]) =>
  to.map((one): Unsupported => ({ format, to: one, what, more, at }))

const ROWS: readonly Unsupported[] = [
  ...rows('chat', 'several choices', 'n', () => ({ n: 2 }), 'anthropic', 'bedrock', 'gemini'),
  ...rows(
    'chat',
    'a bias',
    'logit_bias',
    () => ({ logit_bias: { 50: 1 } }),
    'anthropic',
    'bedrock',
    'gemini',
  ),
  ...rows('chat', 'penalties', 'presence_penalty', () => ({ presence_penalty: 1 }), 'anthropic', 'bedrock'),
  ...rows('chat', 'log probabilities', 'logprobs', () => ({ logprobs: true }), 'anthropic', 'bedrock'),
  ...rows(
    'chat',
    'a field nobody knows',
    'frobnicate',
    () => ({ frobnicate: 1 }),
    'anthropic',
    'bedrock',
    'gemini',
  ),
  ...rows('chat', 'an image by address', 'messages[0].content[0]', () => chatImage(WEB), 'bedrock'),
  ...rows(
    'chat',
    'an image too large',
    'messages[0].content[0]',
    () => chatImage(dataUrl(3.75 * MIB + 1)),
    'bedrock',
  ),
  ...rows(
    'chat',
    'an image too large',
    'messages[0].content[0]',
    () => chatImage(dataUrl(5 * MIB + 1)),
    'anthropic',
  ),
  ...rows('messages', 'top_k', 'top_k', () => ({ top_k: 5 }), 'openai', 'azure'),
  ...rows('messages', 'a container', 'container', () => ({ container: 'c' }), 'openai', 'bedrock', 'gemini'),
  ...rows(
    'messages',
    'an image by address',
    'messages[0].content[0]',
    () => claudeImage({ type: 'url', url: WEB }),
    'bedrock',
  ),
  ...rows(
    'messages',
    'an image too large',
    'messages[0].content[0]',
    () => claudeImage({ type: 'base64', media_type: 'image/png', data: png(3.75 * MIB + 1) }),
    'bedrock',
  ),
  ...rows(
    'responses',
    'a prompt kept elsewhere',
    'prompt',
    () => ({ prompt: { id: 'p' } }),
    'anthropic',
    'bedrock',
  ),
  ...rows(
    'responses',
    'log probabilities',
    'top_logprobs',
    () => ({ top_logprobs: 3 }),
    'anthropic',
    'bedrock',
  ),
  ...rows(
    'responses',
    'an image after what was said before',
    'input[3].content[1]',
    () => ({
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Weather?' },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'sun' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'And here?' },
            { type: 'input_image', image_url: WEB, detail: 'auto' },
          ],
        },
      ],
    }),
    'bedrock',
  ),
  ...rows(
    'messages',
    'an image beside a system prompt',
    'messages[0].content[0]',
    () => ({ system: 'Be brief.', ...claudeImage({ type: 'url', url: WEB }) }),
    'bedrock',
  ),
  ...rows('responses', 'an image by address', 'input[0].content[0]', () => inputImage(WEB), 'bedrock'),
  ...rows(
    'responses',
    'an image too large',
    'input[0].content[0]',
    () => inputImage(dataUrl(5 * MIB + 1)),
    'anthropic',
  ),
]
const CASES = ROWS.flatMap((row) =>
  EVERY_WAY.filter(({ format }) => format.name === row.format).map((way) => ({ ...row, way })),
)

let vendors: Scripted
beforeAll(async () => {
  vendors = await startScripted(CASES.map(({ to }) => ({ vendor: to, answer: () => json(500, {}) })))
})
afterAll(() => vendors[Symbol.asyncDispose]())

describe.each(ROWS)('$what of $format, to $to', (row) => {
  test.concurrent.each(
    CASES.filter((one) => one.what === row.what && one.to === row.to && one.format === row.format),
  )('asked in $way.name', async (one) => {
    const index = CASES.indexOf(one)
    const told = await askOnce(vendors, one.way, { contract: `alone${index}`, more: one.more() })
    expect(told.answer.status).toBe(400)
    const { code, problems } = errorOf(told.answer)
    expect(code).toBe('request.invalid')
    expect((problems as readonly { at: string }[]).map(({ at }) => at)).toEqual([row.at])
    expect(told.answer.headers.get('x-should-retry')).toBe('false')
    expect(vendors.calls(index)).toEqual([])
    expect(told.trace.steps.flatMap(({ attempts }) => attempts)).toEqual([])
    expect([told.spentUsd, told.heldUsd]).toEqual([0, 0])
  })
})
