// What a task tells Spillway while it runs: the steps of the application. Calls on the device are told in the
// background, so that an answer never waits for its report, and the outcome comes after them.

import type { OutcomeRequest, ReportedStep, StepAccepted, TaskBalance } from '@spillway/protocol'
import { randomKey } from './random-key.js'
import { type ReportQueue, isUnreachable } from './report-queue.js'
import { SpillwayError, isRecord } from './spillway-error.js'
import { type Transport, sendControl } from './transport.js'

export interface OutcomeSent {
  readonly path: string
  readonly body: OutcomeRequest
  readonly idempotencyKey: string
}

export interface ReportsContext {
  readonly transport: Transport
  readonly queue: ReportQueue
  readonly taskId: string
  readonly undelivered: SpillwayError[]
}

export class TaskReports {
  readonly #context: ReportsContext
  readonly #running = new Set<Promise<void>>()
  #onBalance: (balance: TaskBalance) => void = () => undefined
  #usedDevice = false
  #saidUnavailable = false

  constructor(context: ReportsContext) {
    this.#context = context
  }

  /** Hears where the budget stands after each step. */
  listen(onBalance: (balance: TaskBalance) => void): void {
    this.#onBalance = onBalance
  }

  /** Rejects with `SpillwayError` when Spillway does not take it. */
  async send(
    step: ReportedStep,
    { signal, idempotencyKey }: { readonly signal?: AbortSignal; readonly idempotencyKey?: string } = {},
  ): Promise<void> {
    const { transport } = this.#context
    const { body } = await sendControl(
      transport,
      { path: this.#stepsPath, body: step, signal },
      idempotencyKey,
    )
    const accepted = body as Partial<StepAccepted>
    if (isRecord(accepted.task)) this.#onBalance(accepted.task)
  }

  /** What has been done counts: a report that fails is noted, and undoes nothing. */
  async sendAnyway(step: ReportedStep, idempotencyKey?: string): Promise<SpillwayError | null> {
    try {
      await this.send(step, idempotencyKey === undefined ? {} : { idempotencyKey })
      return null
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error
      this.#context.undelivered.push(error)
      return error
    }
  }

  /** A call on the device, as it starts. Tells it when it has ended; kept for later when nobody answers. */
  device(step: Promise<ReportedStep>): void {
    this.#usedDevice = true
    const running: Promise<void> = step
      .then((ended) => this.#tellDevice(ended))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when all calls on the device are told, or wait in the queue. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** True when the outcome now waits behind the reports of this task, or in their place. */
  keepOutcome(outcome: OutcomeSent, error: SpillwayError | null): boolean {
    const { queue, taskId } = this.#context
    const isKept = error === null ? queue.has(taskId) : this.#usedDevice && isUnreachable(error)
    const { path, body, idempotencyKey } = outcome
    if (isKept) queue.add({ taskId, kind: 'outcome', path, body }, idempotencyKey)
    return isKept
  }

  get #stepsPath(): string {
    return `/v1/tasks/${encodeURIComponent(this.#context.taskId)}/steps`
  }

  async #tellDevice(step: ReportedStep): Promise<void> {
    // A device that is not there stays away: once for each task says it.
    const isUnavailable = step.on_device?.end === 'unavailable'
    if (isUnavailable && this.#saidUnavailable) return
    this.#saidUnavailable ||= isUnavailable
    const { queue, taskId } = this.#context
    const report = { taskId, kind: 'step', path: this.#stepsPath, body: step } as const
    if (queue.has(taskId)) return queue.add(report)
    const idempotencyKey = randomKey()
    const error = await this.sendAnyway(step, idempotencyKey)
    if (isUnreachable(error)) queue.add(report, idempotencyKey)
  }
}
