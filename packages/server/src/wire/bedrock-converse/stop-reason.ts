// Stop reasons of Converse.

import type { FinishReason } from '../../core/model/message.js'

const OURS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
  malformed_model_output: 'other',
  malformed_tool_use: 'other',
}

export function decodeStopReason(raw: string): FinishReason {
  return Object.hasOwn(OURS, raw) ? (OURS[raw] ?? 'other') : 'other'
}

/** Told only when the request asked for it (`additionalModelResponseFieldPaths`), and by some models. */
export function stopSequenceOf(fields: unknown): string | null {
  const sequence =
    typeof fields === 'object' && fields !== null && 'stop_sequence' in fields ? fields.stop_sequence : null
  return typeof sequence === 'string' && sequence !== '' ? sequence : null
}
