// Where an answer comes from: pages it was grounded in, and sources it quotes. Places in the answer are told
// in bytes of UTF-8 and become characters.

import { isObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'

/** A citation and the part of the answer it belongs to, by its position among all parts; null: not told. */
export interface PlacedCitation {
  readonly part: number | null
  readonly citation: Citation
}

/** `textOf` gives the text that the told bytes count in. */
export function readCitations(
  candidate: Record<string, unknown>,
  textOf: (part: number | null) => string,
): readonly PlacedCitation[] {
  return [
    ...fromGrounding(candidate['groundingMetadata'], textOf),
    ...fromQuotes(candidate['citationMetadata'], textOf),
  ]
}

type TextOf = (part: number | null) => string

function fromGrounding(metadata: unknown, textOf: TextOf): readonly PlacedCitation[] {
  if (!isObject(metadata)) return []
  const chunks = listOf(metadata['groundingChunks'])
  return listOf(metadata['groundingSupports']).flatMap((support): readonly PlacedCitation[] => {
    if (!isObject(support)) return []
    const segment = isObject(support['segment']) ? support['segment'] : {}
    // Protocol buffers leave a zero out.
    const part = numberOr(segment['partIndex'], 0)
    const span = spanOf(segment, textOf(part))
    return listOf(support['groundingChunkIndices']).flatMap((index): readonly PlacedCitation[] => {
      const source = typeof index === 'number' ? sourceOf(chunks[index]) : null
      return source === null ? [] : [{ part, citation: { ...source, ...NOWHERE, span } }]
    })
  })
}

function fromQuotes(metadata: unknown, textOf: TextOf): readonly PlacedCitation[] {
  if (!isObject(metadata)) return []
  const quotes = listOf(metadata['citations'] ?? metadata['citationSources'])
  return quotes.filter(isObject).map((quote) => ({
    part: null,
    citation: {
      citedText: null,
      title: wordsOf(quote['title']),
      url: wordsOf(quote['uri']),
      ...NOWHERE,
      span: spanOf(quote, textOf(null)),
    },
  }))
}

const NOWHERE = { documentIndex: null, location: null } as const

type Source = Pick<Citation, 'citedText' | 'title' | 'url'>

function sourceOf(chunk: unknown): Source | null {
  if (!isObject(chunk)) return null
  const source = [chunk['web'], chunk['retrievedContext'], chunk['maps']].find(isObject)
  if (source === undefined) return null
  return { citedText: wordsOf(source['text']), title: wordsOf(source['title']), url: wordsOf(source['uri']) }
}

function spanOf(place: Record<string, unknown>, text: string): Citation['span'] {
  const start = numberOr(place['startIndex'], 0)
  const end = place['endIndex']
  const bytes = Buffer.from(text)
  if (typeof end !== 'number' || start < 0 || start > end || end > bytes.length) return null
  return { start: charactersIn(bytes, start), end: charactersIn(bytes, end) }
}

function charactersIn(bytes: Buffer, length: number): number {
  return bytes.toString('utf8', 0, length).length
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise
}

function wordsOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
