// Finish reasons of a chat completion, both ways.

import type { FinishReason } from '../../core/model/message.js'

const OURS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'refusal',
}

export function decodeFinishReason(raw: string): FinishReason {
  return Object.hasOwn(OURS, raw) ? (OURS[raw] ?? 'other') : 'other'
}

/**
 * A refusal in the model's own words ends with `stop` here, a cut by a filter with `content_filter`. Calls
 * always end with `tool_calls`: clients run tools on that word alone.
 */
export function encodeFinishReason(reason: FinishReason, said: { calls: boolean; refusal: boolean }): string {
  if (reason === 'length') return 'length'
  if (reason === 'refusal') return said.refusal ? 'stop' : 'content_filter'
  return reason === 'tool-calls' || said.calls ? 'tool_calls' : 'stop'
}
