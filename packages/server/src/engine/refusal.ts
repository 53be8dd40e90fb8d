// A call or request that is turned away: what the caller is told, whatever format they speak.

import type { ErrorCode } from '@spillway/protocol'
import type { TaskId } from '../core/ids.js'
import type { Problem } from '../core/parsed.js'

export interface Refusal {
  readonly kind: 'refused'
  readonly code: ErrorCode
  /** Says what happened and where; no prompt text, no secrets. */
  readonly message: string
  readonly task: TaskId | null
  readonly problems?: readonly Problem[]
  readonly attempts?: readonly {
    readonly deployment: string
    readonly status: number
    readonly end: string
    /** The provider's own words. */
    readonly message?: string
  }[]
  readonly retryAfterSeconds?: number
  /** A provider's own refusal of the request, without secrets, where the caller speaks its format. */
  readonly upstream?: { readonly status: number; readonly body: Uint8Array; readonly contentType: string }
}

export function refused(code: ErrorCode, message: string, more: Partial<Refusal> = {}): Refusal {
  return { task: null, ...more, kind: 'refused', code, message }
}
