// The simulator's answers as Anthropic writes them, byte for byte: messages whole and streamed.

import type { EncodeOptions } from './encode-openai.js'
import type { Piece, UsageReport } from './script.js'
import { NO_CHOICE, type SimAnswer, type SimChoice, type SimToolCall } from './sim-answer.js'
import type { SimRequest } from './sim-request.js'

export function encodeMessage(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Piece {
  const choice = answer.choices[0] ?? NO_CHOICE
  const content =
    choice.toolCalls.length > 0
      ? choice.toolCalls.map((call) => ({
          type: 'tool_use',
          id: callId(call),
          name: call.name,
          input: inputOf(call),
        }))
      : [{ type: 'text', text: choice.tokens.join('') }]
  const body = {
    ...messageHead(request, answer),
    content,
    stop_reason: stopReason(choice),
    stop_sequence: choice.stopSequence,
    ...(options.usage === null ? {} : { usage: usageObject(options.usage) }),
  }
  return { text: JSON.stringify(body), tokensSoFar: answer.outputTokens, reports: options.usage }
}

/** Arguments that the limit cut are not JSON; the object stays empty then. */
function inputOf(call: SimToolCall): unknown {
  try {
    return JSON.parse(call.pieces.join(''))
  } catch {
    return {}
  }
}

/** Events in the order the API sends them; `message_stop` is the last piece. */
export function encodeMessageEvents(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Piece[] {
  const choice = answer.choices[0] ?? NO_CHOICE
  const { usage } = options
  const pieces: Piece[] = []
  let tokens = 0
  const push = (data: { readonly type: string }, reports: UsageReport | null = null): void => {
    pieces.push({ text: eventFrame(data), tokensSoFar: tokens, reports })
  }
  const message = {
    ...messageHead(request, answer),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(usage === null ? {} : { usage: usageObject({ inputTokens: usage.inputTokens, outputTokens: 1 }) }),
  }
  push(
    event('message_start', { message }),
    usage === null ? null : { inputTokens: usage.inputTokens, outputTokens: null },
  )
  blocksOf(choice).forEach((block, index) => {
    push(event('content_block_start', { index, content_block: block.start }))
    if (index === 0) push({ type: 'ping' })
    if (block.opening !== null) push(event('content_block_delta', { index, delta: block.opening }))
    tokens += block.startTokens
    for (const delta of block.deltas) {
      tokens += 1
      push(event('content_block_delta', { index, delta }))
    }
    push(event('content_block_stop', { index }))
  })
  const delta = { stop_reason: stopReason(choice), stop_sequence: choice.stopSequence }
  const totals = usage === null ? {} : { usage: { output_tokens: usage.outputTokens } }
  push(
    event('message_delta', { delta, ...totals }),
    usage === null ? null : { inputTokens: null, outputTokens: usage.outputTokens },
  )
  push({ type: 'message_stop' })
  return pieces
}

interface Block {
  readonly start: Readonly<Record<string, unknown>>
  /** An empty first delta, as the API sends for tools. */
  readonly opening: Readonly<Record<string, unknown>> | null
  readonly startTokens: number
  readonly deltas: readonly Readonly<Record<string, unknown>>[]
}

function blocksOf(choice: SimChoice): Block[] {
  if (choice.toolCalls.length === 0) {
    const deltas = choice.tokens.map((text) => ({ type: 'text_delta', text }))
    return [{ start: { type: 'text', text: '' }, opening: null, startTokens: 0, deltas }]
  }
  return choice.toolCalls.map((call) => ({
    start: { type: 'tool_use', id: callId(call), name: call.name, input: {} },
    opening: { type: 'input_json_delta', partial_json: '' },
    startTokens: 1,
    deltas: call.pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
  }))
}

function event(type: string, fields: Readonly<Record<string, unknown>>): { type: string } {
  return { type, ...fields }
}

function eventFrame(data: { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The error event a stream ends with when the server fails in the middle of it. */
export function anthropicErrorFrame(body: string): string {
  return `event: error\ndata: ${body}\n\n`
}

function messageHead(request: SimRequest, answer: SimAnswer): Record<string, unknown> {
  return { id: `msg_${answer.id}`, type: 'message', role: 'assistant', model: request.model }
}

function callId(call: SimToolCall): string {
  return `toolu_${call.id}`
}

function stopReason(choice: SimChoice): string {
  switch (choice.finish) {
    case 'length':
      return 'max_tokens'
    case 'tool-calls':
      return 'tool_use'
    case 'stop-sequence':
      return 'stop_sequence'
    case 'stop':
      return 'end_turn'
  }
}

function usageObject(usage: {
  readonly inputTokens: number
  readonly outputTokens: number
}): Record<string, unknown> {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.outputTokens,
    service_tier: 'standard',
  }
}
