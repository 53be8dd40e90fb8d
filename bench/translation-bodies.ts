// What the bench of translation translates: a conversation of 20 KB with tools and results in either format,
// an answer, and frames of streams as the providers send them.

import type { JsonObject } from '../packages/server/src/core/json.js'
import type { Wire } from '../packages/server/src/core/release/release.js'
import type { ModelAnswer, WireFormat } from '../packages/server/src/wire/format.js'

const SENTENCE = 'The parcel left the depot on Tuesday, "express", and it has not arrived – 3 °C outside.\n'
const WORDS = SENTENCE.repeat(8)
const SCHEMA = {
  type: 'object',
  properties: { order: { type: 'string', description: SENTENCE }, day: { type: 'integer' } },
  required: ['order'],
}
const TURNS = Array.from({ length: 9 }, (_, index) => index)
const TOOLS = ['find_order', 'track_parcel', 'refund', 'escalate']

const openAi = {
  model: 'm',
  max_tokens: 500,
  temperature: 0.2,
  tools: TOOLS.map((name) => ({
    type: 'function',
    function: { name, description: WORDS.slice(0, 300), parameters: SCHEMA },
  })),
  messages: [
    { role: 'system', content: WORDS },
    ...TURNS.flatMap((turn) => [
      { role: 'user', content: WORDS },
      {
        role: 'assistant',
        content: WORDS.slice(0, 200),
        tool_calls: [
          {
            id: `call_${turn}`,
            type: 'function',
            function: { name: 'find_order', arguments: JSON.stringify({ order: SENTENCE, day: turn }) },
          },
        ],
      },
      { role: 'tool', tool_call_id: `call_${turn}`, content: WORDS },
    ]),
  ],
}

const anthropic = {
  model: 'm',
  max_tokens: 500,
  temperature: 0.2,
  tools: TOOLS.map((name) => ({ name, description: WORDS.slice(0, 300), input_schema: SCHEMA })),
  system: [{ type: 'text', text: WORDS }],
  messages: TURNS.flatMap((turn) => [
    { role: 'user', content: [{ type: 'text', text: WORDS }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: WORDS.slice(0, 200) },
        { type: 'tool_use', id: `t_${turn}`, name: 'find_order', input: { order: SENTENCE, day: turn } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t_${turn}`, content: WORDS }] },
  ]),
}
// The last turn asks for an answer, whichever format it is in.
const last = { role: 'user', content: 'And now?' }
openAi.messages.push(last)
anthropic.messages.push({ role: 'user', content: [{ type: 'text', text: 'And now?' }] })

const responses = {
  model: 'm',
  max_output_tokens: 500,
  temperature: 0.2,
  tools: TOOLS.map((name) => ({
    type: 'function',
    name,
    description: WORDS.slice(0, 300),
    parameters: SCHEMA,
    strict: false,
  })),
  instructions: WORDS,
  input: [
    ...TURNS.flatMap((turn) => [
      { role: 'user', content: [{ type: 'input_text', text: WORDS }] },
      { role: 'assistant', content: [{ type: 'output_text', text: WORDS.slice(0, 200), annotations: [] }] },
      {
        type: 'function_call',
        call_id: `call_${turn}`,
        name: 'find_order',
        arguments: JSON.stringify({ order: SENTENCE, day: turn }),
      },
      { type: 'function_call_output', call_id: `call_${turn}`, output: WORDS },
    ]),
    last,
  ],
}

export const BODIES = {
  'openai-chat': openAi,
  'openai-responses': responses,
  'anthropic-messages': anthropic,
} as const

export function answerIn(format: WireFormat): unknown {
  const counts = { input: 900, output: 300, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0 }
  const answer: ModelAnswer = {
    id: 'x',
    model: 'm',
    parts: [
      { kind: 'text', text: WORDS.repeat(2) },
      { kind: 'tool-call', id: 'c', name: 'refund', argumentsJson: JSON.stringify({ order: SENTENCE }) },
    ],
    finishReason: 'tool-calls',
    rawFinishReason: null,
    stopSequence: null,
    usage: {
      tokens: { ...counts, reasoning: 0, audioInput: 0, audioOutput: 0 },
      providerTotals: { input: null, output: null, total: null },
    },
  }
  return format.encodeAnswer(answer, 1_700_000_000)
}

interface Frames {
  readonly start: readonly Buffer[]
  /** A frame per token, of a few that are made once. */
  readonly delta: (index: number) => Buffer
}

const TOKENS = [' the', ' parcel', ' left', ' Tuesday', ',', ' gr\u00fcn', ' depot', ' of']

function repeated(frame: (token: string, index: number) => string): Frames['delta'] {
  const made = TOKENS.map((token, index) => Buffer.from(frame(token, index)))
  return (index) => made[index % made.length] ?? Buffer.alloc(0)
}

function chunk(delta: object): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: null }]
  const identity = { id: 'chatcmpl-B9MHDbslfkBeAs8l4', object: 'chat.completion.chunk', created: 1741570283 }
  const rest = { model: 'gpt-4o-mini-2024-07-18', service_tier: 'default', system_fingerprint: 'fp_067' }
  return `data: ${JSON.stringify({ ...identity, ...rest, choices, usage: null })}\n\n`
}

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

const openAiStart = [Buffer.from(chunk({ role: 'assistant', content: '' }))]
const anthropicStart = (block: object): readonly Buffer[] => {
  const usage = { input_tokens: 900, output_tokens: 1 }
  const message = { id: 'msg_01', type: 'message', role: 'assistant', model: 'claude', content: [], usage }
  return [
    Buffer.from(event('message_start', { message })),
    Buffer.from(event('content_block_start', { index: 0, content_block: block })),
  ]
}
const blockDelta = (delta: object): string => event('content_block_delta', { index: 0, delta })

const RESPONSES_ITEMS = {
  text: { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] },
  arguments: { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'f', arguments: '' },
}

function responsesFrames(kind: 'text' | 'arguments'): Frames {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-5', output: [] }
  const numbered = (type: string, sequence_number: number, fields: object): string =>
    event(`response.${type}`, { sequence_number, ...fields })
  const item = RESPONSES_ITEMS[kind]
  const place = { item_id: item.id, output_index: 0 }
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const start = [
    numbered('created', 0, { response }),
    numbered('output_item.added', 1, { output_index: 0, item }),
    ...(kind === 'text' ? [numbered('content_part.added', 2, { ...place, content_index: 0, part })] : []),
  ]
  return {
    start: start.map((frame) => Buffer.from(frame)),
    delta: repeated((delta) =>
      kind === 'text'
        ? numbered('output_text.delta', 9, { ...place, content_index: 0, delta, logprobs: [] })
        : numbered('function_call_arguments.delta', 9, { ...place, delta }),
    ),
  }
}

function geminiFrames(): Frames {
  // What was used grows with every frame.
  const frame = (text: string, index: number): string => {
    const candidates = [{ content: { parts: [{ text }], role: 'model' }, index: 0 }]
    const promptTokensDetails = [{ modality: 'TEXT', tokenCount: 900 }]
    const counts = { candidatesTokenCount: 3 * index + 4, totalTokenCount: 3 * index + 904 }
    const usageMetadata = { promptTokenCount: 900, ...counts, promptTokensDetails }
    const rest = { usageMetadata, modelVersion: 'gemini-2.5-flash', responseId: 'mAitaLmkHPPlz7IPvtfUqQ4' }
    return `data: ${spaced({ candidates, ...rest })}\r\n\r\n`
  }
  return { start: [Buffer.from(frame('The', 0))], delta: repeated(frame) }
}

/** As Gemini writes its JSON. */
function spaced(fields: object): string {
  return JSON.stringify(fields).replaceAll('":', '": ')
}

/** One event in the framing of AWS. */
type EventFrame = (type: string, payload: JsonObject) => Buffer

function bedrockFrames(kind: 'text' | 'arguments', eventFrame: EventFrame): Frames {
  const begun = eventFrame('messageStart', { role: 'assistant', p: 'abcdefg' })
  const start = { toolUse: { toolUseId: 't', name: 'f' } }
  const call = eventFrame('contentBlockStart', { contentBlockIndex: 0, start, p: 'abc' })
  const frame = (token: string, index: number): Buffer => {
    const delta = kind === 'text' ? { text: token } : { toolUse: { input: token } }
    // Padded to different lengths, as Bedrock does.
    const p = 'abcdefghijklmnopqrstuvwxyzABCDEF'.slice(0, 4 + 3 * index)
    return eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta, p })
  }
  const made = TOKENS.map(frame)
  return {
    start: kind === 'text' ? [begun] : [begun, call],
    delta: (index) => made[index % made.length] ?? Buffer.alloc(0),
  }
}

/** The formats whose streams are measured. */
export type Measured = Exclude<Wire, `${string}embeddings`>
type Kinds = Readonly<Partial<Record<'text' | 'arguments', Frames>>>

export function framesOf(eventFrame: EventFrame): Readonly<Record<Measured, Kinds>> {
  return {
    'openai-chat': {
      text: { start: openAiStart, delta: repeated((token) => chunk({ content: token })) },
      arguments: {
        start: [
          ...openAiStart,
          Buffer.from(
            chunk({
              tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }],
            }),
          ),
        ],
        delta: repeated((token) => chunk({ tool_calls: [{ index: 0, function: { arguments: token } }] })),
      },
    },
    'openai-responses': { text: responsesFrames('text'), arguments: responsesFrames('arguments') },
    'anthropic-messages': {
      text: {
        start: anthropicStart({ type: 'text', text: '' }),
        delta: repeated((text) => blockDelta({ type: 'text_delta', text })),
      },
      arguments: {
        start: anthropicStart({ type: 'tool_use', id: 't', name: 'f', input: {} }),
        delta: repeated((partial_json) => blockDelta({ type: 'input_json_delta', partial_json })),
      },
    },
    // Its calls come whole.
    gemini: { text: geminiFrames() },
    'bedrock-converse': {
      text: bedrockFrames('text', eventFrame),
      arguments: bedrockFrames('arguments', eventFrame),
    },
  }
}
