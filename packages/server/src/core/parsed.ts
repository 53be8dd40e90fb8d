// The end of every parse: a value, or every problem found, each with the place it was found at.

export interface Problem {
  /** Where: a JSON path (`messages[2].content`), a header name, or `file:line:column`. */
  readonly at: string
  /** What is wrong and what to do. Never contains prompt text or secrets. */
  readonly message: string
}

export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

export function parsed<T>(value: T): Parsed<T> {
  return { kind: 'ok', value }
}

export function invalid(at: string, message: string): Parsed<never> {
  return { kind: 'invalid', problems: [{ at, message }] }
}
