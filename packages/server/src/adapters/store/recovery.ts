// What a killed process left behind: holds nobody settled, and calls nobody will answer. A hold is charged in
// full, because the provider may have generated everything it was allowed to.

import { NO_TOKENS } from '../../core/money/token-counts.js'
import type { HoldMade, HoldSettled, OutcomeJudged } from '../../core/task/records.js'
import type { TaskSummary } from '../../core/task/views.js'

export interface Recovery {
  readonly settledHolds: number
  readonly closedTasks: number
  /** Charged for the holds, nano-USD. */
  readonly nanoUsd: number
}

export function settleAtWorst(hold: HoldMade, nowMs: number): HoldSettled {
  const { amounts, attempt } = hold
  return {
    kind: 'hold-settled',
    id: hold.id,
    task: hold.task,
    atMs: nowMs,
    accounts: hold.accounts,
    actual: amounts,
    stepNumber: hold.stepNumber,
    attempt: {
      ...attempt,
      model: hold.model,
      deployment: hold.deployment,
      provider: hold.provider,
      tier: hold.tier,
      startedMs: hold.atMs,
      durationMs: 0, // unknown: nobody saw the end
      firstByteMs: null,
      status: 0,
      end: 'process_died',
      held: amounts,
      tokens: { ...NO_TOKENS, input: amounts.inputTokens, output: amounts.outputTokens },
      nanoUsd: hold.priceBook === null ? null : amounts.nanoUsd,
      chargedNanoUsd: amounts.nanoUsd,
      basis: 'worst-case',
      priceBook: hold.priceBook,
      simulated: hold.simulated,
    },
  }
}

export function closeAsFailed(task: TaskSummary, nowMs: number): OutcomeJudged {
  const { opened } = task
  // The time the server was down is not the task's: it would have ended at its deadline.
  const endedMs = Math.max(opened.atMs, Math.min(nowMs, opened.deadlineMs))
  return {
    kind: 'outcome-judged',
    task: opened.id,
    atMs: nowMs,
    status: 'failed',
    source: 'recovery',
    success: false,
    harm: false,
    reasons: ['the process died before the call was answered'],
    score: null,
    evidence: [],
    latencyMs: endedMs - opened.atMs,
    sloMet: null,
    nanoUsd: task.spent.nanoUsd,
    unpricedCalls: task.unpricedCalls,
    priceNanoUsd: null,
  }
}
