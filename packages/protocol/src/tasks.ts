// The control API of tasks, as it is on the wire: JSON in snake_case, money in US dollars, time in ms or RFC
// 3339.

/** What was used of a task's budget. */
export interface AmountsJson {
  readonly model_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly tool_calls: number
  readonly tool_ms: number
  readonly cost_usd: number
}

/** What may be used, or is left; null = no limit of that kind. */
export type LimitsJson = { readonly [K in keyof AmountsJson]: number | null }

export interface BudgetJson {
  readonly limits: LimitsJson
  readonly spent: AmountsJson
  /** Never negative. */
  readonly remaining: LimitsJson
}

/** Limits a caller may ask for. They only tighten what the contract allows. */
export interface BudgetRequest {
  readonly max_model_calls?: number
  readonly max_input_tokens?: number
  readonly max_output_tokens?: number
  readonly max_tool_calls?: number
  readonly max_tool_ms?: number
  /** From opening to the end of the task, ms. */
  readonly max_latency_ms?: number
  readonly max_cost_usd?: number
}

/** `POST /v1/tasks` */
export interface OpenTaskRequest {
  readonly contract: string
  /** Facts for rules, merged over the tenant's. */
  readonly attributes?: Readonly<Record<string, unknown>>
  /** The conversation this belongs to: affinity and memory. */
  readonly session?: string
  readonly budget?: BudgetRequest
  /** The application's own id for this piece of work; lists can be filtered by it. */
  readonly external_id?: string
  /** Id of the task whose remainder this one spends from. */
  readonly parent?: string
}

/** Answer of `POST /v1/tasks`, status 201. */
export interface OpenedTask {
  readonly id: string
  readonly contract: string
  readonly release: string
  /** RFC 3339. Nothing of the task runs past it. */
  readonly deadline: string
  readonly budget: BudgetJson
  /** Present where the contract's route starts on the caller's device, if that can run a model. */
  readonly on_device?: OnDeviceRoute
}

/** The first rung of a route that a client runs itself. */
export interface OnDeviceRoute {
  /** 0..1. Answers that are less sure, or do not say how sure they are, are escalated to the server. */
  readonly min_confidence: number
  readonly timeout_ms?: number
}

export const REPORTED_STEP_KINDS = ['retrieval', 'tool', 'review', 'custom', 'model'] as const
export type ReportedStepKind = (typeof REPORTED_STEP_KINDS)[number]

/**
 * What became of a model call on a device: `answered` the application, `escalated` because the rule turned
 * the answer down, or no answer at all.
 */
export const DEVICE_ENDS = ['answered', 'escalated', 'failed', 'timeout', 'aborted', 'unavailable'] as const
export type DeviceEnd = (typeof DEVICE_ENDS)[number]

/** A model call that ran on the caller's device. Never holds what was asked or answered. */
export interface ReportedDeviceCall {
  /** Shown as `on-device/<model>`, so that it is never taken for a configured model. */
  readonly model: string
  readonly end: DeviceEnd
  readonly input_tokens?: number
  readonly output_tokens?: number
  /** 0..1, as the device's runner says. */
  readonly confidence?: number
  /** From the start of the step to the first piece of the answer, ms. */
  readonly first_byte_ms?: number
  readonly streamed?: boolean
  readonly finish_reason?: string
}

/** `POST /v1/tasks/{id}/steps`: a step the application ran itself. */
export interface ReportedStep {
  readonly kind: ReportedStepKind
  readonly name: string
  /** RFC 3339. */
  readonly started_at: string
  readonly duration_ms: number
  readonly cost_usd?: number
  readonly input?: unknown
  readonly output?: unknown
  /** Present when the step failed. */
  readonly error?: unknown
  /** Of a step of kind `model`, and only there. */
  readonly on_device?: ReportedDeviceCall
  /** The permit it was done with: kind, name, times and cost are the dependency's. */
  readonly permit?: string
}

/** `POST /v1/tasks/{id}/permits`: to use a dependency once. */
export interface PermitRequest {
  /** As configured. */
  readonly dependency: string
}

/** Answer of `POST /v1/tasks/{id}/permits`, status 201. */
export interface PermitGiven {
  /** For the step that is reported afterwards. */
  readonly permit: string
  /** Longest use, ms: of the dependency, and of what is left of the task. */
  readonly timeout_ms: number
  readonly expires_at: string
}

/** Answer of `POST /v1/tasks/{id}/steps`, status 201. */
export interface StepAccepted {
  readonly id: string
  readonly task: TaskBalance
}

/** Where a task's budget stands after a step. */
export interface TaskBalance {
  readonly id: string
  readonly spent: AmountsJson
  readonly remaining: LimitsJson
}

export const OUTCOME_STATUSES = ['succeeded', 'failed', 'abandoned'] as const
export type OutcomeStatus = (typeof OUTCOME_STATUSES)[number]

/** `POST /v1/tasks/{id}/outcome`: the application's verdict. The last one stands. */
export interface OutcomeRequest {
  readonly status: OutcomeStatus
  /** What the task produced, when it differs from the last answer of a model. */
  readonly output?: unknown
  readonly evidence?: readonly unknown[]
  readonly score?: number
  readonly reason?: string
}

/** Answer of `POST /v1/tasks/{id}/outcome`: what the contract makes of it. */
export interface JudgedOutcome {
  readonly success: boolean
  readonly harm: boolean
  /** Why it is not a success, by expression; empty for a plain success. */
  readonly reasons: readonly string[]
  readonly cost_usd: number
  /** null: the contract has no price. */
  readonly price_usd: number | null
  readonly margin_usd: number | null
  readonly latency_ms: number
  /** null: the contract has no latency target. */
  readonly slo_met: boolean | null
}

export const TASK_STATUSES = ['open', ...OUTCOME_STATUSES] as const
export type TaskStatus = (typeof TASK_STATUSES)[number]

/** Query of `GET /v1/tasks`. */
export interface TaskListQuery {
  readonly contract?: string
  readonly tenant?: string
  readonly status?: TaskStatus
  readonly session?: string
  readonly external_id?: string
  readonly degraded?: boolean
  /** An age such as `24h` or `7d`, or an RFC 3339 instant. */
  readonly since?: string
  readonly until?: string
  /** 1..500, default 50. */
  readonly limit?: number
  /** `next_cursor` of the page before. */
  readonly cursor?: string
}
