// Documents of a Converse request. Each needs a name of plain characters, and no two the same.

import type { JsonObject } from '../../core/json.js'
import type { Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { CONVERSE_DOCUMENT, checkSize } from '../media-size.js'

const FORMATS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
}

const NAME_CHARS_MAX = 200

export class DocumentNames {
  private readonly taken = new Set<string>()

  /** Letters, digits, single spaces, hyphens, parentheses and square brackets; numbered when taken. */
  next(title: string | undefined): string {
    const plain = (title ?? '')
      .replaceAll(/[^A-Za-z0-9\s()[\]-]/g, '-')
      .replaceAll(/\s+/g, ' ')
      .trim()
      .slice(0, NAME_CHARS_MAX - 8)
    const base = plain === '' ? 'document' : plain
    let name = base
    for (let copy = 2; this.taken.has(name); copy += 1) name = `${base} (${copy})`
    this.taken.add(name)
    return name
  }
}

export function encodeDocument(
  part: Extract<Part, { kind: 'document' }>,
  place: { readonly at: string; readonly problems: Problem[]; readonly names: DocumentNames },
): JsonObject {
  const { source, title, cite } = part
  const named = {
    name: place.names.next(title),
    ...(cite === true ? { citations: { enabled: true } } : {}),
  }
  if (source.kind === 'text') return { format: 'txt', ...named, source: { text: source.text } }
  if (source.kind === 'url') {
    const message = 'a document by URL cannot be expressed in the other format; send its bytes'
    place.problems.push({ at: place.at, message })
    return named
  }
  const format = FORMATS[source.mediaType]
  if (format === undefined) {
    const message = `must be one of ${Object.values(FORMATS).join(', ')} in the other format`
    place.problems.push({ at: place.at, message })
  }
  checkSize(source.data, CONVERSE_DOCUMENT, place)
  return { format, ...named, source: { bytes: source.data } }
}
