// Content that is given to the model -> our parts, for messages and for results of calls. A file that only an
// id names is stored by the provider: no other one has it.

import { isObject } from '../../core/json.js'
import type { DocumentSource, ImageSource, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'

export function decodeContent(content: unknown, at: string, problems: Problem[]): readonly Part[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!Array.isArray(content)) {
    problems.push({ at, message: 'must be a string or a list of parts' })
    return []
  }
  return content.flatMap((part: unknown, index) => decodePart(part, `${at}[${index}]`, problems))
}

function decodePart(part: unknown, at: string, problems: Problem[]): readonly Part[] {
  const { type, text } = isObject(part) ? part : {}
  if (isObject(part)) {
    if ((type === 'input_text' || type === 'output_text') && typeof text === 'string') {
      return [{ kind: 'text', text }]
    }
    if (type === 'input_image') return decodeImage(part, at, problems)
    if (type === 'input_file') return decodeFile(part, at, problems)
  }
  problems.push({ at: `${at}.type`, message: 'this kind of part cannot be expressed in the other format' })
  return []
}

function decodeImage(part: Record<string, unknown>, at: string, problems: Problem[]): readonly Part[] {
  const source = urlSource(part['image_url'])
  if (source !== null) {
    const { detail } = part
    // `auto` is what no detail means.
    const named = typeof detail === 'string' && detail !== 'auto' ? { detail } : {}
    return [{ kind: 'image', source, ...named }]
  }
  if (isStored(part, at, problems)) return []
  problems.push({ at: `${at}.image_url`, message: 'must be an http(s) URL or a base64 data URL' })
  return []
}

function decodeFile(part: Record<string, unknown>, at: string, problems: Problem[]): readonly Part[] {
  const { file_data: data, file_url: url, filename } = part
  const source = documentSource(data ?? url)
  if (source !== null) {
    return [{ kind: 'document', source, ...(typeof filename === 'string' ? { title: filename } : {}) }]
  }
  if (isStored(part, at, problems)) return []
  problems.push({ at: `${at}.file_data`, message: 'must be a base64 data URL, or `file_url` an http(s) URL' })
  return []
}

function isStored(part: Record<string, unknown>, at: string, problems: Problem[]): boolean {
  if (typeof part['file_id'] !== 'string') return false
  problems.push({ at: `${at}.file_id`, message: 'a stored file cannot cross formats; send its data' })
  return true
}

const TEXT = 'text/plain'

function documentSource(url: unknown): DocumentSource | null {
  const source = urlSource(url)
  if (source?.kind !== 'base64' || source.mediaType !== TEXT) return source
  return { kind: 'text', text: Buffer.from(source.data, 'base64').toString('utf8') }
}

export function documentUrl(source: DocumentSource): string {
  if (source.kind === 'url') return source.url
  if (source.kind === 'base64') return dataUrl(source.mediaType, source.data)
  return dataUrl(TEXT, Buffer.from(source.text).toString('base64'))
}

export function imageUrl(source: ImageSource): string {
  return source.kind === 'url' ? source.url : dataUrl(source.mediaType, source.data)
}

const BASE64_MARK = ';base64,'

function dataUrl(mediaType: string, data: string): string {
  return `data:${mediaType}${BASE64_MARK}${data}`
}

function urlSource(url: unknown): ImageSource | null {
  if (typeof url !== 'string') return null
  if (/^https?:\/\//i.test(url)) return { kind: 'url', url }
  const mark = url.indexOf(BASE64_MARK)
  if (!url.startsWith('data:') || mark === -1 || mark > 100) return null
  const mediaType = url.slice('data:'.length, mark)
  return { kind: 'base64', mediaType, data: url.slice(mark + BASE64_MARK.length) }
}
