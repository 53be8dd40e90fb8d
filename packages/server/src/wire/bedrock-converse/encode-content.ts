// Our parts -> content blocks. A part becomes a block, and a cache point behind it where it has a mark and
// the model takes them.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { asJsonObject, parseJson } from '../fields.js'
import { CONVERSE_IMAGE, checkSize } from '../media-size.js'
import { makerOf } from '../reasoning-proof.js'
import { type DocumentNames, encodeDocument } from './encode-document.js'

export interface ContentContext {
  readonly problems: Problem[]
  /** The model takes cache points. */
  readonly caching: boolean
  /** The model takes thoughts that Claude signed. */
  readonly thoughts: boolean
  readonly names: DocumentNames
}

export interface Place {
  readonly at: string
  readonly role: 'system' | 'user' | 'assistant' | 'result'
  /** The content it becomes a part of. */
  readonly blocks: JsonObject[]
}

const IMAGE_FORMATS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}

/** Adds the blocks of one part: none, one, or one with its cache point. */
export function encodePart(part: Part, { at, role, blocks }: Place, context: ContentContext): void {
  const block = encodeBlock(part, at, context)
  if (block === null) return
  const isMedia = part.kind === 'image' || part.kind === 'document'
  if (isMedia && (role === 'system' || role === 'assistant')) {
    context.problems.push({ at, message: 'must be in a user message in the other format' })
  }
  // Inside a tool's result there is no place for it: there it goes behind the whole result.
  const point = context.caching && role !== 'result' ? cachePoint(part) : null
  blocks.push(block)
  if (point !== null) blocks.push(point)
}

function encodeBlock(part: Part, at: string, context: ContentContext): JsonObject | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { text: part.text }
    case 'image':
      return { image: encodeImage(part, at, context.problems) }
    case 'document':
      return { document: encodeDocument(part, { at, ...context }) }
    case 'tool-call':
      return { toolUse: encodeCall(part, at, context.problems) }
    case 'tool-result':
      return { toolResult: encodeResult(part, at, context) }
    case 'reasoning':
      return context.thoughts ? encodeReasoning(part) : null
  }
}

type Of<Kind extends Part['kind']> = Extract<Part, { kind: Kind }>

function encodeImage({ source }: Of<'image'>, at: string, problems: Problem[]): JsonObject {
  if (source.kind === 'url') {
    problems.push({ at, message: 'an image by URL cannot be expressed in the other format; send its bytes' })
    return {}
  }
  const format = IMAGE_FORMATS[source.mediaType]
  if (format === undefined) {
    problems.push({ at, message: 'must be a JPEG, PNG, GIF or WebP image in the other format' })
  }
  checkSize(source.data, CONVERSE_IMAGE, { at, problems })
  return { format, source: { bytes: source.data } }
}

function encodeCall(part: Of<'tool-call'>, at: string, problems: Problem[]): JsonObject {
  const input = part.argumentsJson.trim() === '' ? {} : parseJson(part.argumentsJson)
  if (!isObject(input))
    problems.push({ at: `${at}.arguments`, message: 'must be the JSON text of an object' })
  return {
    toolUseId: plainId(part.id),
    name: part.name,
    input: isObject(input) ? asJsonObject(input) : {},
  }
}

function encodeResult(part: Of<'tool-result'>, at: string, context: ContentContext): JsonObject {
  const content: JsonObject[] = []
  part.content.forEach((inner, index) => {
    const place = { at: `${at}.content[${index}]`, role: 'result', blocks: content } as const
    const isData = inner.kind === 'text' || inner.kind === 'image' || inner.kind === 'document'
    if (isData) encodePart(inner, place, context)
    else context.problems.push({ at: place.at, message: 'must be text, an image or a document' })
  })
  const result = { toolUseId: plainId(part.callId), content }
  return part.isError ? { ...result, status: 'error' } : result
}

/**
 * Reasoning without its signature, or with another provider's, cannot be shown to the model again: leaving it
 * out is what the format asks for.
 */
function encodeReasoning(part: Of<'reasoning'>): JsonObject | null {
  if (makerOf(part) !== 'claude') return null
  if (part.redacted !== undefined) return { reasoningContent: { redactedContent: part.redacted } }
  return { reasoningContent: { reasoningText: { text: part.text, signature: part.signature } } }
}

const ID_CHARS_MAX = 64

/** Ids here are letters, digits, `_` and `-`, at most 64; call and result change alike. */
function plainId(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(-ID_CHARS_MAX)
}

/** The mark of a part, or of what is inside a tool's result. */
export function cacheMarkOf(part: Part): JsonObject | null {
  if (part.kind === 'reasoning' || part.kind === 'refusal') return null
  if (part.cacheControl !== undefined || part.kind !== 'tool-result') return part.cacheControl ?? null
  return part.content.map(cacheMarkOf).findLast((mark) => mark !== null) ?? null
}

function cachePoint(part: Part): JsonObject | null {
  const mark = cacheMarkOf(part)
  if (mark === null) return null
  const { ttl } = mark
  return { cachePoint: { type: 'default', ...(ttl === '1h' || ttl === '5m' ? { ttl } : {}) } }
}
