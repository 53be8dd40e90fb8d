// Which entries of the books are worth a log line. What went well is `debug`: the books have it, and a line
// for each call would cost as much as the call. What an operator would look for is said at once, and not over
// and over.

import type { System } from '../../engine/ports.js'
import type { AttemptRecord, CallRefused, Entry, OutcomeJudged } from '../../core/task/records.js'
import { LineLimit } from './line-limit.js'
import type { Logger } from './logs.js'

export class EntryLog {
  readonly #logger: Logger
  readonly #limit: LineLimit

  constructor(logger: Logger, system: System) {
    this.#logger = logger
    this.#limit = new LineLimit(system, (leftOut) => {
      for (const [lines, count] of leftOut) logger.info('log.repeats_left_out', { lines, count })
    })
  }

  observe(entry: Entry): void {
    switch (entry.kind) {
      case 'hold-settled':
        return this.#attempt(entry.task, entry.attempt)
      case 'outcome-judged':
        return this.#outcome(entry)
      case 'call-refused':
        return this.#refusal(entry)
      case 'event':
        this.#logger.warn(entry.event, { subject: entry.subject, ...entry.detail })
        return
      default:
    }
  }

  #attempt(task: string, attempt: AttemptRecord): void {
    const { deployment, end, status, durationMs, basis, disputed } = attempt
    if (end !== 'ok' && this.#limit.allows(`attempt.failed ${deployment} ${end}`))
      this.#logger.warn('attempt.failed', { task, deployment, end, status, durationMs, basis })
    if (disputed !== undefined && this.#limit.allows(`usage.disputed ${deployment}`))
      this.#logger.warn('usage.disputed', { task, deployment, ...disputed })
  }

  #outcome(outcome: OutcomeJudged): void {
    const { task, status, source, success, harm, latencyMs, nanoUsd, reasons } = outcome
    const fields = { task, status, source, success, harm, latencyMs, nanoUsd }
    if (success && !harm) this.#logger.debug('task.ended', fields)
    else if (this.#limit.allows(`task.ended ${status}${harm ? ' harm' : ''}`))
      this.#logger.info('task.ended', { ...fields, reasons })
  }

  /** By tenant, not by contract: a refused call may name any contract it likes. */
  #refusal({ code, tenant, contract, task }: CallRefused): void {
    if (this.#limit.allows(`call.refused ${code} ${tenant ?? ''}`))
      this.#logger.info('call.refused', { code, tenant, contract, task })
  }
}
