// Everything a list of entries says about one task.

import { type Amounts, NOTHING, RESOURCES } from '../core/budget/amounts.js'
import type { Entry, HoldSettled, OutcomeJudged, StepEnded, TaskOpened } from '../core/task/records.js'
import type { TaskRow, TaskSummary } from '../core/task/views.js'

export interface TaskStory {
  readonly opened: TaskOpened
  readonly settled: readonly HoldSettled[]
  readonly steps: readonly StepEnded[]
  readonly outcomes: readonly OutcomeJudged[]
}

export function addAmounts(a: Amounts, b: Partial<Amounts>): Amounts {
  return Object.fromEntries(RESOURCES.map((name) => [name, a[name] + (b[name] ?? 0)])) as unknown as Amounts
}

export function storyOf(opened: TaskOpened, entries: readonly Entry[]): TaskStory {
  const own = entries.filter((entry) => 'task' in entry && entry.task === opened.id)
  return {
    opened,
    settled: own.filter((entry) => entry.kind === 'hold-settled'),
    steps: own.filter((entry) => entry.kind === 'step-ended'),
    outcomes: own.filter((entry) => entry.kind === 'outcome-judged'),
  }
}

export function storiesOf(entries: readonly Entry[]): readonly TaskStory[] {
  return entries.flatMap((entry) => (entry.kind === 'task-opened' ? [storyOf(entry, entries)] : []))
}

export function summaryOf({ opened, settled, steps, outcomes }: TaskStory): TaskSummary {
  const charged = settled.reduce((sum, { actual }) => addAmounts(sum, actual), NOTHING)
  const spent = steps.reduce((sum, step) => {
    const toolCalls = step.step === 'tool' ? 1 : 0
    return addAmounts(sum, { toolCalls, toolMs: step.toolMs, nanoUsd: step.otherNanoUsd })
  }, charged)
  const ends = steps.map((step) => step.startedMs + step.durationMs)
  return {
    opened,
    status: outcomes.at(-1)?.status ?? 'open',
    spent,
    unpricedCalls: settled.filter(({ attempt }) => attempt.nanoUsd === null).length,
    attempts: settled.length,
    steps: steps.length,
    outcome: outcomes.at(-1) ?? null,
    degraded: steps.some((step) => step.degraded.length > 0),
    lastStepEndedMs: ends.length === 0 ? null : Math.max(...ends),
  }
}

export function rowOf(story: TaskStory): TaskRow {
  const { opened, status, spent, unpricedCalls, attempts, steps, outcome, degraded } = summaryOf(story)
  return {
    id: opened.id,
    contract: opened.contract,
    tenant: opened.tenant,
    status,
    openedMs: opened.atMs,
    latencyMs: outcome?.latencyMs ?? null,
    success: outcome?.success ?? null,
    harm: outcome?.harm ?? null,
    nanoUsd: spent.nanoUsd,
    unpricedCalls,
    steps,
    attempts,
    degraded,
    escalated: story.steps.some((step) => step.escalated),
    session: opened.session,
    externalId: opened.externalId,
  }
}
