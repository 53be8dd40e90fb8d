// Answers of the device in the shapes that answers of the server have, whole and as a stream, so that an
// application reads both alike.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import { deviceRequestOfChat, deviceRequestOfMessages } from './device-request.js'
import type { DeviceAnswer } from './rule.js'
import type { DeviceRequest } from './runner.js'

/** Who answers, and under which id. */
export interface DeviceHead {
  readonly id: string
  readonly model: string
  readonly taskId: string
  readonly nowMs: number
}

/** One of the formats in which calls are made. */
export interface DeviceFormat {
  /** null: not a call for a device. */
  readonly requestOf: (body: object) => DeviceRequest | null
  readonly whole: (head: DeviceHead, answer: DeviceAnswer) => object
  /** The events of a stream: before, for each piece of text, and after, as `data` of server-sent events. */
  readonly begin: (head: DeviceHead) => readonly unknown[]
  readonly piece: (head: DeviceHead, text: string) => readonly unknown[]
  readonly end: (head: DeviceHead, answer: DeviceAnswer, body: object) => readonly unknown[]
}

/** The headers by which every answer says who gave it. */
export function deviceHeaders({ model, taskId }: DeviceHead): Headers {
  return new Headers({
    [RESPONSE_HEADERS.taskId]: taskId,
    [RESPONSE_HEADERS.model]: model,
    [RESPONSE_HEADERS.deployment]: `on-device/${model}`,
    [RESPONSE_HEADERS.route]: 'on-device',
    [RESPONSE_HEADERS.cache]: 'off',
    [RESPONSE_HEADERS.attempts]: '1',
    [RESPONSE_HEADERS.costUsd]: '0',
  })
}

export function eventText(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

export const CHAT_ON_DEVICE: DeviceFormat = {
  requestOf: deviceRequestOfChat,
  whole: (head, answer) => ({
    ...chatHead(head, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answer.text, refusal: null },
        logprobs: null,
        finish_reason: answer.finishReason,
      },
    ],
    ...chatUsage(answer),
  }),
  begin: (head) => [chatChunk(head, { role: 'assistant', content: '' }, null)],
  piece: (head, content) => [chatChunk(head, { content }, null)],
  end: (head, answer, body) => [
    chatChunk(head, {}, answer.finishReason),
    ...(wantsUsage(body) && answer.usage !== null
      ? [{ ...chatHead(head, 'chat.completion.chunk'), choices: [], ...chatUsage(answer) }]
      : []),
    '[DONE]',
  ],
}

function chatHead({ id, model, nowMs }: DeviceHead, object: string) {
  return { id: `chatcmpl-${id}`, object, created: Math.floor(nowMs / 1_000), model }
}

function chatChunk(head: DeviceHead, delta: object, finishReason: string | null) {
  const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason }
  return { ...chatHead(head, 'chat.completion.chunk'), choices: [choice] }
}

function chatUsage({ usage }: DeviceAnswer) {
  if (usage === null) return {}
  const { inputTokens, outputTokens } = usage
  const total = inputTokens + outputTokens
  return { usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: total } }
}

function wantsUsage(body: object): boolean {
  const { stream_options: asked } = body as { readonly stream_options?: unknown }
  return (
    typeof asked === 'object' && asked !== null && 'include_usage' in asked && asked.include_usage === true
  )
}

export const MESSAGES_ON_DEVICE: DeviceFormat = {
  requestOf: deviceRequestOfMessages,
  whole: (head, answer) => ({
    ...messageHead(head),
    content: [{ type: 'text', text: answer.text }],
    stop_reason: stopReason(answer),
    usage: messageUsage(answer),
  }),
  begin: (head) => [
    { type: 'message_start', message: { ...messageHead(head), usage: messageUsage(null) } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ],
  piece: (_, text) => [{ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }],
  end: (_, answer) => [
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason(answer), stop_sequence: null },
      usage: messageUsage(answer),
    },
    { type: 'message_stop' },
  ],
}

function messageHead({ id, model }: DeviceHead) {
  const open = { content: [], stop_reason: null, stop_sequence: null }
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, ...open }
}

function stopReason({ finishReason }: DeviceAnswer): string {
  return finishReason === 'length' ? 'max_tokens' : 'end_turn'
}

/** This format has no way to say "not counted": 0 stands for it. */
function messageUsage(answer: DeviceAnswer | null) {
  return {
    input_tokens: answer?.usage?.inputTokens ?? 0,
    output_tokens: answer?.usage?.outputTokens ?? 0,
  }
}
