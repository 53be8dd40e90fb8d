// Where a character of a YAML string stands in the file. Expressions are checked as strings; their mistakes
// are reported in the file, through quotes, escapes, folded lines and block indentation.

const isSpace = (char: string | undefined): boolean =>
  char === ' ' || char === '\n' || char === '\t' || char === '\r'

const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 }

function escapeLength(raw: string, at: number): number {
  return ESCAPE_LENGTHS[raw[at + 1] ?? ''] ?? 2
}

function contentStart(raw: string): number {
  const first = raw[0]
  if (first === '"' || first === "'") return 1
  // A block scalar: its content starts on the line after the `|` or `>` header.
  if (first === '|' || first === '>') return raw.indexOf('\n') + 1
  return 0
}

/** Offset in `raw` of `value[index]`; walks both, skipping what YAML took out or joined. */
export function positionInRaw(raw: string, value: string, index: number): number {
  const quote = raw[0] === '"' || raw[0] === "'" ? raw[0] : null
  let at = contentStart(raw)
  for (let taken = 0; taken <= Math.min(index, value.length - 1); taken++) {
    const wanted = value[taken]
    // Indentation and folded line ends: whitespace in the file that the value does not have.
    if (!isSpace(wanted)) while (at < raw.length && isSpace(raw[at])) at++
    if (taken === index) break
    if (isSpace(wanted) && isSpace(raw[at])) {
      // A folded line end is one space in the value, whatever it is in the file.
      if (wanted === ' ' && raw[at] !== ' ') while (isSpace(raw[at + 1])) at++
      at++
    } else if (quote === '"' && raw[at] === '\\') at += escapeLength(raw, at)
    else if (quote === "'" && raw[at] === "'" && wanted === "'") at += 2
    // White space never takes a letter: what looked like a folded line end had taken its place already.
    else if (!isSpace(wanted)) at++
  }
  return Math.min(at + Math.max(0, index - value.length), raw.length)
}
