// Which frames of a generateContent stream say the same again but for their words and what was used so far:
// then only these have to be looked at. Answered once for many frames, and a wrong "no" only costs reading
// them. Quotes inside JSON strings are escaped, so a quoted key with its colon found here is a key.

import type { Inside } from '../format.js'

const ONE_LINE = /^data:[^\r\n]+\r?\n\r?\n$/
const WORDS = /"text": ?"/g
const USAGE = /"usageMetadata": ?\{/g
/** The input stays the same, and is left out: whether the rest can be true depends on it. */
const COUNTED = [
  /"(?:candidates|thoughts|total)TokenCount"/,
  /"candidatesTokensDetails": ?\[\{"modality": ?"[A-Z]+","tokenCount"/,
]
const COUNTS = new RegExp(`(?:${COUNTED.map(({ source }) => source).join('|')}): ?(\\d+)(?=[,}\\n])`, 'g')
/** Sources are placed in the text so far, and calls may stand for words. */
const UNLIKE = ['"groundingMetadata"', '"citationMetadata"', '"functionCall"']

/** The numbers in `chunk` that tell what was used; null: not one frame, or not one that can be repeated. */
export function countsIn(chunk: Buffer): readonly Inside[] | null {
  const text = chunk.toString('latin1')
  if (!ONE_LINE.test(text)) return null
  if (UNLIKE.some((key) => text.includes(key)) || [...text.matchAll(WORDS)].length !== 1) return null
  const [usage, more] = [...text.matchAll(USAGE)]
  if (usage === undefined) return []
  if (more !== undefined) return null
  return [...text.matchAll(COUNTS)].flatMap((found) => {
    const [whole, digits = ''] = found
    const end = found.index + whole.length
    return found.index < usage.index ? [] : [{ start: end - digits.length, end }]
  })
}
