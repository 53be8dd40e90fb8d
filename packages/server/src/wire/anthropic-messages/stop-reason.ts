// Stop reasons of the Messages API, both ways.

import type { FinishReason } from '../../core/model/message.js'

const OURS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'refusal',
}

export function decodeStopReason(raw: string): FinishReason {
  return Object.hasOwn(OURS, raw) ? (OURS[raw] ?? 'other') : 'other'
}

/**
 * Calls always end with `tool_use`, whatever the provider called it: clients run tools on that word alone.
 */
export function encodeStopReason(
  reason: FinishReason,
  said: { calls: boolean; stopSequence: string | null },
): string {
  if (reason === 'length') return 'max_tokens'
  if (reason === 'refusal') return 'refusal'
  if (reason === 'tool-calls' || said.calls) return 'tool_use'
  return said.stopSequence === null ? 'end_turn' : 'stop_sequence'
}
