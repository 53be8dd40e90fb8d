// Citations of the Messages API <-> ours. Pages count from 1 and ends are exclusive on both sides.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'

type Location = NonNullable<Citation['location']>

const FIELDS = {
  char: ['char_location', 'start_char_index', 'end_char_index'],
  page: ['page_location', 'start_page_number', 'end_page_number'],
  block: ['content_block_location', 'start_block_index', 'end_block_index'],
} as const satisfies Record<Location['unit'], readonly [string, string, string]>

const UNITS: Readonly<Record<string, Location['unit']>> = {
  char_location: 'char',
  page_location: 'page',
  content_block_location: 'block',
  search_result_location: 'block',
}

export function decodeCitations(citations: unknown): readonly Citation[] {
  if (!Array.isArray(citations)) return []
  return citations.flatMap((one: unknown) => decodeCitation(one) ?? [])
}

/** null: of a kind that is not known. */
export function decodeCitation(citation: unknown): Citation | null {
  if (!isObject(citation)) return null
  const { type, source, url } = citation
  const unit = typeof type === 'string' ? UNITS[type] : undefined
  if (unit === undefined && type !== 'web_search_result_location') return null
  return {
    citedText: textOrNull(citation['cited_text']),
    title: textOrNull(citation['document_title'] ?? citation['title']),
    url: textOrNull(url ?? source),
    documentIndex: numberOrNull(citation['document_index']),
    location: unit === undefined ? null : locationOf(unit, citation),
    span: null,
  }
}

function locationOf(unit: Location['unit'], citation: Record<string, unknown>): Location | null {
  const [, first, last] = FIELDS[unit]
  const start = numberOrNull(citation[first])
  const end = numberOrNull(citation[last])
  return start === null || end === null ? null : { unit, start, end }
}

/** A place in a document of the request, or a page of the web; null when it is neither. */
export function encodeCitation(citation: Citation): JsonObject | null {
  const { citedText, title, url, documentIndex, location } = citation
  const cited_text = citedText ?? ''
  if (documentIndex !== null && location !== null) {
    const [type, first, last] = FIELDS[location.unit]
    const place = { [first]: location.start, [last]: location.end }
    return { type, cited_text, document_index: documentIndex, document_title: title, ...place }
  }
  if (url === null) return null
  // The provider's own index of its search: nothing that another provider could have given.
  return { type: 'web_search_result_location', cited_text, title, url, encrypted_index: '' }
}

/** Points into the documents of the request: such a citation may be sent back, a search's may not. */
export function isOfDocument({ documentIndex, location }: Citation): boolean {
  return documentIndex !== null && location !== null
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
