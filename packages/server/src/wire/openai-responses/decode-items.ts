// Items the model wrote -> our parts: what it said, what it wants called, how it thought. The same items come
// as the output of an answer and as the input of the next turn.

import { isObject } from '../../core/json.js'
import type { Part } from '../../core/model/message.js'
import { decodeAnnotations } from './annotations.js'
import { isOurReasoning } from './response-object.js'

/** null: an item our types do not hold. */
export function decodeOutputItem(item: Record<string, unknown>): readonly Part[] | null {
  switch (item['type'] ?? 'message') {
    case 'message':
      return decodeSaid(item['content'])
    case 'function_call':
      return [decodeCall(item)]
    case 'reasoning':
      return decodeReasoning(item)
    default:
      return null
  }
}

export function decodeSaid(content: unknown): readonly Part[] | null {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!Array.isArray(content)) return null
  const parts = content.map((part: unknown) => (isObject(part) ? decodeSaidPart(part) : null))
  return parts.every((part) => part !== null) ? parts : null
}

function decodeSaidPart(part: Record<string, unknown>): Part | null {
  const { type, text, refusal } = part
  if (type === 'refusal') return { kind: 'refusal', text: textOf(refusal) }
  if ((type !== 'output_text' && type !== 'input_text') || typeof text !== 'string') return null
  const citations = decodeAnnotations(part['annotations'])
  return { kind: 'text', text, ...(citations.length > 0 ? { citations } : {}) }
}

function decodeCall(item: Record<string, unknown>): Extract<Part, { kind: 'tool-call' }> {
  const { call_id: callId, name, arguments: given } = item
  const argumentsJson = isObject(given) ? JSON.stringify(given) : textOf(given).trim() || '{}'
  const signature = textOf(item['thought_signature'])
  const call = { kind: 'tool-call', id: textOf(callId), name: textOf(name), argumentsJson } as const
  return signature === '' ? call : { ...call, signature }
}

function hasSummary({ summary }: Record<string, unknown>): boolean {
  return Array.isArray(summary) && summary.length > 0
}

/** The summary where there is one: the whole thoughts are told by open models only. */
function decodeReasoning(item: Record<string, unknown>): readonly Part[] {
  const text = textsOf(item['summary']) || textsOf(item['content'])
  const encrypted = textOf(item['encrypted_content'])
  const given = textOf(item['id'])
  const id = isOurReasoning(given) ? '' : given
  if (text === '' && encrypted === '') return []
  const hasWords = text !== '' || hasSummary(item)
  const proof = encrypted === '' ? {} : hasWords ? { signature: encrypted } : { redacted: encrypted }
  return [{ kind: 'reasoning', text, ...proof, ...(id === '' ? {} : { id }) }]
}

function textsOf(list: unknown): string {
  if (!Array.isArray(list)) return ''
  const texts = list.map((part: unknown) => (isObject(part) ? textOf(part['text']) : ''))
  return texts.filter((text) => text !== '').join(SUMMARY_GAP)
}

/** Between the parts of a summary. */
export const SUMMARY_GAP = '\n\n'

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
