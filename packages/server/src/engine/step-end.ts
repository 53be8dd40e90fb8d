// How a call ended, as the stages hand it on to be recorded and delivered.

import type { RungName } from '../core/release/release.js'
import type { Answer } from './answer/answer.js'
import type { CachedAnswer } from './answer-ring.js'
import type { Refusal } from './refusal.js'

/** An answer without a call: from the cache (`rung: null` = a normal hit), or the contract's own words. */
export interface Made {
  readonly kind: 'made'
  readonly rung: RungName | null
  readonly cached: CachedAnswer | null
}

export type StepEnd =
  | { readonly kind: 'answer'; readonly answer: Answer; readonly route: string }
  | Made
  | Refusal
  | { readonly kind: 'caller-left' }
