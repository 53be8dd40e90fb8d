// How a dependency that is an HTTP service is asked.

export interface DependencyRequest {
  readonly method: string
  readonly url: string
  /** Lower case; the dependency's own are among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

export type DependencyAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
    }
  /** `detail` has no secrets. */
  | {
      readonly kind: 'failed'
      readonly end: 'connection' | 'timeout' | 'broken' | 'too_large' | 'caller_left'
      readonly detail: string
    }

/** Never rejects. `signal` aborts it: then it ends as `caller_left`. */
export type SendToDependency = (request: DependencyRequest, signal: AbortSignal) => Promise<DependencyAnswer>
