// An answer survives being streamed, in our types and through a format that can say all of it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Part } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import {
  callPart,
  cited,
  logprobs,
  ofDocument,
  ofPage,
  signedPart,
  textPart,
} from '../testing/arbitrary-messages.js'
import { answerOf, eventsOf } from './answer-events.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { ModelAnswer, WireFormat } from './format.js'
import { openAiChat } from './openai-chat.js'

const totals = { input: 0, output: 0, total: 0 }
const PLAIN = {
  id: 'x',
  model: 'm',
  stopSequence: null,
  usage: { tokens: NO_TOKENS, providerTotals: totals },
}
const ENDS = { finishReason: 'tool-calls', rawFinishReason: 'tool_calls' } as const
const unsigned = textPart.map((part): Part => ({
  kind: 'reasoning',
  text: part.kind === 'text' ? part.text : '',
}))
const refusal = textPart.map((part): Part => ({
  kind: 'refusal',
  text: part.kind === 'text' ? part.text : '',
}))
/** Each call has an index of its own by its place. */
const calls = fc.array(callPart, { minLength: 1, maxLength: 3 })

function answer(parts: readonly Part[], more: Partial<ModelAnswer> = {}): ModelAnswer {
  return { ...PLAIN, ...ENDS, parts, ...more }
}

test('in our types', () => {
  const parts = fc.tuple(fc.array(signedPart), unsigned, fc.oneof(textPart, cited(ofPage)), refusal, calls)
  fc.assert(
    fc.property(parts, logprobs, ([signed, ...rest], told) => {
      const one = answer([...signed, ...rest.flat()], { logprobs: told })
      expect(answerOf(eventsOf(one))).toEqual(one)
    }),
  )
})

test('a stream that never said how it ended is no answer', () => {
  expect(answerOf([{ kind: 'text-delta', text: 'So' }])).toBeNull()
})

/** In pieces of so many bytes. */
function streamed(format: WireFormat, one: ModelAnswer, size: number): ModelAnswer | null {
  const encoder = format.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
  const bytes = Buffer.from(
    eventsOf(one)
      .map((event) => encoder.encode(event))
      .join(''),
  )
  const decoder = format.decoder()
  const events = []
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)))
  return answerOf(events)
}

const size = fc.integer({ min: 1, max: 400 })

test('in chat completions', () => {
  const parts = fc.tuple(unsigned, fc.oneof(textPart, cited(ofPage)), calls)
  fc.assert(
    fc.property(parts, logprobs, size, ([thought, words, called], told, piece) => {
      const spanned = words.kind === 'text' && words.citations !== undefined
      // This format says of a citation where it stands, its address and its title, and nothing else.
      const known = (one: NonNullable<Extract<Part, { kind: 'text' }>['citations']>[number]) => ({
        ...one,
        citedText: null,
        title: one.title ?? one.url,
        span: { start: 0, end: words.kind === 'text' ? words.text.length : 0 },
      })
      const said = spanned ? { ...words, citations: (words.citations ?? []).map(known) } : words
      // An id is what tells calls apart.
      const named = called.map((part, index) => ({ ...part, id: `c${index}` }))
      const one = answer([thought, said, ...named], { logprobs: told })
      expect(streamed(openAiChat, one, piece)?.parts).toEqual(one.parts)
      expect(streamed(openAiChat, one, piece)?.logprobs).toEqual(told)
    }),
  )
})

test('in Messages', () => {
  const parts = fc.tuple(fc.array(signedPart), fc.oneof(textPart, cited(fc.oneof(ofDocument, ofPage))), calls)
  fc.assert(
    fc.property(parts, size, ([thoughts, words, called], piece) => {
      const span = { start: 0, end: words.kind === 'text' ? words.text.length : 0 }
      const spanned = words.kind === 'text' && words.citations !== undefined
      const said = spanned
        ? { ...words, citations: (words.citations ?? []).map((one) => ({ ...one, span })) }
        : words
      const one = answer([...thoughts, said, ...called])
      expect(streamed(anthropicMessages, one, piece)?.parts).toEqual(one.parts)
    }),
  )
})
