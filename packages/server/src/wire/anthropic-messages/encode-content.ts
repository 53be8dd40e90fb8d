// Our parts -> content blocks, of requests and of answers. Where this format has no word for something that
// carries meaning, the problem names its place. Left out (`leavesOut`): reasoning that is not proved, or to
// another provider, which Anthropic would refuse to read again, and image detail. Answers show all proofs.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Citation, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { asJsonObject, parseJson } from '../fields.js'
import { ANTHROPIC_IMAGE, checkSize } from '../media-size.js'
import { encodeCitation, isOfDocument } from './citations.js'
import { makerOf, withId } from '../reasoning-proof.js'
import { encodeDocument } from './documents.js'

export function encodeParts(parts: readonly Part[], at: string, problems: Problem[]): readonly JsonObject[] {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return encodePart(only, `${at}[0]`, problems)
  return parts.flatMap((part, index) => encodePart(part, `${at}[${index}]`, problems))
}

/** Of an answer: everything that can be said is, and what cannot is not the caller's fault. */
export function encodeAnswerPart(part: Part): readonly JsonObject[] {
  if (part.kind === 'reasoning') return encodeReasoning(part)
  return part.kind === 'text' ? encodeText(part, part.citations) : encodePart(part, '', [])
}

function encodePart(part: Part, at: string, problems: Problem[]): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return encodeText(part, part.citations?.filter(isOfDocument))
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'image':
      return [encodeImage(part, at, problems)]
    case 'document':
      return [{ ...encodeDocument(part, at, problems), ...cacheMark(part.cacheControl) }]
    case 'reasoning':
      return makerOf(part) === 'claude' ? encodeReasoning(part) : []
    case 'tool-call': {
      const input = inputOf(part, at, problems)
      return [
        {
          type: 'tool_use',
          id: plainId(part.id),
          name: part.name,
          input,
          ...cacheMark(part.cacheControl),
        },
      ]
    }
    case 'tool-result':
      return [encodeResult(part, at, problems)]
  }
}

function encodeText(
  { text, cacheControl }: Extract<Part, { kind: 'text' }>,
  citations: readonly Citation[] | undefined,
): readonly JsonObject[] {
  if (text === '') return []
  if (citations === undefined && cacheControl === undefined) return [{ type: 'text', text }]
  const cited = (citations ?? []).map(encodeCitation).filter((one) => one !== null)
  return [
    { type: 'text', text, ...(cited.length > 0 ? { citations: cited } : {}), ...cacheMark(cacheControl) },
  ]
}

function encodeResult(
  part: Extract<Part, { kind: 'tool-result' }>,
  at: string,
  problems: Problem[],
): JsonObject {
  const content = encodeParts(part.content, `${at}.content`, problems)
  return {
    type: 'tool_result',
    tool_use_id: plainId(part.callId),
    ...(content.length > 0 ? { content } : {}),
    ...(part.isError ? { is_error: true } : {}),
    ...cacheMark(part.cacheControl),
  }
}

export function cacheMark(mark: JsonObject | undefined): JsonObject {
  return mark === undefined ? {} : { cache_control: mark }
}

const MEDIA_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function encodeImage(part: Extract<Part, { kind: 'image' }>, at: string, problems: Problem[]): JsonObject {
  const { source } = part
  if (source.kind === 'base64' && !MEDIA_TYPES.has(source.mediaType)) {
    problems.push({ at, message: 'must be a JPEG, PNG, GIF or WebP image in the other format' })
  }
  if (source.kind === 'base64') checkSize(source.data, ANTHROPIC_IMAGE, { at, problems })
  const encoded =
    source.kind === 'url'
      ? { type: 'url', url: source.url }
      : { type: 'base64', media_type: source.mediaType, data: source.data }
  return { type: 'image', source: encoded, ...cacheMark(part.cacheControl) }
}

function encodeReasoning(part: Extract<Part, { kind: 'reasoning' }>): readonly JsonObject[] {
  const { text, signature, redacted, id } = part
  if (redacted !== undefined) return [{ type: 'redacted_thinking', data: withId(redacted, id) }]
  return signature === undefined
    ? []
    : [{ type: 'thinking', thinking: text, signature: withId(signature, id) }]
}

/** Ids here are letters, digits, `_` and `-`; call and result change alike. */
function plainId(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_')
}

function inputOf(part: Extract<Part, { kind: 'tool-call' }>, at: string, problems: Problem[]): JsonObject {
  const input = part.argumentsJson.trim() === '' ? {} : parseJson(part.argumentsJson)
  if (isObject(input)) return asJsonObject(input)
  problems.push({ at: `${at}.arguments`, message: 'must be the JSON text of an object' })
  return {}
}
