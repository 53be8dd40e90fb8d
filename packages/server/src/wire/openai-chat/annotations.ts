// `annotations` of an answer <-> citations. This format knows pages of the web only; positions count in the
// message's whole text.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Citation, Part } from '../../core/model/message.js'

export function decodeAnnotations(annotations: unknown): readonly Citation[] {
  if (!Array.isArray(annotations)) return []
  return annotations.flatMap((one: unknown): readonly Citation[] => {
    const cited = isObject(one) && one['type'] === 'url_citation' ? one['url_citation'] : null
    if (!isObject(cited) || typeof cited['url'] !== 'string') return []
    const { url, title, start_index: start, end_index: end } = cited
    return [
      {
        citedText: null,
        title: typeof title === 'string' ? title : null,
        url,
        documentIndex: null,
        location: null,
        span: typeof start === 'number' && typeof end === 'number' ? { start, end } : null,
      },
    ]
  })
}

/** null: not of a page. `text`: where the text that it belongs to is in the message. */
export function encodeAnnotation(
  { url, title, span }: Citation,
  text: { readonly start: number; readonly end: number },
): JsonObject | null {
  if (url === null) return null
  const start_index = text.start + (span?.start ?? 0)
  const end_index = span === null ? text.end : text.start + span.end
  return { type: 'url_citation', url_citation: { url, title: title ?? url, start_index, end_index } }
}

export function annotationsOf(parts: readonly Part[]): readonly JsonObject[] {
  const found: JsonObject[] = []
  let start = 0
  for (const part of parts) {
    if (part.kind !== 'text') continue
    const end = start + part.text.length
    for (const citation of part.citations ?? []) {
      const annotation = encodeAnnotation(citation, { start, end })
      if (annotation !== null) found.push(annotation)
    }
    start = end
  }
  return found
}
