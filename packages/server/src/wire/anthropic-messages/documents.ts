// `document` blocks <-> our documents. PDF bytes, text and addresses exist on both sides; uploaded files only
// at the provider.

import { isObject, type JsonObject } from '../../core/json.js'
import type { DocumentSource, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { textField } from '../fields.js'

export type DocumentPart = Extract<Part, { kind: 'document' }>

export function decodeDocument(
  block: Record<string, unknown>,
  at: string,
  problems: Problem[],
): DocumentPart | null {
  const source = decodeSource(block['source'], `${at}.source`, problems)
  const title = textField(block['title'], `${at}.title`, problems)
  const { context, citations } = block
  if (context !== undefined && context !== null) {
    problems.push({
      at: `${at}.context`,
      message: 'cannot be expressed in the other format; send it as text',
    })
  }
  const cite = isObject(citations) && citations['enabled'] === true
  if (source === null) return null
  return { kind: 'document', source, ...(title === null ? {} : { title }), ...(cite ? { cite } : {}) }
}

function decodeSource(source: unknown, at: string, problems: Problem[]): DocumentSource | null {
  const { type, data, url, media_type: mediaType, content } = isObject(source) ? source : {}
  if (type === 'url' && typeof url === 'string') return { kind: 'url', url }
  if (type === 'text' && typeof data === 'string') return { kind: 'text', text: data }
  if (type === 'base64' && typeof data === 'string' && typeof mediaType === 'string') {
    return { kind: 'base64', mediaType, data }
  }
  const text = type === 'content' ? textOfBlocks(content) : null
  if (text !== null) return { kind: 'text', text }
  problems.push({ at: `${at}.type`, message: 'only base64, text, text blocks and url can cross formats' })
  return null
}

/** null: holds something else than text. */
function textOfBlocks(content: unknown): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return null
  const texts = content.map((block: unknown) => (isObject(block) ? block['text'] : null))
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : null
}

export function encodeDocument(part: DocumentPart, at: string, problems: Problem[]): JsonObject {
  const source = encodeSource(part.source)
  if (source === null) {
    problems.push({ at, message: 'must be a PDF or plain text in the other format' })
  }
  return {
    type: 'document',
    source,
    ...(part.title === undefined ? {} : { title: part.title }),
    ...(part.cite === true ? { citations: { enabled: true } } : {}),
  }
}

function encodeSource(source: DocumentSource): JsonObject | null {
  if (source.kind === 'url') return { type: 'url', url: source.url }
  if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text }
  const { mediaType, data } = source
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data }
  if (!mediaType.startsWith('text/')) return null
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString('utf8') }
}
