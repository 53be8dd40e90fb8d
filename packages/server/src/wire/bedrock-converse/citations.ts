// Citations of a Converse answer -> ours. In a stream each arrives whole, in a delta of its own.

import { isObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'
import { textOf } from '../fields.js'

type Place = Pick<Citation, 'documentIndex' | 'location' | 'url'>

const NOWHERE: Place = { documentIndex: null, location: null, url: null }

const UNITS = { documentChar: 'char', documentPage: 'page', documentChunk: 'block' } as const

export function decodeCitation(citation: unknown): Citation | null {
  if (!isObject(citation)) return null
  const content = Array.isArray(citation['sourceContent']) ? citation['sourceContent'] : []
  const citedText = content.map((one: unknown) => (isObject(one) ? textOf(one['text']) : '')).join('')
  const place = placeOf(citation['location'])
  const source = textOf(citation['source'])
  return {
    ...place,
    url: place.url ?? (/^https?:\/\//.test(source) ? source : null),
    citedText: citedText || null,
    title: textOf(citation['title']) || null,
    span: null,
  }
}

function placeOf(location: unknown): Place {
  if (!isObject(location)) return NOWHERE
  const { web, searchResultLocation: result } = location
  if (isObject(web)) return { ...NOWHERE, url: textOf(web['url']) || null }
  // A search result is not among the documents.
  if (isObject(result)) return { ...NOWHERE, location: rangeOf('block', result) }
  for (const [name, unit] of Object.entries(UNITS)) {
    const range = location[name]
    if (!isObject(range)) continue
    const { documentIndex: index } = range
    return { ...NOWHERE, documentIndex: isIndex(index) ? index : null, location: rangeOf(unit, range) }
  }
  return NOWHERE
}

function rangeOf(
  unit: 'char' | 'page' | 'block',
  { start, end }: Readonly<Record<string, unknown>>,
): Citation['location'] {
  return isIndex(start) && isIndex(end) ? { unit, start, end } : null
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
