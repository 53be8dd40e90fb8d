// What is written down about a task. These are the entries of the books: the journal holds them in order,
// the store files them. Everything shown later (report, trace, replay) is computed from them alone.

import type { Amounts } from '../budget/amounts.js'
import type { AttemptId, HoldId, ReleaseId, StepId, TaskId } from '../ids.js'
import type { TokenCounts } from '../money/token-counts.js'
import type { Tier } from '../release/release.js'
import type { ServedDeployment } from '../release/served-deployment.js'
import type { Verdict } from '../release/rule.js'
import type { EventName } from './event-names.js'

/** One choice made on the way, with what it was made from. Inputs never contain prompt text. */
export interface Decision {
  readonly stage: 'admit' | 'screen' | 'plan' | 'recall' | 'hold' | 'acquire' | 'attempt' | 'judge' | 'settle'
  readonly choice: string
  readonly reason: string
  readonly inputs?: Readonly<Record<string, unknown>>
}

export interface TaskOpened {
  readonly kind: 'task-opened'
  readonly id: TaskId
  readonly atMs: number
  readonly contract: string
  readonly release: ReleaseId
  readonly tenant: string
  readonly parent: TaskId | null
  readonly session: string | null
  readonly externalId: string | null
  readonly attributes: Readonly<Record<string, unknown>>
  /** Infinity is written as null. */
  readonly limits: { readonly [K in keyof Amounts]: number | null }
  readonly deadlineMs: number
  /** Opened, judged and closed with one model call. */
  readonly oneStep: boolean
  /** The span the application opened the task from. For traces: the books do not keep it. */
  readonly traceparent?: string
}

export type StepKind = 'model' | 'retrieval' | 'tool' | 'review' | 'check' | 'custom'

/** How the amount of a charge is known. */
export type ChargeBasis =
  | 'reported' // the provider's usage, consistent with what was seen
  | 'estimated' // computed from bytes and deltas: no usage, or usage that cannot be true
  | 'worst-case' // the hold itself: the process died, or nobody can know
  | 'none' // nothing was generated: refused or failed before the model ran

/** One upstream attempt and what it cost. The ledger is the sum of these. */
export interface AttemptRecord {
  readonly id: AttemptId
  /** Position in the task, from 1. */
  readonly number: number
  readonly purpose: 'answer' | 'judge' | 'sample' | 'hedge'
  readonly model: string
  readonly deployment: string
  readonly provider: string
  readonly tier: Tier
  readonly startedMs: number
  readonly durationMs: number
  readonly firstByteMs: number | null
  /** HTTP status, or 0 when none arrived. */
  readonly status: number
  /**
   * `ok`, or why not: `http_429`, `timeout`, `connection`, `credentials`, `stale_credentials`, `no_credit`,
   * `unknown_model`, `throttled`, `rejected`, `context_length`, `broken_stream`, `stream_error`,
   * `invalid_body`, `slow_start`, `stalled`, `slow`, `hedge_lost`, `cut`, `caller_left`.
   */
  readonly end: string
  readonly held: Amounts
  readonly tokens: TokenCounts
  /** null: the price is unknown. The budget was charged the hold's amount instead. */
  readonly nanoUsd: number | null
  /** What the budget was charged: equals `nanoUsd` where that is known. */
  readonly chargedNanoUsd: number
  readonly basis: ChargeBasis
  readonly priceBook: string | null
  /**
   * What the provider's cache of prompts saved, nano-USD: below 0, writing to it cost more. Absent: it was
   * not used, or the price is unknown.
   */
  readonly cacheSavedNanoUsd?: number
  /** What the provider claimed, when it was not believed. */
  readonly disputed?: {
    readonly input: number | null
    readonly output: number | null
    readonly total: number | null
  }
  readonly simulated: boolean
}

export interface StepEnded {
  readonly kind: 'step-ended'
  readonly task: TaskId
  readonly id: StepId
  /** Position in the task, from 1. */
  readonly number: number
  readonly step: StepKind
  readonly name: string
  readonly startedMs: number
  readonly durationMs: number
  readonly firstByteMs: number | null
  readonly route: string | null
  readonly model: string | null
  readonly deployment: string | null
  readonly tier: Tier | null
  readonly cache: 'exact' | 'semantic' | 'miss' | 'off'
  readonly cacheAgeMs: number | null
  readonly degraded: readonly string[]
  readonly escalated: boolean
  readonly streamed: boolean
  /** Rules whose fact never arrived, by source text. */
  readonly unknownRules: readonly string[]
  readonly attempts: readonly AttemptRecord[]
  readonly decisions: readonly Decision[]
  /** SHA-256 of the request body as it came, hex; null for reported steps. */
  readonly promptHash: string | null
  /** A reported step's own cost, and everything else that is not an attempt. */
  readonly otherNanoUsd: number
  /** Accounts `otherNanoUsd` was charged to; only for reported steps. */
  readonly accounts?: readonly string[]
  readonly toolMs: number
  readonly error: string | null
  /** Reference to stored content, when the contract says `record: content`. */
  readonly content: string | null
  readonly finishReason: string | null
  /** Only for reported steps; small, as sent. */
  readonly reported?: { readonly input?: unknown; readonly output?: unknown; readonly error?: unknown }
  readonly traceparent: string | null
}

/**
 * Money and tokens promised before anything is sent. Lives in the journal until its settlement is there too.
 */
export interface HoldMade {
  readonly kind: 'hold-made'
  readonly id: HoldId
  readonly atMs: number
  readonly task: TaskId
  readonly step: StepId
  readonly stepNumber: number
  readonly accounts: readonly string[]
  readonly amounts: Amounts
  /** The attempt it is for, so that a dead process's hold can be settled at its worst case. */
  readonly attempt: {
    readonly id: AttemptId
    readonly number: number
    readonly purpose: AttemptRecord['purpose']
  }
  readonly model: string
  readonly deployment: string
  readonly provider: string
  readonly tier: Tier
  readonly priceBook: string | null
  readonly simulated: boolean
}

export interface HoldSettled {
  readonly kind: 'hold-settled'
  readonly id: HoldId
  readonly task: TaskId
  readonly atMs: number
  readonly accounts: readonly string[]
  readonly actual: Amounts
  readonly stepNumber: number
  readonly attempt: AttemptRecord
}

export interface OutcomeJudged {
  readonly kind: 'outcome-judged'
  readonly task: TaskId
  readonly atMs: number
  readonly status: 'succeeded' | 'failed' | 'abandoned'
  readonly source: 'contract' | 'application' | 'deadline' | 'recovery'
  readonly success: boolean
  readonly harm: boolean
  readonly reasons: readonly string[]
  /**
   * What each expression of the contract said, by source: a late verdict is judged with what is no longer
   * there.
   */
  readonly rules?: Readonly<Record<string, Verdict>>
  readonly score: number | null
  readonly evidence: readonly unknown[]
  /** From opening to the last answer or the first outcome, ms. */
  readonly latencyMs: number
  readonly sloMet: boolean | null
  readonly nanoUsd: number
  readonly unpricedCalls: number
  readonly priceNanoUsd: number | null
}

/** A call that was turned away before it had a step: counted in the report, never charged. */
export interface CallRefused {
  readonly kind: 'call-refused'
  readonly atMs: number
  readonly tenant: string | null
  readonly contract: string | null
  readonly task: TaskId | null
  readonly code: string
}

/** From now on new tasks start under this release: until another one does, also while no server runs. */
export interface ReleaseServed {
  readonly kind: 'release-served'
  readonly atMs: number
  readonly release: ReleaseId
  readonly deployments: readonly ServedDeployment[]
}

/** Something happened to the service as a whole. */
export interface EventHappened {
  readonly kind: 'event'
  readonly atMs: number
  readonly event: EventName
  /** What it happened to: a contract, a deployment. */
  readonly subject: string
  /** Small, and fit for JSON; names as on the wire. */
  readonly detail: Readonly<Record<string, unknown>>
}

export type Entry =
  | TaskOpened
  | HoldMade
  | HoldSettled
  | StepEnded
  | OutcomeJudged
  | CallRefused
  | ReleaseServed
  | EventHappened
