// Thoughts that one provider had, told to a caller in any format, and sent back in the next turn to any
// provider: whoever made their proofs gets them back as they were, nobody else gets one.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject } from '../core/json.js'
import type { Part } from '../core/model/message.js'
import type { Wire } from '../core/release/release.js'
import { encodeConverseAnswer } from '../testing/converse-answer.js'
import { converseFrames } from '../testing/converse-frames.js'
import { encodeGeminiAnswer, geminiEncoder } from '../testing/gemini-answer.js'
import { answerOf, eventsOf } from './answer-events.js'
import { decoder as messagesDecoder } from './anthropic-messages/decoder.js'
import type { ModelAnswer } from './format.js'
import { formatOf, providerFormatOf } from './formats.js'
import { markSignature } from './gemini/signature.js'
import { scannerBetween } from './translate-stream.js'

type Chat = Extract<
  Wire,
  'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'bedrock-converse'
>
const CALLERS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const
type Caller = (typeof CALLERS)[number]

/** Who makes and reads the proofs of a format. Claude's are the same wherever it runs. */
const MAKERS = {
  'openai-chat': null,
  'openai-responses': 'openai',
  'anthropic-messages': 'claude',
  'bedrock-converse': 'claude',
  gemini: 'gemini',
} as const satisfies Record<Chat, string | null>
const PROVIDERS = Object.keys(MAKERS) as readonly Chat[]
const MODELS: Readonly<Record<Chat, string>> = {
  'openai-chat': 'gpt-4o',
  'openai-responses': 'gpt-5',
  'anthropic-messages': 'claude-sonnet-4-5',
  'bedrock-converse': 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
  gemini: 'gemini-3-pro',
}

/** A thought as its maker has it: words with a proof, a proof alone, or encrypted. */
interface Thought {
  readonly kind: 'words' | 'silent' | 'encrypted'
  readonly text: string
  readonly proof: string
}

// Base64, as the providers' are.
const proof = fc
  .uint8Array({ minLength: 3, maxLength: 30 })
  .map((bytes) => Buffer.concat([Buffer.from('Proof!'), bytes]).toString('base64'))
const thought: fc.Arbitrary<Thought> = fc.record({
  kind: fc.constantFrom('words', 'silent', 'encrypted'),
  text: fc.string({ minLength: 1, unit: 'grapheme' }),
  proof,
})
/** Between two thoughts something is said or called, or they would be one. */
const thoughts = fc.uniqueArray(thought, { minLength: 1, maxLength: 3, selector: (one) => one.proof })

function answerBy(wire: Chat, had: readonly Thought[]): ModelAnswer {
  return {
    id: 'resp_1',
    model: MODELS[wire],
    parts: had.flatMap((one, index): readonly Part[] => [
      ...partsBy(wire, one, index),
      { kind: 'text', text: `So ${index}.` },
    ]),
    finishReason: 'stop',
    rawFinishReason: null,
    stopSequence: null,
    usage: null,
  }
}

function partsBy(wire: Chat, { kind, text, proof: made }: Thought, index: number): readonly Part[] {
  const words = kind === 'words' ? text : ''
  switch (MAKERS[wire]) {
    case null:
      return [{ kind: 'reasoning', text }]
    case 'gemini':
      // It does not encrypt.
      return [{ kind: 'reasoning', text: words, signature: markSignature(made) }]
    case 'openai':
      // Without a summary it is encrypted.
      if (kind !== 'words') return [{ kind: 'reasoning', text: '', redacted: made, id: `rs_${index}` }]
      return [{ kind: 'reasoning', text, signature: made, id: `rs_${index}` }]
    case 'claude':
      if (kind === 'encrypted') return [{ kind: 'reasoning', text: '', redacted: made }]
      return [{ kind: 'reasoning', text: words, signature: made }]
  }
}

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** The provider's own body. */
function bodyBy(wire: Chat, answer: ModelAnswer): unknown {
  if (wire === 'gemini') return encodeGeminiAnswer(answer)
  if (wire === 'bedrock-converse') return encodeConverseAnswer(answer)
  return overJson(formatOf(wire).encodeAnswer(answer, 1))
}

function streamBy(wire: Chat, answer: ModelAnswer): Buffer {
  const events = eventsOf(answer).filter((event) => event.kind !== 'reasoning-delta' || event.text !== '')
  if (wire === 'bedrock-converse') return converseFrames(events)
  const options = { model: answer.model, includeUsage: true, createdSeconds: 1 }
  const encoder = wire === 'gemini' ? geminiEncoder(options) : formatOf(wire).encoder(options)
  const frames = events.map((event) => encoder.encode(event)).join('')
  // Ids of OpenAI's own thoughts are not made here.
  return Buffer.from(frames.replaceAll('rs_spillway_', 'rs_own'))
}

/** What the caller has of the answer, as its format's client puts it together. */
function toldWhole(wire: Chat, caller: Caller, answer: ModelAnswer): JsonObject {
  const body = bodyBy(wire, answer)
  const decoded = wire === caller ? null : providerFormatOf(wire).decodeAnswer(body)
  const told = wire === caller ? body : decoded && overJson(formatOf(caller).encodeAnswer(decoded, 1))
  if (!isObject(told)) throw new Error(`${wire} for ${caller}: not an answer`)
  return told as JsonObject
}

function toldStreamed(wire: Chat, caller: Caller, answer: ModelAnswer): JsonObject {
  const scanner = scannerBetween({
    from: wire,
    to: caller,
    model: MODELS[wire],
    answerId: 'a',
    createdSeconds: 1,
    estimatedInputTokens: 0,
    keepUsage: true,
    keepLogprobs: false,
    collect: false,
  })
  const passed = [scanner.push(streamBy(wire, answer))]
  scanner.endOfBody?.()
  const frames = Buffer.concat([...passed, scanner.finish(null)].map((piece) => Buffer.from(piece ?? [])))
  return bodyOf(caller, frames)
}

function bodyOf(caller: Caller, frames: Buffer): JsonObject {
  if (caller === 'openai-responses') {
    const last = /data: (\{"type":"response\.completed"[^\n]*\})\n/.exec(frames.toString())?.[1]
    const event: unknown = JSON.parse(last ?? 'null')
    if (isObject(event) && isObject(event['response'])) return event['response'] as JsonObject
    throw new Error(`no end in ${frames.toString()}`)
  }
  const decoder = caller === 'anthropic-messages' ? messagesDecoder() : formatOf(caller).decoder()
  const answer = answerOf(decoder.push(frames))
  if (answer === null) throw new Error(`no end in ${frames.toString()}`)
  return overJson(formatOf(caller).encodeAnswer(answer, 1)) as JsonObject
}

/** The next turn, as a client of the format writes it. */
function nextTurn(caller: Caller, told: JsonObject): JsonObject {
  const [first, again] = ['Hi', 'And?'].map((content) => ({ role: 'user', content }))
  const base = { model: 'm', max_tokens: 4_096 }
  if (caller === 'openai-responses') {
    return {
      model: 'm',
      max_output_tokens: 4_096,
      input: [first, ...(told['output'] as readonly JsonObject[]), again],
    } as JsonObject
  }
  const choices = told['choices'] as readonly { readonly message: JsonObject }[] | undefined
  const message = choices?.[0]?.message ?? { role: 'assistant', content: told['content'] }
  return { ...base, messages: [first, message, again] } as JsonObject
}

/** What is sent to the provider. */
function sentTo(wire: Chat, caller: Caller, body: JsonObject): unknown {
  const from = formatOf(caller)
  if (wire === caller) {
    const own = from.withoutForeignProofs({ json: body, body: Buffer.from(JSON.stringify(body)) })
    return own === null ? body : { ...body, [wire === 'openai-responses' ? 'input' : 'messages']: own }
  }
  const request = from.decodeRequest(body)
  if (request.kind === 'invalid') throw new Error(JSON.stringify(request.problems))
  const encoded = providerFormatOf(wire).encodeRequest({ ...request.value, model: MODELS[wire] })
  if (encoded.kind === 'invalid') throw new Error(JSON.stringify(encoded.problems))
  return overJson(encoded.value)
}

/** Each proof in the body with the thought it is on, in the provider's own words. */
function proofsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(proofsIn)
  if (!isObject(value)) return []
  const isProved = Object.values(value).some((one) => typeof one === 'string' && one.includes('UHJvb2Y'))
  return isProved ? [JSON.stringify(withoutIds(value))] : Object.values(value).flatMap(proofsIn)
}

/** Streams are written here with other ids than answers. */
function withoutIds({ id, ...rest }: Record<string, unknown>): unknown {
  return { ...rest, ...(typeof id === 'string' ? { id: id.slice(0, 3) } : {}) }
}

/** What the provider is sent where the conversation never left our types. */
function native(wire: Chat, answer: ModelAnswer): readonly string[] {
  const said = (text: string): Part[] => [{ kind: 'text', text }]
  const messages = [
    { role: 'user' as const, parts: said('Hi') },
    { role: 'assistant' as const, parts: answer.parts },
    { role: 'user' as const, parts: said('And?') },
  ]
  const decoded = formatOf('openai-chat').decodeRequest({
    model: 'm',
    messages: [{ role: 'user', content: '' }],
  })
  if (decoded.kind === 'invalid') throw new Error('no request')
  const request = { ...decoded.value, model: MODELS[wire], maxOutputTokens: 4_096, messages }
  const encoded = providerFormatOf(wire).encodeRequest(request)
  if (encoded.kind === 'invalid') throw new Error(JSON.stringify(encoded.problems))
  return proofsIn(overJson(encoded.value))
}

const PAIRS = PROVIDERS.flatMap((by) =>
  CALLERS.flatMap((caller) => PROVIDERS.map((to) => ({ by, caller, to }) as const)),
)

describe.each([
  ['whole', toldWhole],
  ['streamed', toldStreamed],
] as const)('%s', (_, told) => {
  test.each(PAIRS)('thoughts of $by, told in $caller, sent back to $to', ({ by, caller, to }) => {
    fc.assert(
      fc.property(thoughts, (had) => {
        const answer = answerBy(by, had)
        const sent = proofsIn(sentTo(to, caller, nextTurn(caller, told(by, caller, answer))))
        // A chat completion has no place for a proof.
        const isHome = MAKERS[by] !== null && MAKERS[by] === MAKERS[to] && caller !== 'openai-chat'
        const expected = isHome ? native(to, answer) : []
        expect(sent).toEqual(expected)
        expect(sent).toHaveLength(isHome ? had.length : 0)
      }),
      { numRuns: 30 },
    )
  })
})

test('a provider is told from the others by what it proves with', () => {
  for (const by of PROVIDERS.filter((wire) => MAKERS[wire] !== null)) {
    const answer = answerBy(by, [{ kind: 'words', text: 'Hm.', proof: 'UHJvb2Yh' }])
    expect(native(by, answer)).toHaveLength(1)
    for (const to of PROVIDERS.filter((wire) => MAKERS[wire] !== MAKERS[by])) {
      const messages = [{ role: 'assistant' as const, parts: answer.parts }]
      expect(native(to, answer), `${by} to ${to}`).toEqual([])
      const request = formatOf('openai-chat').decodeRequest({ model: 'm', messages: [{ role: 'user' }] })
      if (request.kind === 'invalid') throw new Error('no request')
      const leftOut = providerFormatOf(to).leavesOut({ ...request.value, model: MODELS[to], messages })
      expect(leftOut.some((place) => place.startsWith('messages[0].content[0]'))).toBe(true)
    }
  }
})
