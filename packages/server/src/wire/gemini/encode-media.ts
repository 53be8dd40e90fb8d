// Images and documents -> parts. Data goes inline; an address goes as `fileData`, which the API fetches
// itself: public or signed https URLs and Cloud Storage (gs) on both AI Studio and Vertex. It wants to be
// told the media type, which an address only tells by its ending.

import type { JsonObject } from '../../core/json.js'
import type { DocumentSource, ImageSource } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'

const IMAGE_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/heic',
  'image/heif',
])

const IMAGE_ENDINGS: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
}

const DOCUMENT_ENDINGS: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
}

export interface Place {
  readonly at: string
  readonly problems: Problem[]
}

export function encodeImage(source: ImageSource, place: Place): readonly JsonObject[] {
  if (source.kind === 'url') return fileData(source.url, IMAGE_ENDINGS, place)
  if (!IMAGE_TYPES.has(source.mediaType)) {
    place.problems.push({ at: place.at, message: 'must be a PNG, JPEG, WebP, HEIC or HEIF image here' })
  }
  return [{ inlineData: { mimeType: source.mediaType, data: source.data } }]
}

export function encodeDocument(source: DocumentSource, place: Place): readonly JsonObject[] {
  if (source.kind === 'text') return source.text === '' ? [] : [{ text: source.text }]
  if (source.kind === 'url') return fileData(source.url, DOCUMENT_ENDINGS, place)
  return [{ inlineData: { mimeType: source.mediaType, data: source.data } }]
}

function fileData(
  url: string,
  endings: Readonly<Record<string, string>>,
  { at, problems }: Place,
): readonly JsonObject[] {
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? ''
  const mimeType = Object.hasOwn(endings, ending) ? endings[ending] : undefined
  if (!/^(?:https|gs):\/\//i.test(url)) {
    problems.push({ at, message: 'must be an https or gs URL here, or base64 data' })
  } else if (mimeType === undefined) {
    const known = Object.keys(endings).join(', ')
    problems.push({ at, message: `must be a URL that ends in its type (${known}) here, or base64 data` })
  }
  return mimeType === undefined ? [] : [{ fileData: { mimeType, fileUri: url } }]
}
