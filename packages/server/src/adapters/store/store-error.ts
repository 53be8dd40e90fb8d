// How the books fail. One class, so that callers can tell "the books are unavailable" from a bug.

export type StoreErrorCode = 'journal-write' | 'locked' | 'other-format' | 'database' | 'closed'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    this.code = code
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
