// What is asked of a queue, what comes of it, and what it needs of the world.

import type { Waiting } from '../../core/capacity/class-queue.js'
import type { Demand } from '../../core/capacity/demand.js'
import type { OverloadStep } from '../../core/capacity/overload.js'
import type { QueueSettings } from '../../core/release/capacity-settings.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { System } from '../ports.js'
import type { Place } from './deployment-state.js'

export type Taken =
  | { readonly kind: 'place'; readonly place: Place }
  /** None is free. Infinity: when a call has ended; else when the first may be ready, ms from now. */
  | { readonly kind: 'wait'; readonly waitMs: number }

export interface QueueAsk {
  readonly model: ModelEntry
  /** The deployments that can serve this call. */
  readonly usable: readonly Deployment[]
  readonly demand: Demand
  /** It is not waited beyond this instant: then another way is taken, or it is too late. */
  readonly leaveMs: number
  /** From getting a place to the first token; 0: not known. */
  readonly firstTokenMs: number
  /** Until the first token, waiting included; null: there is none. */
  readonly targetMs: number | null
  /** Its caller said that it can wait. */
  readonly isTolerant: boolean
  /** None of them is ready before this has passed, ms; 0 or Infinity: nobody knows. */
  readonly restMs: number
  readonly settings: QueueSettings
}

export type RefusalAsk = Omit<QueueAsk, 'model' | 'usable' | 'settings'>

export type QueueEnd = { readonly kind: 'place'; readonly place: Place } | { readonly kind: 'gone' } | NoPlace

export interface NoPlace {
  readonly kind: 'none'
  /** Refused before its time was up; else it waited for as long as it could. */
  readonly isShed: boolean
  /** After which it is worth another try, ms. */
  readonly waitMs: number
  readonly reason: string
}

export interface Waiter {
  readonly ask: QueueAsk
  readonly resolve: (end: QueueEnd) => void
}

export type Entry = Waiting<Waiter>

/** A level of overload that changed. */
export interface OverloadChange {
  readonly model: string
  readonly from: number
  readonly to: number
  /** What is given up last at the level it changed to; null: nothing is. */
  readonly step: OverloadStep | null
  readonly atMs: number
}

export interface QueuePorts {
  readonly system: System
  tell(change: OverloadChange): void
  take(deployments: readonly Deployment[], demand: Demand, nowMs: number): Taken
}
