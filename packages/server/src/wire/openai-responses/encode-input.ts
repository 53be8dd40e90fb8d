// Our messages -> the input of a Responses request. What the model wrote becomes one item per thing it did;
// ids are left out, because nothing is stored under them, but for reasoning, which the format wants named.
// Thoughts had elsewhere are left out: their proofs are refused here.

import type { JsonObject } from '../../core/json.js'
import type { Message, Part } from '../../core/model/message.js'
import { makerOf } from '../reasoning-proof.js'
import { documentUrl, imageUrl } from './decode-content.js'
import { type Grouped, encodeCall, encodeReasoning, encodeRefusal, groupParts } from './encode-items.js'

export function encodeInput(messages: readonly Message[]): readonly JsonObject[] {
  return messages.flatMap((message) =>
    message.role === 'assistant' ? groupParts(message.parts).flatMap(encodeGroup) : encodeGiven(message),
  )
}

/** A thought can be shown again where it was had: with its id, and what proves it. */
export function isOwnThought(part: Extract<Part, { kind: 'reasoning' }>): boolean {
  return makerOf(part) === 'openai'
}

function encodeGiven({ role, parts }: Message): readonly JsonObject[] {
  const results = parts.flatMap((part) =>
    part.kind === 'tool-result'
      ? [{ type: 'function_call_output', call_id: part.callId, output: encodeContent(part.content) }]
      : [],
  )
  const rest = parts.filter((part) => part.kind !== 'tool-result')
  if (rest.length === 0 && results.length > 0) return results
  return [...results, { type: 'message', role, content: encodeContent(rest) }]
}

function encodeContent(parts: readonly Part[]): string | readonly JsonObject[] {
  const [only] = parts
  if (only === undefined) return ''
  if (parts.length === 1 && only.kind === 'text') return only.text
  return parts.flatMap((part): readonly JsonObject[] => {
    switch (part.kind) {
      case 'text':
        return [{ type: 'input_text', text: part.text }]
      case 'image':
        return [{ type: 'input_image', image_url: imageUrl(part.source), detail: part.detail ?? 'auto' }]
      case 'document':
        return [encodeDocument(part)]
      default:
        return []
    }
  })
}

function encodeDocument({ source, title }: Extract<Part, { kind: 'document' }>): JsonObject {
  const name = title === undefined ? {} : { filename: title }
  const url = documentUrl(source)
  return { type: 'input_file', ...name, ...(source.kind === 'url' ? { file_url: url } : { file_data: url }) }
}

function encodeGroup(group: Grouped): readonly JsonObject[] {
  switch (group.kind) {
    case 'reasoning': {
      const { part } = group
      return part.id !== undefined && isOwnThought(part) ? [encodeReasoning(part, part.id)] : []
    }
    case 'call':
      return [encodeCall(group.part)]
    case 'message': {
      const [only] = group.said
      const content = group.said.map((part) =>
        part.kind === 'text'
          ? { type: 'output_text', text: part.text, annotations: [] }
          : encodeRefusal(part.text),
      )
      const plain = group.said.length === 1 && only?.kind === 'text'
      return [{ type: 'message', role: 'assistant', content: plain ? only.text : content }]
    }
  }
}
