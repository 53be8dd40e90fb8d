// How a response ended: our finish reasons and this format's status, both ways.

import { isObject } from '../../core/json.js'
import type { FinishReason } from '../../core/model/message.js'

export interface Ending {
  readonly status: 'completed' | 'incomplete'
  readonly incompleteReason: 'max_output_tokens' | 'content_filter' | null
}

/** A refusal in the model's own words is a complete response; a cut by a filter is not. */
export function endingOf(reason: FinishReason, said: { readonly refusal: boolean }): Ending {
  if (reason === 'length') return { status: 'incomplete', incompleteReason: 'max_output_tokens' }
  if (reason === 'refusal' && !said.refusal)
    return { status: 'incomplete', incompleteReason: 'content_filter' }
  return { status: 'completed', incompleteReason: null }
}

/** null: the response is no answer (failed, cancelled, still being made). */
export function finishReasonOf(
  response: Record<string, unknown>,
  said: { readonly calls: boolean; readonly refusal: boolean },
): FinishReason | null {
  const status = response['status'] ?? 'completed'
  if (status === 'incomplete') {
    const reason = rawReasonOf(response)
    if (reason === 'max_output_tokens') return 'length'
    return reason === 'content_filter' ? 'refusal' : 'other'
  }
  if (status !== 'completed') return null
  if (said.calls) return 'tool-calls'
  return said.refusal ? 'refusal' : 'stop'
}

export function rawReasonOf(response: Record<string, unknown>): string {
  const details = response['incomplete_details']
  const reason = isObject(details) ? details['reason'] : null
  if (typeof reason === 'string') return reason
  return typeof response['status'] === 'string' ? response['status'] : 'completed'
}
