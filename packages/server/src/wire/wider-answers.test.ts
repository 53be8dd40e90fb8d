// Citations, log probabilities and reasoning of answers across formats, whole and streamed.

import { describe, expect, test } from 'vitest'
import { anthropicStream, valuesOf } from '../testing/recorded-streams.js'
import {
  readByAnthropic,
  readByOpenAi,
  toAnthropic,
  toOpenAi,
  translate,
} from '../testing/translated-stream.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { StreamEvent } from './stream-event.js'
import { openAiChat } from './openai-chat.js'

const web = {
  type: 'web_search_result_location',
  cited_text: 'c',
  title: 'T',
  url: 'https://x/',
  encrypted_index: 'e',
}
const page = {
  type: 'page_location',
  cited_text: 'c',
  document_index: 0,
  document_title: 'D',
  start_page_number: 1,
  end_page_number: 2,
}

describe('whole answers', () => {
  test('a cited page of the web is an annotation of the words that cite it', () => {
    const answer = anthropicMessages.decodeAnswer({
      type: 'message',
      content: [
        { type: 'text', text: 'So: ' },
        { type: 'text', text: 'yes.', citations: [web, page] },
      ],
      stop_reason: 'end_turn',
    })
    expect(answer === null ? null : openAiChat.encodeAnswer(answer, 1)).toMatchObject({
      choices: [
        {
          message: {
            content: 'So: yes.',
            annotations: [
              {
                type: 'url_citation',
                url_citation: { url: 'https://x/', title: 'T', start_index: 4, end_index: 8 },
              },
            ],
          },
        },
      ],
    })
  })

  test('an annotation is a citation of the web', () => {
    const url_citation = { url: 'https://x/', title: 'T', start_index: 0, end_index: 4 }
    const message = { content: 'Yes.', annotations: [{ type: 'url_citation', url_citation }] }
    const answer = openAiChat.decodeAnswer({ choices: [{ index: 0, message, finish_reason: 'stop' }] })
    expect(answer === null ? null : anthropicMessages.encodeAnswer(answer, 1)).toMatchObject({
      content: [
        {
          type: 'text',
          text: 'Yes.',
          citations: [{ type: 'web_search_result_location', url: 'https://x/', title: 'T' }],
        },
      ],
    })
  })

  test('log probabilities come back with the bytes of whole characters', () => {
    const parts = [{ kind: 'text', text: 'ß' }] as const
    const logprobs = [{ token: 'ß', logprob: -0.5, top: [{ token: String.raw`\xc3`, logprob: -2 }] }]
    const rest = { rawFinishReason: null, stopSequence: null, usage: null, finishReason: 'stop' } as const
    expect(openAiChat.encodeAnswer({ id: 'x', model: 'm', parts, logprobs, ...rest }, 1)).toMatchObject({
      choices: [
        {
          logprobs: {
            content: [
              {
                token: 'ß',
                logprob: -0.5,
                bytes: [0xc3, 0x9f],
                top_logprobs: [{ token: String.raw`\xc3`, logprob: -2, bytes: null }],
              },
            ],
            refusal: null,
          },
        },
      ],
    })
  })

  test('a paused turn and a full window keep their own words', () => {
    for (const stop_reason of ['pause_turn', 'model_context_window_exceeded']) {
      const answer = anthropicMessages.decodeAnswer({ type: 'message', content: [], stop_reason })
      expect(answer === null ? null : anthropicMessages.encodeAnswer(answer, 1)).toMatchObject({
        stop_reason,
      })
    }
  })
})

describe('streams', () => {
  test('citations come as annotations of the words that cite', () => {
    const chunks = valuesOf(toOpenAi('citations').frames)
    const annotations = chunks.flatMap((chunk) =>
      ((chunk['choices'] ?? []) as { delta: { annotations?: object[] } }[]).flatMap(
        ({ delta }) => delta.annotations ?? [],
      ),
    )
    expect(annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { url: 'https://example.com/sky', title: 'The sky', start_index: 4, end_index: 15 },
      },
    ])
  })

  test('annotations come as citations of the block that is open', async () => {
    const message = await readByAnthropic(toAnthropic('annotations').frames)
    expect(message.content).toMatchObject([
      {
        type: 'text',
        text: 'It is blue.',
        citations: [{ type: 'web_search_result_location', url: 'https://example.com/sky', title: 'The sky' }],
      },
    ])
  })

  test('log probabilities reach the caller who asked, and nobody else', () => {
    const events = openAiChat.decoder().push(Buffer.from(toOpenAi('text').frames))
    expect(events.some((event) => event.kind === 'logprobs')).toBe(false)
    const told: StreamEvent = { kind: 'logprobs', logprobs: [{ token: 'a', logprob: -1, top: [] }] }
    const encoder = openAiChat.encoder({ model: 'm', includeUsage: false, createdSeconds: 1 })
    const frames = encoder.encode({ kind: 'text-delta', text: 'a' }) + encoder.encode(told)
    expect(openAiChat.decoder().push(Buffer.from(frames))).toContainEqual(told)
  })

  test('the official client puts log probabilities and citations together', async () => {
    const encoder = openAiChat.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    const events: StreamEvent[] = [
      { kind: 'text-delta', text: 'a' },
      { kind: 'logprobs', logprobs: [{ token: 'a', logprob: -1, top: [{ token: 'b', logprob: -2 }] }] },
      { kind: 'text-delta', text: 'b' },
      { kind: 'logprobs', logprobs: [{ token: 'b', logprob: -3, top: [] }] },
      { kind: 'finish', reason: 'stop', raw: null, stopSequence: null },
      { kind: 'end' },
    ]
    const completion = await readByOpenAi(events.map((event) => encoder.encode(event)).join(''))
    expect(completion.choices[0]).toMatchObject({
      message: { content: 'ab' },
      logprobs: {
        content: [
          { token: 'a', top_logprobs: [{ token: 'b' }] },
          { token: 'b', logprob: -3 },
        ],
      },
    })
    const cited = await readByOpenAi(toOpenAi('citations').frames)
    expect(cited.choices[0]?.message).toMatchObject({
      content: 'So: the sky is.',
      annotations: [{ url_citation: { url: 'https://example.com/sky' } }],
    })
  })

  test('the official client reads thoughts, encrypted ones too, and citations', async () => {
    const encoder = anthropicMessages.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    const events = anthropicMessages.decoder().push(anthropicStream('citations'))
    const frames = events.map((event) => encoder.encode(event)).join('')
    expect((await readByAnthropic(frames)).content).toMatchObject([
      { type: 'redacted_thinking', data: 'EroBCkgIARABGAIiQL8X' },
      {
        type: 'text',
        text: 'So: the sky is.',
        citations: [{ type: 'web_search_result_location' }, { type: 'char_location', end_char_index: 7 }],
      },
    ])
  })

  const message = (...events: StreamEvent[]) => {
    const encoder = anthropicMessages.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    return events.map((event) => valuesOf(encoder.encode(event)).map((frame) => frame['type']))
  }

  test('signed reasoning is passed on as it comes, unsigned waits for a signature', () => {
    const start: StreamEvent = { kind: 'start', id: 'x', model: 'm', usage: null }
    const signature: StreamEvent = { kind: 'reasoning-signature', signature: 's' }
    const block = ['content_block_delta', 'content_block_stop']
    expect(message(start, { kind: 'reasoning-delta', text: 'hm', signed: true }, signature)).toEqual([
      ['message_start'],
      ['content_block_start', 'content_block_delta'],
      block,
    ])
    expect(message(start, { kind: 'reasoning-delta', text: 'hm' }, signature)).toEqual([
      ['message_start'],
      [],
      ['content_block_start', 'content_block_delta', ...block],
    ])
  })

  test('a signature proves its own text, not what was thought before the last words', () => {
    const encoder = anthropicMessages.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    const events: StreamEvent[] = [
      { kind: 'reasoning-delta', text: 'unproven' },
      { kind: 'text-delta', text: 'a' },
      { kind: 'reasoning-delta', text: 'proven' },
      { kind: 'reasoning-signature', signature: 's' },
      { kind: 'end' },
    ]
    const decoded = anthropicMessages
      .decoder()
      .push(Buffer.from(events.map((one) => encoder.encode(one)).join('')))
    expect(decoded.filter((event) => event.kind === 'reasoning-delta')).toEqual([
      { kind: 'reasoning-delta', text: 'proven', signed: true },
    ])
  })

  test('encrypted reasoning arrives whole', () => {
    const redacted: StreamEvent = { kind: 'reasoning-redacted', data: 'EroB' }
    const encoder = anthropicMessages.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    expect(anthropicMessages.decoder().push(Buffer.from(encoder.encode(redacted)))).toContainEqual(redacted)
    expect(translate([Buffer.from(encoder.encode(redacted))], 'openai-chat').frames).not.toContain('EroB')
  })
})
