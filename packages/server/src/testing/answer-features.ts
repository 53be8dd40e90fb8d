// What an answer can tell, each with the smallest answer that tells it: rows of docs/wire-formats.md.

import type { Citation, Part } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import type { ModelAnswer } from '../wire/format.js'

export interface AnswerFeature {
  readonly name: string
  readonly answer: ModelAnswer
  /** Is it still there? */
  readonly isIn: (answer: ModelAnswer) => boolean
}

const TEXT: Part = { kind: 'text', text: 'Yes.' }
const USED = { ...NO_TOKENS, input: 10, output: 5 }
const PLAIN: ModelAnswer = {
  id: 'x',
  model: 'm',
  parts: [TEXT],
  finishReason: 'stop',
  rawFinishReason: null,
  stopSequence: null,
  usage: usageOf({}),
}

function usageOf(more: Partial<typeof NO_TOKENS>): ModelAnswer['usage'] {
  return { tokens: { ...USED, ...more }, providerTotals: { input: null, output: null, total: null } }
}

const ofPage: Citation = {
  citedText: 'c',
  title: 't',
  url: 'https://example.com/',
  documentIndex: null,
  location: null,
  span: { start: 0, end: 4 },
}
const ofDocument: Citation = {
  citedText: 'c',
  title: 't',
  url: null,
  documentIndex: 0,
  location: { unit: 'page', start: 1, end: 2 },
  span: { start: 0, end: 4 },
}
const call = (id: string): Part => ({ kind: 'tool-call', id, name: 'f', argumentsJson: '{"a":1}' })

function told(name: string, parts: readonly Part[], isTold: (part: Part) => boolean): AnswerFeature {
  const count = parts.filter(isTold).length
  return {
    name,
    answer: { ...PLAIN, parts },
    isIn: (answer) => answer.parts.filter(isTold).length === count,
  }
}

function ends(name: string, more: Partial<ModelAnswer>): AnswerFeature {
  return {
    name,
    answer: { ...PLAIN, ...more },
    isIn: (answer) =>
      answer.finishReason === (more.finishReason ?? 'stop') &&
      answer.stopSequence === (more.stopSequence ?? null),
  }
}

function used(name: string, tokens: Partial<typeof NO_TOKENS>): AnswerFeature {
  const wanted = JSON.stringify({ ...USED, ...tokens })
  return {
    name,
    answer: { ...PLAIN, usage: usageOf(tokens) },
    isIn: (answer) => JSON.stringify(answer.usage?.tokens) === wanted,
  }
}

const cites = (part: Part, isOne: (citation: Citation) => boolean): boolean =>
  part.kind === 'text' && part.citations?.some(isOne) === true

export const ANSWER_FEATURES: readonly AnswerFeature[] = [
  told('text', [TEXT], (part) => part.kind === 'text' && part.text === 'Yes.'),
  told(
    'parallel tool calls',
    [TEXT, call('a'), call('b')],
    (part) => part.kind === 'tool-call' && part.argumentsJson === '{"a":1}',
  ),
  told(
    'reasoning',
    [{ kind: 'reasoning', text: 'hm' }, TEXT],
    (part) => part.kind === 'reasoning' && part.text === 'hm',
  ),
  told(
    'signed reasoning',
    [{ kind: 'reasoning', text: 'hm', signature: 's' }, TEXT],
    (part) =>
      part.kind === 'reasoning' && part.signature !== undefined && /^(?:gemini:)?s$/.test(part.signature),
  ),
  told(
    'encrypted reasoning',
    [{ kind: 'reasoning', text: '', redacted: 'cmVk' }, TEXT],
    (part) => part.kind === 'reasoning' && part.redacted === 'cmVk',
  ),
  told('citation of a web page', [{ kind: 'text', text: 'Yes.', citations: [ofPage] }], (part) =>
    cites(part, ({ url }) => url === ofPage.url),
  ),
  told('citation of a document', [{ kind: 'text', text: 'Yes.', citations: [ofDocument] }], (part) =>
    cites(part, ({ location }) => location?.unit === 'page' && location.start === 1),
  ),
  told('refusal, in its own field', [{ kind: 'refusal', text: 'No.' }], (part) => part.kind === 'refusal'),
  {
    name: 'log probabilities',
    answer: { ...PLAIN, logprobs: [{ token: 'Yes.', logprob: -0.5, top: [] }] },
    isIn: ({ logprobs }) => logprobs?.[0]?.logprob === -0.5,
  },
  ends('end: done', {}),
  ends('end: limit', { finishReason: 'length' }),
  ends('end: tool calls', { finishReason: 'tool-calls', parts: [call('a')] }),
  ends('end: refused', { finishReason: 'refusal' }),
  ends('end: which stop sequence', { stopSequence: 'END' }),
  used('usage', {}),
  used('usage: cache read', { cacheRead: 3 }),
  used('usage: cache write', { cacheWrite: 3 }),
  used('usage: cache write for an hour', { cacheWrite1h: 3 }),
  used('usage: reasoning', { reasoning: 3 }),
  used('usage: audio', { audioInput: 3, audioOutput: 2 }),
]
