// What a request can ask for, each with the smallest request that asks it: rows of docs/wire-formats.md.

import { type Message, type ModelRequest, NOT_ASKED, type Part } from '../core/model/message.js'

export interface RequestFeature {
  readonly name: string
  /** In the order of preference: a caller's format may know one of several ways to ask. */
  readonly requests: readonly ModelRequest[]
}

const HI: Message = { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }
const PLAIN: ModelRequest = {
  ...NOT_ASKED,
  model: 'm',
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

/** Asked by the user. */
function said(name: string, ...parts: readonly Part[]): RequestFeature {
  return feature(name, ...parts.map((part) => ({ messages: [{ role: 'user' as const, parts: [part] }] })))
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
  tools: [TOOL],
  messages: [HI, { role: 'assistant', parts: calls }, { role: 'user', parts: results }],
})
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
  said(
    'document, PDF bytes',
    { kind: 'document', source: PDF, title: 'a.pdf' },
    { kind: 'document', source: PDF },
  ),
  said('document, text', { kind: 'document', source: { kind: 'text', text: 'Words.' } }),
  said('document, URL', { kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } }),
  said('document to cite', { kind: 'document', source: PDF, title: 'a.pdf', cite: true }),
  feature('tools', { tools: [TOOL] }),
  feature('strict tools', { tools: [{ ...TOOL, strict: true }] }),
  feature('parallel calls and results', looked([call('a'), call('b')], [result('a'), result('b')])),
  feature('failed tool result', looked([call('a')], [result('a', { isError: true })])),
  feature(
    'tool result with an image',
    looked([call('a')], [result('a', { content: [{ kind: 'image', source: PNG }] })]),
  ),
  feature('tool choice: auto', { tools: [TOOL], toolChoice: { kind: 'auto' } }),
  feature('tool choice: none', { tools: [TOOL], toolChoice: { kind: 'none' } }),
  feature('tool choice: any', { tools: [TOOL], toolChoice: { kind: 'required' } }),
  feature('tool choice: one', { tools: [TOOL], toolChoice: { kind: 'tool', name: TOOL.name } }),
  feature('one call at a time', { tools: [TOOL], toolChoice: { kind: 'auto' }, parallelToolCalls: false }),
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
    model: 'claude-sonnet-4-5',
    reasoning: { effort: null, budgetTokens: 2_048, visible: true },
  }),
  answered('signed reasoning, sent back', { kind: 'reasoning', text: 'hm', signature: 's' }, call('a')),
  answered('encrypted reasoning, sent back', { kind: 'reasoning', text: '', redacted: 'r' }, call('a')),
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
