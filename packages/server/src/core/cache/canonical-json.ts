// One text per JSON value, whatever order its keys came in: what is hashed for cache keys, prompts and
// releases. A loop with its own stack, not recursion: JSON.parse accepts nesting that would overflow the
// call stack.

interface Open {
  /** Sorted member names; null for an array. */
  readonly keys: readonly string[] | null
  readonly values: readonly unknown[]
  next: number
}

/** Object keys sorted by UTF-16 code unit, no white space; members that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  const stack: Open[] = []
  let text = begin(value, stack)
  for (let open = stack.at(-1); open !== undefined; open = stack.at(-1)) {
    const position = open.next++
    if (position === open.values.length) {
      text += open.keys ? '}' : ']'
      stack.pop()
      continue
    }
    if (position > 0) text += ','
    if (open.keys) text += `${JSON.stringify(open.keys[position])}:`
    text += begin(open.values[position], stack)
  }
  return text
}

/** A scalar's text; for the others the opening bracket, and their members wait on the stack. */
function begin(value: unknown, stack: Open[]): string {
  // What JSON cannot say (undefined, functions) is null, as JSON.stringify does it inside arrays.
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) {
    stack.push({ keys: null, values: value, next: 0 })
    return '['
  }
  const members = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(members).filter((key) => members[key] !== undefined)
  keys.sort()
  stack.push({ keys, values: keys.map((key) => members[key]), next: 0 })
  return '{'
}
