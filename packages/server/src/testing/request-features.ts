// What a request can ask for, each with the smallest request that asks it: rows of docs/wire-formats.md.

import type { JsonObject } from '../core/json.js'
import { type Message, type ModelRequest, NOT_ASKED, type Part } from '../core/model/message.js'
import type { CallerWire } from '../core/release/release.js'

export interface RequestFeature {
  readonly name: string
  /** In the order of preference: a caller's format may know one of several ways to ask. */
  readonly requests: readonly ModelRequest[]
  /** Bodies of callers' formats that ask for it, where ours say it in other words to a provider. */
  readonly bodies?: Partial<Record<CallerWire, unknown>>
}

/** What features ask that are of no one model. */
export const ANY_MODEL = 'm'

const HI: Message = { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }
const PLAIN: ModelRequest = {
  ...NOT_ASKED,
  model: ANY_MODEL,
  messages: [HI],
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  maxOutputTokens: 4_096,
  temperature: null,
  topP: null,
  stop: [],
  stream: false,
  includeUsage: true,
  json: null,
  user: null,
}
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const CLOSED = { ...SCHEMA, additionalProperties: false }
const TOOL = { name: 'get_weather', description: 'Now', parameters: CLOSED }
const MARK = { type: 'ephemeral' }
const PNG = { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0K' } as const
const PDF = { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' } as const

function feature(name: string, ...asks: readonly Partial<ModelRequest>[]): RequestFeature {
  return { name, requests: asks.map((ask) => ({ ...PLAIN, ...ask })) }
}

/** With tools: the Responses API has none that are neither strict nor not. */
function tooled(name: string, ask: Partial<ModelRequest> = {}): RequestFeature {
  return feature(name, { tools: [TOOL], ...ask }, { tools: [{ ...TOOL, strict: false }], ...ask })
}

/** Asked by the user. */
function said(name: string, ...parts: readonly Part[]): RequestFeature {
  return feature(name, ...parts.map((part) => ({ messages: [{ role: 'user' as const, parts: [part] }] })))
}

/** Not every format takes a document alone. */
function shown(name: string, ...documents: readonly Part[]): RequestFeature {
  const read: Part = { kind: 'text', text: 'Read.' }
  return feature(
    name,
    ...documents.map((part) => ({ messages: [{ role: 'user' as const, parts: [part, read] }] })),
  )
}

/** Answered before. */
function answered(name: string, ...parts: readonly Part[]): RequestFeature {
  return feature(name, { messages: [HI, { role: 'assistant', parts }, HI] })
}

const call = (id: string): Part => ({
  kind: 'tool-call',
  id,
  name: TOOL.name,
  argumentsJson: '{"city":"Rome"}',
})
const result = (id: string, more: Partial<Extract<Part, { kind: 'tool-result' }>> = {}): Part => ({
  kind: 'tool-result',
  callId: id,
  content: [{ kind: 'text', text: 'sun' }],
  isError: false,
  ...more,
})
const looked = (calls: readonly Part[], results: readonly Part[]): Partial<ModelRequest> => ({
  messages: [HI, { role: 'assistant', parts: calls }, { role: 'user', parts: results }],
})
/** As callers send it back whose formats have no such thing of their own. */
const sentBack = (block: JsonObject): JsonObject => ({
  model: 'm',
  max_tokens: 4_096,
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: [block, { type: 'text', text: 'Yes.' }] },
    { role: 'user', content: 'Hi' },
  ],
})
const itemBack = (item: JsonObject): JsonObject => ({
  model: 'm',
  max_output_tokens: 4_096,
  input: [
    { role: 'user', content: 'Hi' },
    { type: 'reasoning', ...item },
    { role: 'assistant', content: 'Yes.' },
    { role: 'user', content: 'Hi' },
  ],
})
const SUMMARY = [{ type: 'summary_text', text: 'hm' }]

const citation = {
  citedText: 'c',
  title: 't',
  url: null,
  documentIndex: 0,
  location: { unit: 'page', start: 1, end: 2 },
  span: null,
} as const

export const REQUEST_FEATURES: readonly RequestFeature[] = [
  feature('text', {}),
  feature('system prompt', { messages: [{ role: 'system', parts: [{ kind: 'text', text: 'Brief.' }] }, HI] }),
  feature('several turns', {
    messages: [HI, { role: 'assistant', parts: [{ kind: 'text', text: 'Hello.' }] }, HI],
  }),
  said('image, bytes', { kind: 'image', source: PNG }),
  said('image, URL', { kind: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } }),
  said('image detail', { kind: 'image', source: PNG, detail: 'low' }),
  shown(
    'document, PDF bytes',
    { kind: 'document', source: PDF, title: 'a.pdf' },
    { kind: 'document', source: PDF },
  ),
  shown('document, text', { kind: 'document', source: { kind: 'text', text: 'Words.' } }),
  shown('document, URL', { kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } }),
  shown('document to cite', { kind: 'document', source: PDF, title: 'a.pdf', cite: true }),
  tooled('tools'),
  feature('strict tools', { tools: [{ ...TOOL, strict: true }] }),
  tooled('parallel calls and results', looked([call('a'), call('b')], [result('a'), result('b')])),
  tooled('failed tool result', looked([call('a')], [result('a', { isError: true })])),
  tooled(
    'tool result with an image',
    looked([call('a')], [result('a', { content: [{ kind: 'image', source: PNG }] })]),
  ),
  tooled('tool choice: auto', { toolChoice: { kind: 'auto' } }),
  tooled('tool choice: none', { toolChoice: { kind: 'none' } }),
  tooled('tool choice: any', { toolChoice: { kind: 'required' } }),
  tooled('tool choice: one', { toolChoice: { kind: 'tool', name: TOOL.name } }),
  tooled('one call at a time', { toolChoice: { kind: 'auto' }, parallelToolCalls: false }),
  feature('JSON object', { json: { name: 'answer', schema: null, strict: false } }),
  feature('JSON schema', { json: { name: 'answer', schema: CLOSED, strict: true } }),
  feature(
    'reasoning effort',
    { reasoning: { effort: 'low', budgetTokens: null, visible: false } },
    { reasoning: { effort: 'low', budgetTokens: null, visible: true } },
  ),
  feature('no reasoning', { reasoning: { effort: 'none', budgetTokens: null, visible: false } }),
  feature('reasoning budget', {
    // Newer Claude models take none.
    model: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    reasoning: { effort: null, budgetTokens: 2_048, visible: true },
  }),
  {
    ...answered(
      "Claude's reasoning, sent back",
      { kind: 'reasoning', text: 'hm', signature: 's' },
      call('a'),
    ),
    bodies: {
      'openai-responses': itemBack({ id: 'rs_spillway_1_0', summary: SUMMARY, encrypted_content: 's' }),
    },
  },
  {
    ...answered("Claude's encrypted reasoning", { kind: 'reasoning', text: '', redacted: 'r' }, call('a')),
    bodies: { 'openai-responses': itemBack({ id: 'rs_spillway_1_0', summary: [], encrypted_content: 'r' }) },
  },
  {
    name: "OpenAI's reasoning, sent back",
    requests: [],
    bodies: {
      'openai-responses': itemBack({ id: 'rs_1', summary: SUMMARY, encrypted_content: 's' }),
      'anthropic-messages': sentBack({ type: 'thinking', thinking: 'hm', signature: 'openai:rs_1:s' }),
    },
  },
  {
    name: "Gemini's reasoning, sent back",
    requests: [],
    bodies: {
      'openai-responses': itemBack({
        id: 'rs_spillway_1_0',
        summary: SUMMARY,
        encrypted_content: 'gemini:s',
      }),
      'anthropic-messages': sentBack({ type: 'thinking', thinking: 'hm', signature: 'gemini:s' }),
    },
  },
  said('cache mark on content', { kind: 'text', text: 'Hi', cacheControl: MARK }),
  feature('cache mark on a tool', { tools: [{ ...TOOL, cacheControl: MARK }] }),
  answered('citations, sent back', { kind: 'text', text: 'So.', citations: [citation] }),
  answered('refusal, sent back', { kind: 'refusal', text: 'No.' }),
  feature('temperature', { temperature: 0.5 }),
  feature('top_p', { topP: 0.5 }),
  feature('top_k', { topK: 5 }),
  feature('seed', { seed: 7 }),
  feature('penalties', { presencePenalty: 0.5, frequencyPenalty: 0.5 }),
  feature('stop sequences', { stop: ['END', 'STOP'] }),
  feature('log probabilities', { topLogprobs: 2 }),
  feature("end user's id", { user: 'u' }),
]
