// Which entries of the books are worth a log line. What went well is `debug`: the books have it, and a line
// for each call would cost as much as the call. What an operator would look for is said at once.

import type { AttemptRecord, Entry, OutcomeJudged } from '../../core/task/records.js'
import type { Logger } from './logs.js'

export function logEntry(logger: Logger, entry: Entry): void {
  switch (entry.kind) {
    case 'hold-settled':
      return logAttempt(logger, entry.task, entry.attempt)
    case 'outcome-judged':
      return logOutcome(logger, entry)
    case 'call-refused': {
      const { code, tenant, contract, task } = entry
      return logger.info('call.refused', { code, tenant, contract, task })
    }
    default:
  }
}

function logAttempt(logger: Logger, task: string, attempt: AttemptRecord): void {
  const { deployment, end, status, durationMs, basis, disputed } = attempt
  if (end !== 'ok') logger.warn('attempt.failed', { task, deployment, end, status, durationMs, basis })
  if (disputed !== undefined) logger.warn('usage.disputed', { task, deployment, ...disputed })
}

function logOutcome(logger: Logger, outcome: OutcomeJudged): void {
  const { task, status, source, success, harm, latencyMs, nanoUsd } = outcome
  const fields = { task, status, source, success, harm, latencyMs, nanoUsd }
  if (success && !harm) logger.debug('task.ended', fields)
  else logger.info('task.ended', { ...fields, reasons: outcome.reasons })
}
