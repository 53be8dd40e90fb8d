// Seeded embeddings: every word, and every pair of neighbours, adds to a few dimensions of its own. So equal
// texts have equal vectors, similar texts near ones, and texts that share nothing stand at about a right
// angle.

import { hash32 } from './seeded.js'

const DIMENSIONS_PER_WORD = 8
const PAIR_WEIGHT = 0.5

/** A unit vector of 32-bit floats. */
export function embedText(
  text: string,
  options: { readonly dimensions: number; readonly seed: number },
): Float32Array {
  const vector = new Float32Array(options.dimensions)
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [text]
  let previous = ''
  for (const word of words) {
    add(vector, word, { weight: 1, seed: options.seed })
    if (previous !== '') add(vector, `${previous} ${word}`, { weight: PAIR_WEIGHT, seed: options.seed })
    previous = word
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  // Signs that cancel out would leave nothing to norm.
  if (length === 0) vector[0] = 1
  else for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) / length
  return vector
}

function add(
  vector: Float32Array,
  feature: string,
  how: { readonly weight: number; readonly seed: number },
): void {
  for (let round = 0; round < DIMENSIONS_PER_WORD; round++) {
    const hash = hash32(feature, how.seed + round)
    const index = (hash >>> 1) % vector.length
    vector[index] = (vector[index] ?? 0) + (hash & 1 ? how.weight : -how.weight)
  }
}

export function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
