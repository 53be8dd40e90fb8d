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
  TaskBalance,
} from '@spillway/protocol'
import type { AnswerStream } from './answer-stream.js'
import type { Clock } from './clock.js'
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
  type ModelCall,
  callModel,
  streamModel,
  taskHeaders,
} from './model-calls.js'
import { type OnDeviceCall, type OnDeviceOptions, onDeviceOf } from './on-device/rule.js'
import { runTool } from './run-tool.js'
import { type SpillwayError, isRecord } from './spillway-error.js'
import { type DependencyUse, fetchDependency, useDependency } from './use-dependency.js'
import type { TaskReports } from './task-reports.js'
import type { Transport } from './transport.js'

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

export interface CallOptions {
  /**
   * Tries the device first: true with the client's `onDevice`, an object changes that for this call. What
   * the device cannot do, or not well enough, goes to the server. Default: true where the contract's route
   * has `on_device`, the client has a runner and the call names no model. `TypeError` without runner or rule.
   */
  readonly onDevice?: OnDeviceCall
}

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
  readonly reports: TaskReports
  readonly onDevice: OnDeviceOptions | undefined
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
  /** The server's time, as steps are told in it: the clocks of devices are minutes off. */
  readonly #clock: Clock
  #left: LimitsJson
  #toolsRunning = 0
  #verdict: OutcomeRequest | null = null

  constructor(context: TaskContext) {
    const { deadlineMs, opened, priority, reports, signal, transport } = context
    this.id = opened.id
    this.contract = opened.contract
    this.release = opened.release
    this.deadline = new Date(deadlineMs)
    this.signal = signal
    this.#context = context
    this.#left = opened.budget.remaining
    const onBalance = (balance: TaskBalance) => this.#learn(balance)
    const { clock } = transport
    const aheadMs = deadlineMs - Date.parse(opened.deadline)
    this.#clock = { now: () => clock.now() - aheadMs, after: (delayMs, run) => clock.after(delayMs, run) }
    reports.listen(onBalance)
    this.#calls = {
      transport,
      clock: this.#clock,
      taskId: opened.id,
      contract: opened.contract,
      priority,
      signal,
      onBalance,
      leftMs: () => this.remaining().latency_ms,
      reportDevice: (step) => reports.device(step),
    }
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
  async chat<T = ChatAnswer>(body: ChatRequest, options?: CallOptions): Promise<Answer<T>> {
    return callModel<T>(this.#calls, CHAT, this.#call(body, options))
  }

  /** An Anthropic message, whole. Rejects with `SpillwayError`; never retried by the client. */
  async messages<T = MessagesAnswer>(body: MessagesRequest, options?: CallOptions): Promise<Answer<T>> {
    return callModel<T>(this.#calls, MESSAGES, this.#call(body, options))
  }

  /** The chunks of a chat completion. The request is sent when the first one is asked for. */
  streamChat<T = ChatChunk>(body: ChatRequest, options?: CallOptions): AnswerStream<T> {
    return streamModel<T>(this.#calls, CHAT, this.#call(body, options))
  }

  /** The events of an Anthropic message, `message_stop` included. Sent when the first one is asked for. */
  streamMessages<T = MessagesEvent>(body: MessagesRequest, options?: CallOptions): AnswerStream<T> {
    return streamModel<T>(this.#calls, MESSAGES, this.#call(body, options))
  }

  embeddings<T = EmbeddingsAnswer>(body: EmbeddingsRequest): Promise<Answer<T>> {
    return callModel<T>(this.#calls, EMBEDDINGS, { body, onDevice: null })
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
    const { signal } = this
    const { tool_calls: calls } = this.#left
    const remaining = { ...this.#left, tool_calls: calls === null ? null : calls - this.#toolsRunning }
    const report = async (step: ReportedStep) => void (await this.#context.reports.sendAnyway(step))
    this.#toolsRunning += 1
    try {
      return await runTool(
        { clock: this.#clock, taskId: this.id, signal, remaining, report },
        { name, input, run },
      )
    } finally {
      this.#toolsRunning -= 1
    }
  }

  /**
   * Uses a dependency that the application asks itself (a database, say) under its limits in Spillway: timed,
   * held back while it is down or full, and reported. Rejects with `SpillwayError` where it may not be used.
   */
  dependency<Output>(name: string, run: (use: DependencyUse) => Promise<Output> | Output): Promise<Output> {
    const report = async (step: ReportedStep) => void (await this.#context.reports.sendAnyway(step))
    return useDependency({ ...this.#reach(), clock: this.#clock, report }, name, run)
  }

  /** Asks a dependency that has a `base_url`, through Spillway: `t.fetch('search', '/query?q=tea')`. */
  fetch(name: string, path = '', init: RequestInit = {}): Promise<Response> {
    return fetchDependency(this.#reach(), { name, path, init })
  }

  /** Reports a step that the application ran. Rejects with `SpillwayError` when Spillway does not take it. */
  async step(report: StepReport): Promise<void> {
    const startedAt = new Date(this.#clock.now()).toISOString()
    const { signal } = this
    await this.#context.reports.send({ started_at: startedAt, duration_ms: 0, ...report }, { signal })
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

  #reach() {
    return { transport: this.#context.transport, taskId: this.id, signal: this.signal }
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

  #call(body: ChatRequest, options: CallOptions | undefined): ModelCall {
    const { onDevice: client, opened } = this.#context
    const sources = { contract: opened.on_device, client, call: options?.onDevice }
    return { body, onDevice: onDeviceOf({ ...sources, namesModel: body.model !== undefined }) }
  }

  #learn(balance: TaskBalance): void {
    // Absent when the task ended with the call: what was known last stays.
    if (isRecord(balance.remaining)) this.#left = balance.remaining
  }
}
