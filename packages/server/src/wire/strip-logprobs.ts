// Takes log probabilities out again where only we had asked for them.

import { skipSpace, skipValue } from './json-splice.js'
import { asBuffer } from './sse.js'

const KEY = Buffer.from('"logprobs"')
const COLON = 0x3a
const LETTER_N = 0x6e

/**
 * The same bytes with every `logprobs` value as `null`, which is what an answer has that never asked. Takes
 * a whole answer or a stream's chunk: inside JSON strings quotes are escaped, so the key cannot be found in
 * a text. `none`: what the format has there instead.
 */
export function stripLogprobs(answerBytes: Uint8Array, none: 'null' | '[]' = 'null'): Buffer {
  const json = asBuffer(answerBytes)
  const empty = Buffer.from(none)
  const pieces: Buffer[] = []
  let copied = 0
  for (let at = json.indexOf(KEY); at !== -1; at = json.indexOf(KEY, Math.max(at + KEY.length, copied))) {
    const colon = skipSpace(json, at + KEY.length)
    if (json[colon] !== COLON) continue
    const start = skipSpace(json, colon + 1)
    if (json[start] === LETTER_N) continue
    pieces.push(json.subarray(copied, start), empty)
    copied = skipValue(json, start)
  }
  return copied === 0 ? json : Buffer.concat([...pieces, json.subarray(copied)])
}
