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

interface Said {
  readonly calls: boolean
  readonly stopSequence: string | null
  /** The provider's own word: kept where it is one of this format's. */
  readonly rawFinishReason: string | null
}

/**
 * Calls always end with `tool_use`, whatever the provider called it: clients run tools on that word alone.
 */
export function encodeStopReason(reason: FinishReason, said: Said): string {
  if (said.rawFinishReason === 'pause_turn' && reason === 'other' && !said.calls) return 'pause_turn'
  if (said.rawFinishReason === 'model_context_window_exceeded' && reason === 'length') {
    return 'model_context_window_exceeded'
  }
  if (reason === 'length') return 'max_tokens'
  if (reason === 'refusal') return 'refusal'
  if (reason === 'tool-calls' || said.calls) return 'tool_use'
  return said.stopSequence === null ? 'end_turn' : 'stop_sequence'
}
