// Citations and this format's annotations, both ways. What an annotation has no place for (the words of the
// source, where in it) stays behind.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'

const NOTHING: Citation = {
  citedText: null,
  title: null,
  url: null,
  documentIndex: null,
  location: null,
  span: null,
}

export function encodeCitation({ url, title, span, documentIndex }: Citation, text: string): JsonObject {
  const index = documentIndex ?? 0
  if (url === null) {
    return { type: 'file_citation', file_id: `document_${index}`, filename: title ?? '', index }
  }
  const { start, end } = span ?? { start: 0, end: text.length }
  return { type: 'url_citation', url, title: title ?? '', start_index: start, end_index: end }
}

export function decodeAnnotations(list: unknown): readonly Citation[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((annotation: unknown) => {
    const citation = decodeAnnotation(annotation)
    return citation === null ? [] : [citation]
  })
}

export function decodeAnnotation(annotation: unknown): Citation | null {
  if (!isObject(annotation)) return null
  switch (annotation['type']) {
    case 'url_citation':
      return {
        ...NOTHING,
        url: textOrNull(annotation['url']),
        title: textOrNull(annotation['title']),
        span: spanOf(annotation),
      }
    case 'file_citation':
      return {
        ...NOTHING,
        title: textOrNull(annotation['filename']),
        documentIndex: positionOrNull(annotation['index']),
      }
    case 'container_file_citation':
      return { ...NOTHING, title: textOrNull(annotation['filename']), span: spanOf(annotation) }
    default:
      return null
  }
}

function spanOf(annotation: Record<string, unknown>): Citation['span'] {
  const start = positionOrNull(annotation['start_index'])
  const end = positionOrNull(annotation['end_index'])
  return start === null || end === null ? null : { start, end }
}

function positionOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
