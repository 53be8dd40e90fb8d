// One model call on its way through the stages: what came in, and what has been decided and spent so far.

import type { Priority } from '@spillway/protocol'
import type { StepId } from '../core/ids.js'
import type { JsonObject } from '../core/json.js'
import type { CallerWire, RungName, Tenant } from '../core/release/release.js'
import type { Facts } from '../core/release/rule.js'
import type { AttemptRecord, Decision } from '../core/task/records.js'
import type { RequestView, StreamScanner, WireFormat } from '../wire/format.js'
import type { Answer } from './answer/answer.js'
import type { Engine } from './engine.js'
import type { Caller } from './ports.js'
import type { Task } from './task-registry.js'

/** A model call as the HTTP floor parsed it. */
export interface ModelCall {
  readonly wire: CallerWire
  /** The caller's bytes; the same value parsed is `json`. */
  readonly body: Uint8Array
  readonly json: unknown
  readonly view: RequestView
  readonly tenant: Tenant
  /** `x-spillway-task`. */
  readonly contract: string | null
  /** `x-spillway-task-id`. */
  readonly taskId: string | null
  readonly attributes: Facts
  readonly session: string | null
  readonly priority: Priority
  readonly traceparent: string | null
  readonly requestId: string
  /** Format headers that must reach a provider of the same format. */
  readonly upstreamHeaders: Readonly<Record<string, string>>
  /** The answer is kept under its id, so that a later call can go on from it. */
  readonly keeps?: KeptTurn
  /** Thoughts among what was said before, by id: the provider that had them, who alone can read them. */
  readonly thoughts?: ReadonlyMap<string, string>
}

/** What a call of the Responses API adds to its conversation. */
export interface KeptTurn {
  /** Id of the response it goes on from. */
  readonly previous: string | null
  /** Its own input, without what came before. */
  readonly input: readonly JsonObject[]
}

export interface Step {
  readonly engine: Engine
  readonly call: ModelCall
  readonly caller: Caller
  readonly format: WireFormat
  readonly task: Task
  readonly id: StepId
  /** Position in the task, from 1. */
  readonly number: number
  readonly startedMs: number
  readonly decisions: Decision[]
  /** Those that are over, in the order in which they were sent. */
  readonly attempts: AttemptRecord[]
  /** Attempts that were sent. */
  sent: number
  readonly degraded: RungName[]
  readonly unknownRules: string[]
  /** The request as it goes out: the caller's, until `shorter_context` replaces it. */
  request: { readonly body: Uint8Array; readonly json: unknown; readonly view: RequestView }
  /** What the plan settled on; shown even when the call fails. */
  route: string | null
  /** Of the stream that was begun last; null: none was. */
  scanner: StreamScanner | null
  /** Models that answered and were not good enough. */
  readonly tried: string[]
  /** An answer that is complete but was judged too weak: better than none. */
  fallbackAnswer: Answer | null
  escalatedBy: number | null
  /** Facts that arrived after the call, by name. */
  readonly signals: Record<string, unknown>
  firstByteMs: number | null
  cache: 'exact' | 'semantic' | 'miss' | 'off'
  cacheAgeMs: number | null
  /** Its record is written: whatever goes wrong now, it is not written twice. */
  isClosed: boolean
}

export function decide(step: Step, decision: Decision): void {
  step.decisions.push(decision)
}

const DAY_MS = 86_400_000

/** Until when the contract keeps what was asked and answered, ms since 1970. */
export function keptUntilMs({ engine, task }: Step): number {
  return engine.system.nowMs() + task.contract.retentionDays * DAY_MS
}

export function timeLeftMs(step: Step): number {
  return step.task.deadlineMs - step.engine.system.nowMs()
}
