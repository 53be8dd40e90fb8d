// Entries of the books become spans as they come in: a step's when it ended, the task's with its first
// outcome. What a task needs for that is remembered until it ends, for a bounded number of tasks.

import type { Resource } from '../../core/budget/amounts.js'
import { NOTHING } from '../../core/budget/amounts.js'
import { IdTable } from '../../core/id-table.js'
import type { TaskId } from '../../core/ids.js'
import { inputTotal, outputTotal } from '../../core/money/token-counts.js'
import type { Entry, OutcomeJudged, StepEnded, TaskOpened } from '../../core/task/records.js'
import type { SpanWriter } from '../../wire/span-writer.js'
import { TaskSpans } from '../../wire/task-spans.js'
import { type TaskSpanContext, parseTraceparent, taskSpanContext } from '../../wire/trace-context.js'

/** Tasks remembered. A forgotten task's steps are still exported, its own span is not. */
export const TASKS_MAX = 20_000

/** The entries spans are made of. */
export type SpanEntry = TaskOpened | StepEnded | OutcomeJudged

export function isSpanEntry(entry: Entry): entry is SpanEntry {
  return entry.kind === 'task-opened' || entry.kind === 'step-ended' || entry.kind === 'outcome-judged'
}

interface RememberedTask {
  opened: TaskOpened | null
  context: TaskSpanContext | null
  readonly used: Record<Resource, number>
}

export class SpanAssembler {
  readonly #spans: TaskSpans
  readonly #tasks = new IdTable<TaskId, RememberedTask>()

  constructor(to: SpanWriter) {
    this.#spans = new TaskSpans(to)
  }

  /** Writes the spans that are complete now. None for a task whose caller asked not to sample its trace. */
  add(entry: SpanEntry): void {
    switch (entry.kind) {
      case 'task-opened':
        return this.#opened(entry)
      case 'step-ended':
        return this.#step(entry)
      case 'outcome-judged':
        return this.#outcome(entry)
    }
  }

  #opened(opened: TaskOpened): void {
    const task = this.#task(opened.id)
    task.opened = opened
    const caller = parseTraceparent(opened.traceparent ?? null)
    if (caller !== null) task.context = taskSpanContext(opened.id, caller)
  }

  #task(id: TaskId): RememberedTask {
    const known = this.#tasks.get(id)
    if (known !== undefined) return known
    if (this.#tasks.size >= TASKS_MAX) this.#tasks.dropOldest()
    const task = { opened: null, context: null, used: { ...NOTHING } }
    this.#tasks.set(id, task)
    return task
  }

  #step(step: StepEnded): void {
    const task = this.#task(step.task)
    const context = (task.context ??= taskSpanContext(step.task, parseTraceparent(step.traceparent)))
    count(task.used, step)
    // A task that is not known to be open has ended or was forgotten: nothing more is remembered of it.
    if (task.opened === null) this.#tasks.take(step.task)
    if (isSampled(context)) this.#spans.step(step, { context, opened: task.opened })
  }

  #outcome(outcome: OutcomeJudged): void {
    const task = this.#tasks.take(outcome.task)
    if (task === undefined || task.opened === null) return
    const context = task.context ?? taskSpanContext(outcome.task, null)
    if (isSampled(context)) this.#spans.task({ opened: task.opened, outcome, used: task.used }, context)
  }
}

function isSampled(context: TaskSpanContext): boolean {
  return context.parent?.sampled ?? true
}

function count(used: Record<Resource, number>, step: StepEnded): void {
  for (const attempt of step.attempts) {
    used.modelCalls += attempt.basis === 'none' ? 0 : 1
    used.inputTokens += inputTotal(attempt.tokens)
    used.outputTokens += outputTotal(attempt.tokens)
    used.nanoUsd += attempt.chargedNanoUsd
  }
  used.nanoUsd += step.otherNanoUsd
  used.toolMs += step.toolMs
  if (step.step === 'tool') used.toolCalls += 1
}
