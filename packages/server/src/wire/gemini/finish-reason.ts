// Finish reasons of a candidate, and reasons why a prompt was blocked. There is none for tool calls: an
// answer with calls ends with `STOP`.

import type { FinishReason } from '../../core/model/message.js'
import type { ProviderError } from '../format.js'

/** How an answer ended, and what the provider said to it. */
export interface Ending {
  readonly raw: string
  readonly words: string | null
}

const OURS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'refusal',
  RECITATION: 'refusal',
  BLOCKLIST: 'refusal',
  PROHIBITED_CONTENT: 'refusal',
  SPII: 'refusal',
  MODEL_ARMOR: 'refusal',
  IMAGE_SAFETY: 'refusal',
  IMAGE_PROHIBITED_CONTENT: 'refusal',
  IMAGE_RECITATION: 'refusal',
}

/** The model wrote a call, or an answer, that is none: another try may do better. */
const FAILED: ReadonlySet<string> = new Set(['MALFORMED_FUNCTION_CALL', 'MALFORMED_RESPONSE'])

/** null: however it ended, it is an answer. */
export function failureOf({ raw, words }: Ending): ProviderError | null {
  if (!FAILED.has(raw)) return null
  return { type: raw, code: null, message: words ?? 'the model wrote a call or an answer that is none' }
}

/** The provider's word, or null: the candidate goes on. */
export function finishWord(raw: unknown): string | null {
  return typeof raw === 'string' && raw !== '' && raw !== 'FINISH_REASON_UNSPECIFIED' ? raw : null
}

/** How an answer ended. A blocked prompt is refused, whatever the reason. */
export function decodeFinishReason(
  raw: string,
  answer: { readonly calls: boolean; readonly blocked: boolean },
): FinishReason {
  if (answer.blocked) return 'refusal'
  const reason = Object.hasOwn(OURS, raw) ? (OURS[raw] ?? 'other') : 'other'
  return reason === 'stop' && answer.calls ? 'tool-calls' : reason
}
