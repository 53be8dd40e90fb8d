// Gemini behind callers who speak another format: requests, whole answers and streams.

import { describe, expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { geminiStream, valuesOf } from '../testing/recorded-streams.js'
import { anthropicTool, call, openAiTool, schema, use } from '../testing/translated-request.js'
import { readByAnthropic, readByOpenAi, translate } from '../testing/translated-stream.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { WireFormat } from './format.js'
import { gemini } from './gemini.js'
import { openAiChat } from './openai-chat.js'

function encoded(from: WireFormat, body: object) {
  const request = from.decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body })
  if (request.kind === 'invalid') throw new Error(JSON.stringify(request.problems))
  const result = gemini.encodeRequest({ ...request.value, model: 'gemini-3-pro-preview' })
  return result.kind === 'ok' ? result.value : { problems: result.problems.map(({ at }) => at) }
}

const DECLARED = [
  { functionDeclarations: [{ name: 'get_weather', description: 'Now', parametersJsonSchema: schema }] },
]

/** A signature that did not come with a call, in the documented words. */
const LOST = { thoughtSignature: 'skip_thought_signature_validator' }

describe('requests from OpenAI', () => {
  test('parallel calls, their results and everything around them', () => {
    const body = encoded(openAiChat, {
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [call('a', 'Paris'), call('b', 'Rome')] },
        { role: 'tool', tool_call_id: 'a', content: 'Rain' },
        { role: 'tool', tool_call_id: 'b', content: '{"sky":"clear"}' },
        { role: 'user', content: 'And?' },
      ],
      tools: [openAiTool],
      tool_choice: 'required',
      max_completion_tokens: 50,
      temperature: 2,
      top_p: 0.5,
      stop: 'END',
      response_format: { type: 'json_schema', json_schema: { name: 'w', schema } },
      stream: true,
    })
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        {
          role: 'user',
          parts: [{ text: 'Weather?' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }],
        },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'a', name: 'get_weather', args: { city: 'Paris' } }, ...LOST },
            { functionCall: { id: 'b', name: 'get_weather', args: { city: 'Rome' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'a', name: 'get_weather', response: { output: 'Rain' } } },
            { functionResponse: { id: 'b', name: 'get_weather', response: { output: '{"sky":"clear"}' } } },
            { text: 'And?' },
          ],
        },
      ],
      tools: DECLARED,
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
      generationConfig: {
        maxOutputTokens: 50,
        temperature: 2,
        topP: 0.5,
        stopSequences: ['END'],
        responseMimeType: 'application/json',
        responseJsonSchema: schema,
      },
    })
  })

  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    [
      { type: 'function', function: { name: 'f' } },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
  ])('tool choice %j is %j', (tool_choice, config) => {
    expect(encoded(openAiChat, { tools: [openAiTool], tool_choice })).toMatchObject({
      toolConfig: { functionCallingConfig: config },
    })
  })

  test('what has no word is refused by its name', () => {
    const body = { tools: [openAiTool], parallel_tool_calls: false }
    expect(encoded(openAiChat, body)).toEqual({ problems: ['parallel_tool_calls'] })
  })
})

describe('requests from Anthropic', () => {
  test('calls, failed results and everything around them', () => {
    const body = encoded(anthropicMessages, {
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'S' },
            { type: 'text', text: 'So.' },
            use('a', 'Paris'),
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'a', is_error: true, content: 'No network' }],
        },
      ],
      tools: [anthropicTool],
      tool_choice: { type: 'tool', name: 'get_weather' },
      max_tokens: 50,
    })
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Weather?' }] },
        {
          role: 'model',
          parts: [
            // Signed by another provider.
            { text: 'Hm.', thought: true },
            { text: 'So.' },
            { functionCall: { id: 'a', name: 'get_weather', args: { city: 'Paris' } }, ...LOST },
          ],
        },
        {
          role: 'user',
          parts: [{ functionResponse: { id: 'a', name: 'get_weather', response: { error: 'No network' } } }],
        },
      ],
      tools: DECLARED,
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_weather'] } },
      generationConfig: { maxOutputTokens: 50 },
    })
  })

  test('a signature of Gemini’s own comes back through an Anthropic caller as it was', () => {
    const parts = [
      { text: 'Hm.', thought: true, thoughtSignature: 'S1' },
      { text: 'So.', thoughtSignature: 'S2' },
    ]
    const said = gemini.decodeAnswer({ candidates: [{ content: { parts }, finishReason: 'STOP' }] })
    const message = said === null ? null : anthropicMessages.encodeAnswer(said, 1_700_000_000)
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: message?.['content'] },
      { role: 'user', content: 'And?' },
    ]
    expect(encoded(anthropicMessages, { messages, max_tokens: 5 })).toMatchObject({
      contents: [
        {},
        {
          parts: [
            { text: 'Hm.', thought: true, thoughtSignature: 'S1' },
            { text: 'So.' },
            { text: '', thoughtSignature: 'S2' },
          ],
        },
        {},
      ],
    })
  })

  test('an answer that is begun for the model is refused', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '{' },
    ]
    expect(encoded(anthropicMessages, { messages, max_tokens: 5 })).toEqual({ problems: ['messages'] })
  })
})

describe('whole answers', () => {
  function answerTo(to: WireFormat, candidate: object) {
    const answer = gemini.decodeAnswer({
      candidates: [{ index: 0, ...candidate }],
      usageMetadata: {
        promptTokenCount: 100,
        cachedContentTokenCount: 90,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 7,
        totalTokenCount: 112,
      },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'r1',
    })
    return answer === null ? null : to.encodeAnswer(answer, 1_700_000_000)
  }

  const parts = [
    { text: 'Hm.', thought: true },
    { text: 'So.' },
    { functionCall: { name: 'f', args: { a: 1 } } },
  ]

  test('for an OpenAI caller', () => {
    expect(answerTo(openAiChat, { content: { parts }, finishReason: 'STOP' })).toMatchObject({
      id: 'r1',
      choices: [
        {
          message: {
            content: 'So.',
            reasoning_content: 'Hm.',
            tool_calls: [
              { id: 'call_r1_0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 12,
        total_tokens: 112,
        prompt_tokens_details: { cached_tokens: 90 },
        completion_tokens_details: { reasoning_tokens: 7 },
      },
    })
  })

  test('for an Anthropic caller', () => {
    expect(answerTo(anthropicMessages, { content: { parts }, finishReason: 'STOP' })).toMatchObject({
      id: 'r1',
      content: [
        { type: 'text', text: 'So.' },
        { type: 'tool_use', id: 'call_r1_0', name: 'f', input: { a: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 12 },
    })
  })

  test.each([
    ['STOP', 'stop', 'end_turn'],
    ['MAX_TOKENS', 'length', 'max_tokens'],
    ['SAFETY', 'content_filter', 'refusal'],
    ['PROHIBITED_CONTENT', 'content_filter', 'refusal'],
  ])('%s is %s and %s', (finishReason, finish_reason, stop_reason) => {
    const candidate = { content: { parts: [{ text: 'x' }] }, finishReason }
    expect(answerTo(openAiChat, candidate)).toMatchObject({ choices: [{ finish_reason }] })
    expect(answerTo(anthropicMessages, candidate)).toMatchObject({ stop_reason })
  })
})

describe('streams', () => {
  const NAMES = [
    'text',
    'stop-in-every-frame',
    'usage-after-finish',
    'parallel-calls',
    'thoughts-and-call',
    'grounded',
  ]
  const crossed = (
    name: string,
    to: CallerWire,
    given: { keepUsage?: boolean; extra?: { cost_usd: number } } = {},
  ) => translate([geminiStream(name)], to, { from: 'gemini', ...given })

  test('for an OpenAI caller: text, usage, and one finish at the end', async () => {
    const completion = await readByOpenAi(crossed('text', 'openai-chat').frames)
    expect(completion).toMatchObject({
      id: 'mAitaLmkHPPlz7IPvtfUqQ4',
      model: 'asked-for',
      choices: [{ message: { content: 'Grüße, "usageMetadata": 😀!' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 8, total_tokens: 19 },
    })
    const { frames } = crossed('stop-in-every-frame', 'openai-chat')
    expect(frames.match(/"finish_reason":"stop"/g)).toHaveLength(1)
    expect((await readByOpenAi(frames)).choices[0]?.message.content).toBe('One two three')
  })

  test('the usage that counts is the last one, and carries what is spliced in', () => {
    const { passed, kept } = crossed('usage-after-finish', 'openai-chat', { extra: { cost_usd: 2 } })
    expect(passed).not.toContain('usage":{')
    expect(valuesOf(kept)).toMatchObject([
      { choices: [{ finish_reason: 'stop' }] },
      { usage: { prompt_tokens: 4, completion_tokens: 3 }, spillway: { cost_usd: 2 } },
      { done: true },
    ])
  })

  test('for an Anthropic caller: the input is told at the start, the output at the end', async () => {
    const message = await readByAnthropic(crossed('cached-tokens', 'anthropic-messages').frames)
    expect(message).toMatchObject({
      content: [{ type: 'text', text: 'Yes.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 22 },
    })
  })

  test('parallel calls arrive whole', async () => {
    const completion = await readByOpenAi(crossed('parallel-calls', 'openai-chat').frames)
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        tool_calls: [
          {
            id: 'call_mAitaLmkHPPlz7IPvtfUqQ4_0',
            function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
          },
          {
            id: 'call_mAitaLmkHPPlz7IPvtfUqQ4_1',
            function: { name: 'get_weather', arguments: '{"city":"Rome"}' },
          },
        ],
      },
    })
    const message = await readByAnthropic(crossed('parallel-calls', 'anthropic-messages').frames)
    expect(message).toMatchObject({
      content: [
        { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
        { type: 'tool_use', name: 'get_weather', input: { city: 'Rome' } },
      ],
      stop_reason: 'tool_use',
    })
  })

  test('a blocked prompt ends properly, as refused', async () => {
    const completion = await readByOpenAi(crossed('blocked-prompt', 'openai-chat').frames).catch(String)
    // The client reports the filter as an error of its own kind: it saw a proper end.
    expect(JSON.stringify(completion)).toMatch(/content.filter/i)
    const message = await readByAnthropic(crossed('blocked-prompt-vertex', 'anthropic-messages').frames)
    expect(message).toMatchObject({
      content: [{ type: 'text', text: 'The prompt could not be submitted.' }],
      stop_reason: 'refusal',
    })
  })

  test.each(NAMES)('%s: every split point gives the same frames', (name) => {
    const bytes = geminiStream(name)
    for (const to of ['openai-chat', 'anthropic-messages'] as const) {
      const { frames } = translate([bytes], to, { from: 'gemini' })
      for (let at = 1; at < bytes.length; at += 3) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
        expect(translate(chunks, to, { from: 'gemini' }).frames).toBe(frames)
      }
    }
  })

  test.each(['text', 'parallel-calls', 'thoughts-and-call', 'json', 'max-tokens', 'grounded'])(
    '%s: cut anywhere before its end it never ends cleanly',
    (name) => {
      const bytes = geminiStream(name)
      for (const to of ['openai-chat', 'anthropic-messages'] as const) {
        for (let at = 0; at < bytes.lastIndexOf('}'); at += 5) {
          const { frames, scanner } = translate([bytes.subarray(0, at)], to, { from: 'gemini' })
          expect(scanner.facts.ended).toBe(false)
          expect(frames).not.toMatch(/\[DONE\]|message_stop|"finish_reason":"/)
        }
      }
    },
  )

  test('an upstream error does not pass; the facts hold it', () => {
    const { frames, scanner } = crossed('error-in-band', 'openai-chat')
    expect(frames).not.toMatch(/overloaded|\[DONE\]/)
    expect(scanner.facts).toMatchObject({ ended: false, error: { type: 'UNAVAILABLE' } })
  })
})
