// "Did you mean": the nearest known word, so that a spelling mistake is mended without opening a manual.

/** Fewest single-letter edits (insert, delete, replace, swap neighbours) between two words, ignoring case. */
export function editDistance(left: string, right: string): number {
  const a = left.toLowerCase()
  const b = right.toLowerCase()
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      let cost = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

// Words from outside can be long; comparing them costs the product of the lengths.
const WORD_LENGTH_MAX = 64

/**
 * The nearest word at most `withinEdits` away, the first of several; null when none is near enough to be what
 * was meant. Default: a third of the word's length, and at least two.
 */
export function nearest(word: string, known: Iterable<string>, withinEdits?: number): string | null {
  if (word.length > WORD_LENGTH_MAX) return null
  const limit = withinEdits ?? Math.max(2, Math.floor(word.length / 3))
  let best: string | null = null
  let bestDistance = limit + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The end of a message about an unknown word: the nearest known one, else all of them. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const names = [...known]
  const near = nearest(word, names)
  if (near !== null) return `did you mean \`${near}\`?`
  return names.length === 0
    ? 'none is known here'
    : `known here: ${names.map((name) => `\`${name}\``).join(', ')}`
}
