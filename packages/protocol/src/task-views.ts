// What `GET /v1/tasks`, `GET /v1/tasks/{id}` and `GET /v1/tasks/{id}/trace` answer. Every instant is there
// twice: as RFC 3339 text (`_at`) and as ms since 1970 (`_ms`). null means unknown or "does not apply", never
// zero.

import type { DecisionJson, Tier } from './answers.js'
import type {
  AmountsJson,
  BudgetJson,
  JudgedOutcome,
  OutcomeStatus,
  ReportedStepKind,
  TaskStatus,
} from './tasks.js'

/** An outcome as the books keep it; a task may have several, the last one stands. */
export interface OutcomeView extends JudgedOutcome {
  readonly status: OutcomeStatus
  /** Who ended the task. */
  readonly source: 'contract' | 'application' | 'deadline' | 'recovery'
  readonly score: number | null
  readonly evidence: readonly unknown[]
  readonly judged_at: string
  readonly judged_ms: number
  /** Model calls whose price is unknown: the cost leaves them out. */
  readonly unpriced_calls: number
}

/** `GET /v1/tasks/{id}` */
export interface TaskView {
  readonly id: string
  readonly contract: string
  readonly release: string
  readonly tenant: string
  readonly status: TaskStatus
  readonly opened_at: string
  readonly opened_ms: number
  readonly deadline: string
  readonly deadline_ms: number
  readonly parent: string | null
  readonly session: string | null
  readonly external_id: string | null
  readonly attributes: Readonly<Record<string, unknown>>
  /** Opened, judged and closed with one model call. */
  readonly one_step: boolean
  readonly budget: BudgetJson
  readonly cost_usd: number
  readonly unpriced_calls: number
  readonly steps: number
  readonly attempts: number
  readonly degraded: boolean
  readonly last_step_ended_at: string | null
  readonly last_step_ended_ms: number | null
  readonly outcome: OutcomeView | null
}

/** One row of `GET /v1/tasks`. */
export interface TaskRowView {
  readonly id: string
  readonly contract: string
  readonly tenant: string
  readonly status: TaskStatus
  readonly opened_at: string
  readonly opened_ms: number
  readonly latency_ms: number | null
  readonly success: boolean | null
  readonly harm: boolean | null
  readonly cost_usd: number
  readonly unpriced_calls: number
  readonly steps: number
  readonly attempts: number
  readonly degraded: boolean
  readonly escalated: boolean
  readonly session: string | null
  readonly external_id: string | null
}

/** `GET /v1/tasks?...`: newest first. */
export interface TaskListPage {
  readonly tasks: readonly TaskRowView[]
  /** Ask again with `cursor` set to this; null on the last page. */
  readonly next_cursor: string | null
}

/** Tokens by class; no class contains another. */
export interface TokensView {
  readonly input: number
  readonly cache_read: number
  readonly cache_write: number
  readonly cache_write_1h: number
  readonly output: number
  readonly reasoning: number
  readonly audio_input: number
  readonly audio_output: number
}

/** One upstream attempt and what it cost. */
export interface AttemptView {
  readonly id: string
  readonly number: number
  readonly purpose: 'answer' | 'judge' | 'sample' | 'hedge'
  readonly model: string
  readonly deployment: string
  readonly provider: string
  readonly tier: Tier
  readonly started_at: string
  readonly started_ms: number
  readonly duration_ms: number
  readonly first_byte_ms: number | null
  /** HTTP status; 0 when none arrived. */
  readonly status: number
  /** `ok`, or why not. */
  readonly end: string
  readonly held: AmountsJson
  readonly tokens: TokensView
  /** null: the price is unknown, and `charged_usd` is what was held. */
  readonly cost_usd: number | null
  readonly charged_usd: number
  readonly basis: 'reported' | 'estimated' | 'worst-case' | 'none'
  readonly price_book: string | null
  /** What the provider claimed, when it was not believed. */
  readonly disputed: {
    readonly input: number | null
    readonly output: number | null
    readonly total: number | null
  } | null
  readonly simulated: boolean
}

export interface StepView {
  readonly id: string
  readonly number: number
  readonly kind: 'model' | 'check' | ReportedStepKind
  readonly name: string
  readonly started_at: string
  readonly started_ms: number
  readonly duration_ms: number
  readonly first_byte_ms: number | null
  readonly route: string | null
  readonly model: string | null
  readonly deployment: string | null
  readonly tier: Tier | null
  readonly cache: 'exact' | 'semantic' | 'miss' | 'off'
  readonly cache_age_ms: number | null
  readonly degraded: readonly string[]
  readonly escalated: boolean
  readonly streamed: boolean
  /** Rules whose fact never arrived. */
  readonly unknown_rules: readonly string[]
  readonly attempts: readonly AttemptView[]
  readonly decisions: readonly DecisionJson[]
  readonly prompt_hash: string | null
  /** Everything that is not an attempt: a reported step's own cost. */
  readonly other_cost_usd: number
  readonly tool_ms: number
  readonly error: string | null
  /** Reference to stored content, when the contract records it. */
  readonly content: string | null
  readonly finish_reason: string | null
  readonly reported: { readonly input?: unknown; readonly output?: unknown; readonly error?: unknown } | null
  readonly traceparent: string | null
}

/** One line of the ledger. */
export interface ChargeView {
  readonly id: string
  readonly step_number: number
  readonly settled_at: string
  readonly settled_ms: number
  readonly accounts: readonly string[]
  readonly actual: AmountsJson
  readonly attempt: AttemptView
}

/** `GET /v1/tasks/{id}/trace`: everything known, in order of time. */
export interface TaskTraceView {
  readonly task: TaskView
  readonly steps: readonly StepView[]
  readonly charges: readonly ChargeView[]
  readonly outcomes: readonly OutcomeView[]
  readonly children: readonly string[]
}
