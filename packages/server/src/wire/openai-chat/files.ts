// `file` parts <-> our documents. Only files that come with the request can cross: an id means something to
// one provider alone.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { textField } from '../fields.js'
import { base64Source } from './data-url.js'

type DocumentPart = Extract<Part, { kind: 'document' }>

export function decodeFile(file: unknown, at: string, problems: Problem[]): readonly DocumentPart[] {
  const { file_data: data, file_id: id, filename } = isObject(file) ? file : {}
  if (id !== undefined && id !== null) {
    problems.push({ at: `${at}.file_id`, message: 'an uploaded file cannot cross formats; send file_data' })
    return []
  }
  const source = base64Source(data)
  const title = textField(filename, `${at}.filename`, problems)
  if (source !== null) return [{ kind: 'document', source, ...(title === null ? {} : { title }) }]
  problems.push({ at: `${at}.file_data`, message: 'must be a base64 data URL' })
  return []
}

/** Text is sent as text, which is how a model reads it, and what every server of this format takes. */
export function encodeDocument(part: DocumentPart, at: string, problems: Problem[]): JsonObject {
  const { source, title } = part
  if (source.kind === 'url') {
    problems.push({
      at,
      message: 'a document by URL cannot be expressed in the other format; send its bytes',
    })
    return {}
  }
  if (source.kind === 'text') return textOf(source.text, title)
  const { mediaType, data } = source
  if (mediaType.startsWith('text/')) return textOf(Buffer.from(data, 'base64').toString('utf8'), title)
  const filename = title ?? `document.${mediaType.slice(mediaType.indexOf('/') + 1)}`
  return { type: 'file', file: { filename, file_data: `data:${mediaType};base64,${data}` } }
}

function textOf(text: string, title: string | undefined): JsonObject {
  return { type: 'text', text: title === undefined ? text : `${title}\n\n${text}` }
}
