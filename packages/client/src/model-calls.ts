// Calls to models inside a task: one function for whole answers, one for streams. Never retried here:
// Spillway retries where it knows the budget, and a call that was lost on the way may have been paid for.

import { type Priority, REQUEST_HEADERS, type ReportedStep, type TaskBalance } from '@spillway/protocol'
import { type AnswerFacts, factsOf } from './answer-facts.js'
import type { Clock } from './clock.js'
import { AnswerStream, CHAT_STREAM, MESSAGES_STREAM, type StreamFormat } from './answer-stream.js'
import { type DeviceCall, NOT_TRIED, tryStream, tryWhole } from './on-device/device-first.js'
import { CHAT_ON_DEVICE, type DeviceFormat, MESSAGES_ON_DEVICE } from './on-device/device-format.js'
import type { OnDeviceOptions } from './on-device/rule.js'
import { textOfChat, textOfEmbeddings, textOfMessage } from './model-answers.js'
import { CLIENT_CODES, SpillwayError, isRecord } from './spillway-error.js'
import { type ApiRequest, type Transport, send, sendForJson } from './transport.js'

/** An answer of a model: the body as it came, its text, and what Spillway says about it. */
export interface Answer<T> {
  readonly answer: T
  /** Text of the first choice, or all text blocks; empty when the answer is a tool call or a vector. */
  readonly text: string
  readonly spillway: AnswerFacts
}

export interface ModelRoute {
  readonly path: string
  readonly textOf: (body: unknown) => string | null
  readonly stream: StreamFormat | null
  readonly headers: Readonly<Record<string, string>>
  /** How a device answers here; null where none can. */
  readonly device: DeviceFormat | null
}

type StreamedRoute = ModelRoute & { readonly stream: StreamFormat }

export const CHAT: StreamedRoute = {
  path: '/v1/chat/completions',
  textOf: textOfChat,
  stream: CHAT_STREAM,
  headers: {},
  device: CHAT_ON_DEVICE,
}

export const MESSAGES: StreamedRoute = {
  path: '/v1/messages',
  textOf: textOfMessage,
  stream: MESSAGES_STREAM,
  headers: { 'anthropic-version': '2023-06-01' },
  device: MESSAGES_ON_DEVICE,
}

export const EMBEDDINGS: ModelRoute = {
  path: '/v1/embeddings',
  textOf: textOfEmbeddings,
  stream: null,
  headers: {},
  device: null,
}

/** On whose account calls are made. */
export interface CallContext {
  readonly transport: Transport
  /** In the server's time. */
  readonly clock: Clock
  readonly taskId: string
  /** The `model` of calls that name none: the contract, so that its route decides. */
  readonly contract: string
  readonly priority: Priority | undefined
  readonly signal: AbortSignal
  /** Of the task's time, ms. */
  readonly leftMs: () => number
  /** Is given each call on the device as it starts. */
  readonly reportDevice: (step: Promise<ReportedStep>) => void
  /** Hears where the budget stands, each time Spillway says so. */
  readonly onBalance: (balance: TaskBalance) => void
}

/** Headers that make any HTTP call part of the task. */
export function taskHeaders(
  context: Pick<CallContext, 'taskId' | 'priority'>,
): Readonly<Record<string, string>> {
  const headers = { [REQUEST_HEADERS.taskId]: context.taskId }
  return context.priority === undefined
    ? headers
    : { ...headers, [REQUEST_HEADERS.priority]: context.priority }
}

export interface ModelCall {
  readonly body: object
  /** null: straight to the server. */
  readonly onDevice: OnDeviceOptions | null
}

export async function callModel<T>(
  context: CallContext,
  route: ModelRoute,
  call: ModelCall,
): Promise<Answer<T>> {
  const device = deviceCallOf(context, route, call)
  const { answer: made, end } = device === null ? NOT_TRIED : await tryWhole(device)
  const tried = end === null ? {} : { on_device: end }
  if (made !== null) {
    // Made in the route's own format, by `DeviceFormat`; T says what the caller reads of it.
    const spillway = { ...factsOf(made.headers, made.body), ...tried }
    return { answer: made.body as T, text: made.text, spillway }
  }
  const { body } = call
  // Embeddings know no streams; the member would be an unknown one there.
  const asked = route.stream === null ? body : { ...body, stream: false }
  const { body: answer, headers } = await sendForJson(context.transport, requestOf(context, route, asked))
  const text = route.textOf(answer)
  if (text === null || !isRecord(answer)) {
    const message = `${route.path} answered JSON of an unexpected shape`
    throw new SpillwayError({ code: CLIENT_CODES.badAnswer, status: 200, message, taskId: context.taskId })
  }
  const spillway = { ...factsOf(headers, answer), ...tried }
  if (spillway.task !== null) context.onBalance(spillway.task)
  // The shape beyond what `textOf` looked at is the provider's; T says what the caller expects of it.
  return { answer: answer as T, text, spillway }
}

export function streamModel<Event>(
  context: CallContext,
  route: StreamedRoute,
  call: ModelCall,
): AnswerStream<Event> {
  const device = deviceCallOf(context, route, call)
  const request = requestOf(context, route, { ...call.body, stream: true })
  return new AnswerStream<Event>({
    format: route.stream,
    signal: context.signal,
    async open() {
      const { answer, end } = device === null ? NOT_TRIED : await tryStream(device)
      return { response: answer ?? (await send(context.transport, request)), onDevice: end }
    },
    onFacts: (facts) => {
      if (facts.task !== null) context.onBalance(facts.task)
    },
  })
}

/** null: not to be tried on a device. */
function deviceCallOf(
  context: CallContext,
  { device: format }: ModelRoute,
  { body, onDevice: options }: ModelCall,
): DeviceCall | null {
  if (options === null || format === null) return null
  const { taskId, clock, signal, leftMs, reportDevice: report } = context
  return { options, format, body, taskId, clock, signal, leftMs, report }
}

function requestOf(context: CallContext, route: ModelRoute, body: object): ApiRequest {
  return {
    method: 'POST',
    path: route.path,
    body: { model: context.contract, ...body },
    headers: { ...route.headers, ...taskHeaders(context) },
    signal: context.signal,
  }
}
