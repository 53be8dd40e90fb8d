// Reports that nobody took because nobody answered: kept in order, for a while, and sent again in the
// background. Only what concerns calls on the device waits here; they go on without a connection.

import { randomKey } from './random-key.js'
import { CLIENT_CODES, SpillwayError } from './spillway-error.js'
import { type Transport, sendControl } from './transport.js'

/** Most reports kept. One more, and the oldest is given up. */
export const QUEUE_LENGTH_MAX = 100

/** Waits between tries, ms; a report that gets through starts them anew. After the last all are given up. */
export const QUEUE_WAITS_MS = [1_000, 5_000, 15_000, 60_000] as const

export interface QueuedReport {
  readonly taskId: string
  readonly kind: 'step' | 'outcome'
  readonly path: string
  readonly body: unknown
  /** The one of the first try, which may have arrived though its answer did not. */
  readonly idempotencyKey: string
}

export class ReportQueue {
  readonly #transport: Transport
  #reports: readonly QueuedReport[] = []
  #failures = 0
  #isRunning = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** True while something of this task waits: what comes later has to wait behind it. */
  has(taskId: string): boolean {
    return this.#reports.some((report) => report.taskId === taskId)
  }

  add(report: Omit<QueuedReport, 'idempotencyKey'>, idempotencyKey: string = randomKey()): void {
    this.#reports = [...this.#reports, { ...report, idempotencyKey }].slice(-QUEUE_LENGTH_MAX)
    if (!this.#isRunning) this.#wait()
  }

  /** For an outcome that another one has made old. */
  dropOutcomes(taskId: string): void {
    this.#reports = this.#reports.filter((report) => report.taskId !== taskId || report.kind !== 'outcome')
  }

  #wait(): void {
    const waitMs = QUEUE_WAITS_MS[this.#failures]
    this.#isRunning = waitMs !== undefined && this.#reports.length > 0
    if (waitMs === undefined || !this.#isRunning) {
      this.#reports = []
      this.#failures = 0
      return
    }
    this.#transport.clock.after(waitMs, () => void this.#sendAll().finally(() => this.#wait()))
  }

  /** Ends at the first report for which nobody answers. */
  async #sendAll(): Promise<void> {
    for (let first = this.#reports[0]; first !== undefined; first = this.#reports[0]) {
      const { path, body, idempotencyKey } = first
      try {
        await sendControl(this.#transport, { path, body }, idempotencyKey)
        this.#failures = 0
      } catch (error) {
        if (isUnreachable(error)) {
          this.#failures += 1
          return
        }
        // A refusal is an answer: nothing more can be done for this report.
      }
      this.#reports = this.#reports.filter((report) => report !== first)
    }
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof SpillwayError && error.code === CLIENT_CODES.unreachable
}
