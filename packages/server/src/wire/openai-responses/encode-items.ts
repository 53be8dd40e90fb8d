// Our parts -> items the model wrote: text and refusals side by side are one message.

import type { JsonObject } from '../../core/json.js'
import type { Part, TokenLogprob } from '../../core/model/message.js'
import { encodeCitation } from './annotations.js'
import { encodeLogprobs } from './logprobs.js'

type Said = Extract<Part, { kind: 'text' | 'refusal' }>
type Reasoning = Extract<Part, { kind: 'reasoning' }>
type Call = Extract<Part, { kind: 'tool-call' }>

export type Grouped =
  | { readonly kind: 'message'; readonly said: readonly Said[] }
  | { readonly kind: 'reasoning'; readonly part: Reasoning }
  | { readonly kind: 'call'; readonly part: Call }

/** One entry per item, in order. Parts that no answer has (images, results) are left out. */
export function groupParts(parts: readonly Part[]): readonly Grouped[] {
  const groups: Grouped[] = []
  let said: Said[] | null = null
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'refusal') {
      if (said === null) {
        said = []
        groups.push({ kind: 'message', said })
      }
      said.push(part)
      continue
    }
    said = null
    if (part.kind === 'reasoning') groups.push({ kind: 'reasoning', part })
    else if (part.kind === 'tool-call') groups.push({ kind: 'call', part })
  }
  return groups
}

/** A signature proves words, if only empty ones: they tell it from encrypted thoughts. */
export function encodeReasoning(part: Reasoning, id: string): JsonObject {
  const encrypted = part.signature ?? part.redacted
  const hasWords = part.text !== '' || part.signature !== undefined
  return {
    id,
    type: 'reasoning',
    summary: hasWords ? [{ type: 'summary_text', text: part.text }] : [],
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  }
}

/** What a provider wants back with a call: a member of its own, because clients send items back whole. */
export function callSignature(signature: string | undefined): JsonObject {
  return signature === undefined ? {} : { thought_signature: signature }
}

export function encodeCall({ id, name, argumentsJson }: Call): JsonObject {
  return { type: 'function_call', call_id: id, name, arguments: argumentsJson }
}

export function encodeText(
  part: Extract<Said, { kind: 'text' }>,
  logprobs: readonly TokenLogprob[],
): JsonObject {
  return {
    type: 'output_text',
    text: part.text,
    annotations: (part.citations ?? []).map((citation) => encodeCitation(citation, part.text)),
    logprobs: encodeLogprobs(logprobs),
  }
}

export function encodeRefusal(text: string): JsonObject {
  return { type: 'refusal', refusal: text }
}
