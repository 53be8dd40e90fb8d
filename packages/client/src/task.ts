// A running task, as the application's callback sees it. Every call carries the task's id and ends with its
// signal.

import type {
  BudgetRequest,
  JudgedOutcome,
  LimitsJson,
  OpenedTask,
  OutcomeRequest,
  Priority,
  ReportedStep,
  StepAccepted,
  TaskBalance,
} from '@spillway/protocol'
import type { AnswerStream } from './answer-stream.js'
import type {
  ChatAnswer,
  ChatChunk,
  ChatRequest,
  EmbeddingsAnswer,
  EmbeddingsRequest,
  MessagesAnswer,
  MessagesEvent,
  MessagesRequest,
} from './model-answers.js'
import {
  type Answer,
  CHAT,
  type CallContext,
  EMBEDDINGS,
  MESSAGES,
  callModel,
  streamModel,
  taskHeaders,
} from './model-calls.js'
import { runTool } from './run-tool.js'
import { SpillwayError, isRecord } from './spillway-error.js'
import { type Transport, sendControl } from './transport.js'

export interface TaskOptions {
  /** Facts for the contract's rules, merged over the tenant's. */
  readonly attributes?: Readonly<Record<string, unknown>>
  /** The conversation this belongs to. */
  readonly session?: string
  /** Limits, named as in the configuration (`max_cost_usd`). They only tighten what the contract allows. */
  readonly budget?: BudgetRequest
  /** The application's own id for this work. */
  readonly externalId?: string
  /** Id of the task whose remainder this one spends from; `t.subtask` sets it. */
  readonly parent?: string
  /** Default `interactive`. */
  readonly priority?: Priority
  /** Ends the task as `abandoned`; everything it is waiting for rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface TaskResult<T> {
  /** What the callback returned. */
  readonly value: T
  /** What the contract made of it; null: it could not be delivered, `undelivered` says why. */
  readonly outcome: JudgedOutcome | null
  /** Reports (tool steps, the outcome) that Spillway did not take. They never fail work that is done. */
  readonly undelivered: readonly SpillwayError[]
}

export type TaskWork<T> = (task: Task) => Promise<T> | T
export type RunTask = <T>(contract: string, options: TaskOptions, work: TaskWork<T>) => Promise<TaskResult<T>>

/** What is left of the budget, as last heard from Spillway; `latency_ms` counts down by itself. */
export type Remaining = LimitsJson & { readonly latency_ms: number }

/** Settings to hand to an official SDK, so that its calls belong to this task: `new OpenAI(t.openai)`. */
export interface SdkOptions {
  readonly baseURL: string
  readonly apiKey: string
  readonly defaultHeaders: Record<string, string>
}

/** A step to report. `started_at` defaults to now, `duration_ms` to 0. */
export type StepReport = Omit<ReportedStep, 'started_at' | 'duration_ms'> &
  Partial<Pick<ReportedStep, 'started_at' | 'duration_ms'>>

/** What makes the task a success, beyond the last answer of a model. */
export interface Verdict {
  readonly output?: unknown
  readonly evidence?: readonly unknown[]
  readonly score?: number
}

export interface TaskContext {
  readonly transport: Transport
  readonly opened: OpenedTask
  /** By the client's clock, ms since 1970. */
  readonly deadlineMs: number
  readonly priority: Priority | undefined
  readonly signal: AbortSignal
  readonly undelivered: SpillwayError[]
  readonly runTask: RunTask
}

export class Task {
  readonly id: string
  readonly contract: string
  readonly release: string
  /** When the task's time is up, by this machine's clock. */
  readonly deadline: Date
  /** Aborts at the deadline and with the caller's signal. Hand it to whatever else waits on the outside. */
  readonly signal: AbortSignal
  readonly #context: TaskContext
  readonly #calls: CallContext
  #left: LimitsJson
  #toolsRunning = 0
  #verdict: OutcomeRequest | null = null

  constructor(context: TaskContext) {
    const { opened, priority, signal, transport } = context
    this.id = opened.id
    this.contract = opened.contract
    this.release = opened.release
    this.deadline = new Date(context.deadlineMs)
    this.signal = signal
    this.#context = context
    this.#left = opened.budget.remaining
    const onBalance = (balance: TaskBalance) => this.#learn(balance)
    this.#calls = { transport, taskId: opened.id, contract: opened.contract, priority, signal, onBalance }
  }

  /** For `new OpenAI(t.openai)`. */
  get openai(): SdkOptions {
    return this.#sdkOptions('/v1')
  }

  /** For `new Anthropic(t.anthropic)`. */
  get anthropic(): SdkOptions {
    return this.#sdkOptions('')
  }

  /** The verdict given so far; null when none was. */
  get verdict(): OutcomeRequest | null {
    return this.#verdict
  }

  remaining(): Remaining {
    const latencyMs = this.deadline.getTime() - this.#context.transport.clock.now()
    return { ...this.#left, latency_ms: Math.max(0, latencyMs) }
  }

  /** A chat completion, whole. Rejects with `SpillwayError`; never retried by the client. */
  chat<T = ChatAnswer>(body: ChatRequest): Promise<Answer<T>> {
    return callModel<T>(this.#calls, CHAT, body)
  }

  /** An Anthropic message, whole. Rejects with `SpillwayError`; never retried by the client. */
  messages<T = MessagesAnswer>(body: MessagesRequest): Promise<Answer<T>> {
    return callModel<T>(this.#calls, MESSAGES, body)
  }

  /** The chunks of a chat completion. The request is sent when the first one is asked for. */
  streamChat<T = ChatChunk>(body: ChatRequest): AnswerStream<T> {
    return streamModel<T>(this.#calls, CHAT, body)
  }

  /** The events of an Anthropic message, `message_stop` included. Sent when the first one is asked for. */
  streamMessages<T = MessagesEvent>(body: MessagesRequest): AnswerStream<T> {
    return streamModel<T>(this.#calls, MESSAGES, body)
  }

  embeddings<T = EmbeddingsAnswer>(body: EmbeddingsRequest): Promise<Answer<T>> {
    return callModel<T>(this.#calls, EMBEDDINGS, body)
  }

  /**
   * Runs a tool of the application, within the tool limits of the budget, and reports it as a step: time, and
   * input and output where they are JSON of at most 16 KB. Errors are reported by name and rethrown.
   */
  async tool<Output>(
    name: string,
    input: unknown,
    run: (signal: AbortSignal) => Promise<Output> | Output,
  ): Promise<Output> {
    const { transport, signal } = this.#context
    const { tool_calls: calls } = this.#left
    const remaining = { ...this.#left, tool_calls: calls === null ? null : calls - this.#toolsRunning }
    const report = (step: ReportedStep) => this.#reportAnyway(step)
    this.#toolsRunning += 1
    try {
      return await runTool(
        { clock: transport.clock, taskId: this.id, signal, remaining, report },
        { name, input, run },
      )
    } finally {
      this.#toolsRunning -= 1
    }
  }

  /** Reports a step that the application ran. Rejects with `SpillwayError` when Spillway does not take it. */
  async step(report: StepReport): Promise<void> {
    const startedAt = new Date(this.#context.transport.clock.now()).toISOString()
    await this.#report({ started_at: startedAt, duration_ms: 0, ...report }, this.signal)
  }

  /**
   * A task of its own, with its own contract and outcome, that spends from this one's remainder and ends with
   * it.
   */
  subtask<T>(contract: string, options: TaskOptions, work: TaskWork<T>): Promise<TaskResult<T>> {
    const signal = options.signal === undefined ? this.signal : AbortSignal.any([this.signal, options.signal])
    return this.#context.runTask(contract, { ...options, parent: this.id, signal }, work)
  }

  /** Says what was achieved. Sent when the callback ends; the last verdict stands. */
  succeed(verdict: Verdict = {}): void {
    this.#verdict = { ...verdict, status: 'succeeded' }
  }

  /** Says that the task failed though the callback may end well. `reason` is stored: no personal data. */
  fail(reason?: string): void {
    this.#verdict = reason === undefined ? { status: 'failed' } : { status: 'failed', reason }
  }

  #sdkOptions(path: string): SdkOptions {
    const { origin, apiKey } = this.#context.transport
    // The SDKs demand a key, also where the server asks for none.
    return {
      baseURL: origin + path,
      apiKey: apiKey ?? 'none',
      defaultHeaders: { ...taskHeaders(this.#calls) },
    }
  }

  async #report(step: ReportedStep, signal?: AbortSignal): Promise<void> {
    const path = `/v1/tasks/${encodeURIComponent(this.id)}/steps`
    const { body } = await sendControl(this.#context.transport, { path, body: step, signal })
    const accepted = body as Partial<StepAccepted>
    if (isRecord(accepted.task)) this.#learn(accepted.task)
  }

  // The tool has run and its result counts: a report that fails must not undo it.
  async #reportAnyway(step: ReportedStep): Promise<void> {
    try {
      await this.#report(step)
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error
      this.#context.undelivered.push(error)
    }
  }

  #learn(balance: TaskBalance): void {
    // Absent when the task ended with the call: what was known last stays.
    if (isRecord(balance.remaining)) this.#left = balance.remaining
  }
}
