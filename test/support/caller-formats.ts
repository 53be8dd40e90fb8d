// The three formats in which a caller asks a model, each whole and streamed, for journeys that hold in all.

import type { OpenedTask, StepAccepted, TaskTraceView } from '@spillway/protocol'
import { eventsOf } from './dialects.js'
import { type Answered, request } from './http.js'
import { LIMIT_USD, SCRIPTED_KEY, type Scripted } from './vendors/scripted.js'

type Fields = Readonly<Record<string, unknown>>

export interface CallerFormat {
  readonly name: 'chat' | 'messages' | 'responses'
  readonly path: string
  body(text: string): Fields
  /** The providers that are asked in the same format. */
  readonly same: readonly string[]
  /** What a stream that is whole ends with. */
  readonly ends: RegExp
  /** Text of an answer, whole or streamed. */
  textOf(answered: Answered): string
}

const chatMessages = (content: string) => ({ messages: [{ role: 'user', content }] })

const CHAT: CallerFormat = {
  name: 'chat',
  path: '/v1/chat/completions',
  same: ['azure', 'openai', 'vllm'],
  body: (text) => ({ ...chatMessages(text), max_tokens: 100 }),
  ends: /^data: \[DONE\]$/m,
  textOf: ({ body }) =>
    partsOf(body)
      .flatMap((one) => (one['choices'] ?? []) as readonly Record<string, Fields | undefined>[])
      .map(({ message, delta }) => textIn(message?.['content'] ?? delta?.['content']))
      .join(''),
}

const MESSAGES: CallerFormat = {
  name: 'messages',
  path: '/v1/messages',
  same: ['anthropic'],
  body: (text) => ({ ...chatMessages(text), max_tokens: 100 }),
  ends: /^event: message_stop$/m,
  textOf: ({ body }) =>
    partsOf(body)
      .flatMap((one) => [...((one['content'] ?? []) as readonly Fields[]), (one['delta'] ?? {}) as Fields])
      .map(({ text }) => textIn(text))
      .join(''),
}

const RESPONSES: CallerFormat = {
  name: 'responses',
  path: '/v1/responses',
  same: ['openai'],
  body: (text) => ({ input: text, max_output_tokens: 100, store: false }),
  ends: /^event: response\.(?:completed|incomplete)$/m,
  textOf: ({ body }) =>
    typeof body === 'string'
      ? eventsOf(body)
          .filter(({ type }) => type === 'response.output_text.delta')
          .map(({ delta }) => textIn(delta))
          .join('')
      : ((body as Fields)['output'] as readonly Fields[])
          .flatMap(({ content }) => (content ?? []) as readonly Fields[])
          .map(({ text }) => textIn(text))
          .join(''),
}

export const FORMATS: readonly CallerFormat[] = [CHAT, MESSAGES, RESPONSES]

export interface Way {
  readonly format: CallerFormat
  readonly stream: boolean
  readonly name: string
}

export const EVERY_WAY: readonly Way[] = FORMATS.flatMap((format) => [
  { format, stream: false, name: `${format.name}, whole` },
  { format, stream: true, name: `${format.name}, streamed` },
])

function partsOf(body: unknown): readonly Fields[] {
  return typeof body === 'string' ? eventsOf(body) : [body as Fields]
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The error a stream was broken off with, or null. */
export function inBandError(stream: string): Fields | null {
  const event = eventsOf(stream).find((one) => typeof one['error'] === 'object' && one['error'] !== null)
  return event === undefined ? null : (event['error'] as Fields)
}

export interface Told {
  readonly answer: Answered
  /** The whole body, as text. */
  readonly text: string
  readonly trace: TaskTraceView
  /** What the ledger says is spent; and is nothing held any more? */
  readonly spentUsd: number
  readonly heldUsd: number
}

export interface Ask {
  readonly contract: string
  readonly model?: string
  readonly more?: Fields
  /** Sees what has come so far of a stream. */
  readonly watch?: (text: string) => void
}

async function readAll({ body }: Response, watch: Ask['watch']): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    watch?.(text)
  }
  return text
}

/** Opens a task, asks once within it, and looks at the books. */
export async function askOnce(at: Scripted, { format, stream }: Way, ask: Ask): Promise<Told> {
  const headers = { authorization: `Bearer ${SCRIPTED_KEY}` }
  const send = (path: string, body?: unknown) =>
    request(at.server.url + path, { headers, ...(body !== undefined && { body }) })
  const { id } = (await send('/v1/tasks', { contract: ask.contract })).body as OpenedTask
  const body = { model: ask.model ?? ask.contract, ...format.body('Hello?'), ...(stream && { stream }) }
  const response = await fetch(at.server.url + format.path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers, 'x-spillway-task-id': id },
    body: JSON.stringify({ ...body, ...ask.more }),
  })
  const text = await readAll(response, ask.watch)
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const parsed = isJson ? (JSON.parse(text) as unknown) : text
  const answer = { status: response.status, headers: response.headers, body: parsed }
  const trace = (await send(`/v1/tasks/${id}/trace`)).body as TaskTraceView
  const step = { kind: 'custom', name: 'balance', started_at: '2026-01-31T09:30:00Z', duration_ms: 0 }
  const { task } = (await send(`/v1/tasks/${id}/steps`, step)).body as StepAccepted
  const spentUsd = task.spent.cost_usd
  const heldUsd = LIMIT_USD - spentUsd - (task.remaining.cost_usd ?? NaN)
  return { answer, text, trace, spentUsd, heldUsd: Math.round(heldUsd * 1e9) / 1e9 }
}
