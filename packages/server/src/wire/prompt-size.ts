// How much a model reads of a prompt, before anybody has counted: bytes of text, images, and pages of
// documents. A document's own bytes tell little: fonts and pictures are in them, and text is packed.

import { isObject } from '../core/json.js'
import { utf8Bytes } from './fields.js'

export interface PromptSize {
  /** UTF-8, of text. */
  bytes: number
  images: number
  pages: number
}

export const noSize = (): PromptSize => ({ bytes: 0, images: 0, pages: 0 })

/**
 * Base64 characters that a page takes, 30 KB of bytes: what office programs write for one with its fonts.
 * Small files may be packed text.
 */
const CHARS_PER_PAGE = 40_000
const PAGES_MIN = 3
/** No provider's limit for one document is lower; and nobody fills a context with more. */
const PAGES_MAX = 100
/** Of a document by address or id, which is not here to be measured. */
const PAGES_UNKNOWN = 10

/**
 * An image counts 2,000 tokens, a page twice that: 1,500 to 3,000 for its text, and its picture.
 * https://docs.claude.com/en/docs/build-with-claude/pdf-support
 */
const IMAGES_PER_PAGE = 2

/** Images that cost about as much as all images and documents of a prompt. */
export function imagesWorth(prompt: { readonly imageCount: number; readonly documentPages: number }): number {
  return prompt.imageCount + prompt.documentPages * IMAGES_PER_PAGE
}

/** `data`: base64, or a data URL; null: not in the request. */
export function measureDocument(data: unknown, mediaType: string | null, size: PromptSize): void {
  if (typeof data !== 'string') {
    size.pages += PAGES_UNKNOWN
    return
  }
  const isText = (mediaType ?? '').startsWith('text/') || data.startsWith('data:text/')
  if (isText) size.bytes += Math.ceil((data.length * 3) / 4)
  else size.pages += Math.min(PAGES_MAX, Math.max(PAGES_MIN, Math.ceil(data.length / CHARS_PER_PAGE)))
}

/** A `document` block of Anthropic's. */
export function measureDocumentBlock(block: Record<string, unknown>, size: PromptSize): void {
  const { source, title, context } = block
  size.bytes += utf8Bytes(title ?? '') + utf8Bytes(context ?? '')
  const { type, data, media_type: mediaType, content } = isObject(source) ? source : {}
  if (type === 'text') size.bytes += utf8Bytes(data)
  else if (type === 'content') size.bytes += utf8Bytes(content)
  else measureDocument(data, typeof mediaType === 'string' ? mediaType : null, size)
}

/** A `file` of a chat completion, an `input_file` of a response. */
export function measureFile(file: Record<string, unknown>, size: PromptSize): void {
  size.bytes += utf8Bytes(file['filename'] ?? '')
  measureDocument(file['file_data'], null, size)
}
