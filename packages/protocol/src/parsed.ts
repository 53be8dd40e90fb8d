// The end of every parse: a value, or every problem found, each with the place it was found at.

export interface Problem {
  /** Where: a JSON path (`budget.max_cost_usd`), `body`, or a header name. */
  readonly at: string
  /** What is wrong and what to do. Never contains values, so never prompt text or secrets. */
  readonly message: string
}

export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
