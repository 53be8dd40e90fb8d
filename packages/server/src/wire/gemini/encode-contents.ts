// Our messages -> `contents`. Messages of one role in a row become one, because turns must alternate, and
// tool results come first in theirs, because they must directly follow their calls. What the provider signed
// goes back where it came from.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Message, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { asJsonObject, parseJson } from '../fields.js'
import { encodeDocument, encodeImage } from './encode-media.js'
import { isBeforeGemini3 } from './model-generation.js'
import { ownSignature } from './signature.js'

/** What both addresses document for a call that Gemini did not make itself, or whose signature was lost. */
const NOT_OURS = 'skip_thought_signature_validator'

interface Conversation {
  readonly problems: Problem[]
  /** Names of the calls so far, by id: a result repeats its call's name. */
  readonly names: Map<string, string>
}

interface Turn {
  readonly role: 'user' | 'model'
  readonly parts: JsonObject[]
}

export function encodeContents(
  messages: readonly Message[],
  model: string,
  problems: Problem[],
): readonly JsonObject[] {
  const conversation: Conversation = { problems, names: new Map() }
  const turns: Turn[] = []
  messages.forEach((message, index) => {
    if (message.role === 'system') return
    const parts = encodeParts(message.parts, `messages[${index}].content`, conversation)
    // A message that says nothing is left out: content may not be empty here.
    if (parts.length === 0) return
    const role = message.role === 'assistant' ? 'model' : 'user'
    const last = turns.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else turns.push({ role, parts })
  })
  const strict = !isBeforeGemini3(model)
  return turns.map(({ role, parts }) => ({
    role,
    parts: role === 'user' ? resultsFirst(parts) : strict ? signed(parts) : parts,
  }))
}

export function encodeSystem(messages: readonly Message[], problems: Problem[]): readonly JsonObject[] {
  return messages.flatMap((message, index) =>
    message.role !== 'system'
      ? []
      : message.parts.flatMap((part, position) => {
          if (part.kind === 'text') return part.text === '' ? [] : [{ text: part.text }]
          const at = `messages[${index}].content[${position}]`
          problems.push({ at, message: 'only text can be a system prompt in the other format' })
          return []
        }),
  )
}

function resultsFirst(parts: readonly JsonObject[]): readonly JsonObject[] {
  if (parts.length === 1) return parts
  const isResult = (part: JsonObject): boolean => part['functionResponse'] !== undefined
  return [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))]
}

/** Since Gemini 3 the first call of a turn must be signed, or the whole request is refused. */
function signed(parts: readonly JsonObject[]): readonly JsonObject[] {
  const first = parts.findIndex((part) => part['functionCall'] !== undefined)
  if (first === -1 || parts[first]?.['thoughtSignature'] !== undefined) return parts
  return parts.map((part, index) => (index === first ? { ...part, thoughtSignature: NOT_OURS } : part))
}

function encodeParts(parts: readonly Part[], at: string, to: Conversation): JsonObject[] {
  const encoded: JsonObject[] = []
  parts.forEach((part, index) => encoded.push(...encodePart(part, `${at}[${index}]`, to)))
  return encoded
}

function encodePart(part: Part, at: string, to: Conversation): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'image':
      return encodeImage(part.source, { at, problems: to.problems })
    case 'document':
      return encodeDocument(part.source, { at, problems: to.problems })
    case 'reasoning':
      return encodeReasoning(part)
    case 'tool-call':
      to.names.set(part.id, part.name)
      return [encodeCall(part, at, to.problems)]
    case 'tool-result':
      return encodeResult(part, at, to)
  }
}

/** A signature that came without words stands for the words before it; one on a thought stays on it. */
function encodeReasoning(part: Extract<Part, { kind: 'reasoning' }>): readonly JsonObject[] {
  const signature = signatureOf(part)
  if (part.text !== '') return [{ text: part.text, thought: true, ...signature }]
  return signature['thoughtSignature'] === undefined ? [] : [{ text: '', ...signature }]
}

function signatureOf(part: { readonly signature?: string }): JsonObject {
  const signature = ownSignature(part.signature)
  return signature === null ? {} : { thoughtSignature: signature }
}

function encodeCall(part: Extract<Part, { kind: 'tool-call' }>, at: string, problems: Problem[]): JsonObject {
  const args = part.argumentsJson.trim() === '' ? {} : parseJson(part.argumentsJson)
  if (!isObject(args)) problems.push({ at: `${at}.arguments`, message: 'must be the JSON text of an object' })
  return {
    functionCall: { id: part.id, name: part.name, args: isObject(args) ? asJsonObject(args) : {} },
    ...signatureOf(part),
  }
}

function encodeResult(
  { callId, content, isError }: Extract<Part, { kind: 'tool-result' }>,
  at: string,
  { names, problems }: Conversation,
): readonly JsonObject[] {
  const name = names.get(callId)
  if (name === undefined) {
    problems.push({ at, message: 'must answer a tool call of this conversation: its name is needed here' })
    return []
  }
  let text = ''
  const media: JsonObject[] = []
  content.forEach((part, index) => {
    if (part.kind === 'text') text += part.text
    else media.push(...encodeResultMedia(part, `${at}.content[${index}]`, problems))
  })
  const response = isError ? { error: text } : { output: text }
  const result = { id: callId, name, response }
  return [{ functionResponse: media.length > 0 ? { ...result, parts: media } : result }]
}

function encodeResultMedia(part: Part, at: string, problems: Problem[]): readonly JsonObject[] {
  const media = part.kind === 'image' || part.kind === 'document' ? part : null
  if (media?.source.kind === 'base64') {
    const place = { at, problems }
    return media.kind === 'image' ? encodeImage(media.source, place) : encodeDocument(media.source, place)
  }
  problems.push({ at, message: 'only text and base64 data can be a tool result in the other format' })
  return []
}
