// The ways of asking for an answer, so that a journey can be told once and run in all.

import { type Answered, errorOf } from './http.js'

export interface Ask {
  /** Default `gpt-4o-mini`. */
  readonly model?: string
  /** One question, or turns of user and assistant in order. */
  readonly text: string | readonly string[]
  /** Default 64. */
  readonly maxTokens?: number
  readonly stream?: boolean
  /** More members of the body. */
  readonly more?: Readonly<Record<string, unknown>>
}

export interface Dialect {
  readonly name: 'chat' | 'messages' | 'responses'
  readonly path: string
  readonly body: (ask: Ask) => Readonly<Record<string, unknown>>
  /** The text of an answer, whole or streamed. */
  textOf(answered: Answered): string
  /** As the format calls it: `stop`, `length`; `end_turn`, `max_tokens`; `completed`, `incomplete`. */
  finishOf(answered: Answered): string | null
  readonly finish: { readonly complete: string; readonly cut: string }
  /** Does the text of a stream have its end marker? */
  isEnded(stream: string): boolean
  /** The error that a stream was broken off with, or null. */
  inBandError(stream: string): Record<string, unknown> | null
}

type Fields = Readonly<Record<string, unknown>>

/** The JSON of every `data:` line; end markers that are no JSON are left out. */
export function eventsOf(stream: string): readonly Fields[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Fields)
}

function messagesOf({ text }: Ask) {
  const turns = typeof text === 'string' ? [text] : text
  return turns.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }))
}

function bodyOf(ask: Ask) {
  const { model = 'gpt-4o-mini', maxTokens = 64, stream = false, more } = ask
  return { model, max_tokens: maxTokens, messages: messagesOf(ask), ...(stream && { stream }), ...more }
}

interface ChatChoice {
  readonly message?: { readonly content: string }
  readonly delta?: { readonly content?: string }
  readonly finish_reason: string | null
}

function chatChoices({ body }: Answered): readonly ChatChoice[] {
  const parts = typeof body === 'string' ? eventsOf(body) : [body as Fields]
  return parts.flatMap((part) => (part['choices'] as readonly ChatChoice[] | undefined) ?? [])
}

export const CHAT: Dialect = {
  name: 'chat',
  path: '/v1/chat/completions',
  body: bodyOf,
  textOf: (answered) =>
    chatChoices(answered)
      .map(({ message, delta }) => message?.content ?? delta?.content ?? '')
      .join(''),
  finishOf: (answered) =>
    chatChoices(answered)
      .map((choice) => choice.finish_reason)
      .findLast((reason) => reason !== null && reason !== undefined) ?? null,
  finish: { complete: 'stop', cut: 'length' },
  isEnded: (stream) => stream.includes('data: [DONE]'),
  inBandError: (stream) => errorIn(stream),
}

interface MessageEvent {
  readonly type: string
  readonly content?: readonly { readonly text?: string }[]
  readonly stop_reason?: string | null
  readonly delta?: { readonly text?: string; readonly stop_reason?: string | null }
}

function messageEvents({ body }: Answered): readonly MessageEvent[] {
  return typeof body === 'string'
    ? (eventsOf(body) as readonly unknown[] as readonly MessageEvent[])
    : [body as MessageEvent]
}

export const MESSAGES: Dialect = {
  name: 'messages',
  path: '/v1/messages',
  body: bodyOf,
  textOf: (answered) =>
    messageEvents(answered)
      .map(({ content, delta }) => content?.map(({ text }) => text ?? '').join('') ?? delta?.text ?? '')
      .join(''),
  finishOf: (answered) =>
    messageEvents(answered)
      .map((event) => event.stop_reason ?? event.delta?.stop_reason ?? null)
      .findLast((reason) => reason !== null) ?? null,
  finish: { complete: 'end_turn', cut: 'max_tokens' },
  isEnded: (stream) => stream.includes('"message_stop"'),
  inBandError: (stream) => errorIn(stream),
}

interface Response {
  readonly status: string
  readonly output: readonly { readonly content?: readonly { readonly text?: string }[] }[]
}

/** The whole response, or as it was when its stream ended. */
function responseOf({ body }: Answered): Response | undefined {
  if (typeof body !== 'string') return body as Response
  return eventsOf(body).findLast(({ type }) => ENDS.includes(type))?.['response'] as Response | undefined
}

const ENDS: readonly unknown[] = ['response.completed', 'response.incomplete']

export const RESPONSES: Dialect = {
  name: 'responses',
  path: '/v1/responses',
  body(ask) {
    const { max_tokens, messages, ...rest } = bodyOf(ask)
    return { ...rest, max_output_tokens: max_tokens, input: messages }
  },
  textOf(answered) {
    const { body } = answered
    const response = responseOf(answered)
    const deltas = typeof body === 'string' ? eventsOf(body).map(({ delta }) => delta) : []
    if (response === undefined) return deltas.filter((delta) => typeof delta === 'string').join('')
    const parts = response.output.flatMap(({ content = [] }) => content)
    return parts.map(({ text }) => text ?? '').join('')
  },
  finishOf: (answered) => responseOf(answered)?.status ?? null,
  finish: { complete: 'completed', cut: 'incomplete' },
  isEnded: (stream) => /^event: response\.(?:completed|incomplete)$/m.test(stream),
  // Every response has a member of that name.
  inBandError: (stream) => {
    const event = eventsOf(stream).find(({ type }) => type === 'error')
    return event === undefined ? null : (event['error'] as Record<string, unknown>)
  },
}

export const DIALECTS: readonly Dialect[] = [CHAT, MESSAGES, RESPONSES]

export interface Way {
  readonly dialect: Dialect
  readonly stream: boolean
}

/** For `test.each`: all dialects, and every way to ask, each with its name. */
export const BOTH = DIALECTS.map((dialect) => [dialect.name, dialect] as const)
export const WAYS = DIALECTS.flatMap((dialect) => [
  [`${dialect.name}, whole`, { dialect, stream: false }] as const,
  [`${dialect.name}, streamed`, { dialect, stream: true }] as const,
])

/** Is it all there? A whole answer is; a stream is when its end marker has come. */
export function hasEnded(dialect: Dialect, { body }: Answered): boolean {
  return typeof body !== 'string' || dialect.isEnded(body)
}

function errorIn(stream: string): Record<string, unknown> | null {
  const event = eventsOf(stream).find((one) => 'error' in one)
  return event === undefined ? null : (event['error'] as Record<string, unknown>)
}

/** Status and code of a refusal in one line: `429 budget.exhausted`; of an answer only `200`. */
export function endOf(answered: Answered): string {
  return answered.status < 400
    ? String(answered.status)
    : `${answered.status} ${String(errorOf(answered)['code'])}`
}
