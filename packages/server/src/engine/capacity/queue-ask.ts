// What is asked of a queue, what comes of it, and what it needs of the world.

import { DISPATCH_SHARE } from '../../core/capacity/early-rejection.js'
import type { Arrival, Waiting } from '../../core/capacity/class-queue.js'
import type { Demand } from '../../core/capacity/demand.js'
import { tokenCost } from '../../core/capacity/fair-queue.js'
import { rankOf } from '../../core/capacity/hold-back.js'
import { OUT_PATIENCE_MS } from '../../core/capacity/outage.js'
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
  /** Are all of them held back by their breakers alone? */
  isOut(deployments: readonly Deployment[], demand: Demand, nowMs: number): boolean
  /** Are all of them left alone because their providers asked for it? */
  areResting(deployments: readonly Deployment[], nowMs: number): boolean
}

export function arrivalOf(demand: Demand, isBatch: boolean): Omit<Arrival<Waiter>, 'value'> {
  const { criticality, tenant, weight, inputTokens, outputTokens, deadlineMs } = demand
  const rank = isBatch ? rankOf('sheddable') : rankOf(criticality)
  return { rank, tenant, weight, cost: tokenCost(inputTokens, outputTokens), deadlineMs }
}

/** Later than this its first token would be too late. What can wait has its deadline alone. */
export function dispatchBy(
  { leaveMs, firstTokenMs, targetMs }: QueueAsk,
  isBatch: boolean,
  nowMs: number,
): number {
  const targetedMs = targetMs === null || isBatch ? Infinity : nowMs + DISPATCH_SHARE * targetMs
  return Math.max(nowMs + 1, Math.min(leaveMs, targetedMs) - firstTokenMs)
}

/** It cannot use every deployment of its model: what is free may be of use to others. */
export function isParticular({ value }: Entry): boolean {
  return value.ask.usable.length < value.ask.model.deployments.length
}

/** A call that does not wait, or no more. `isOut`: all deployments were out. */
export interface Refused {
  readonly rank: number
  readonly refusal: NoPlace
  readonly resolve: (end: QueueEnd) => void
  readonly isOut: boolean
}

/** Patience is for waiting alone; what the first token takes is no part of it. */
export function hurried(ask: QueueAsk, nowMs: number): QueueAsk {
  return { ...ask, leaveMs: Math.min(ask.leaveMs, nowMs + OUT_PATIENCE_MS + ask.firstTokenMs) }
}
