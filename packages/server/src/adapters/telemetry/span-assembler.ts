// Entries of the books become spans as they come in: a step's when it ended, the task's with its first
// outcome. What a task needs for that is remembered until it ends, for a bounded number of tasks.

import type { Resource } from '../../core/budget/amounts.js'
import { NOTHING } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import { inputTotal, outputTotal } from '../../core/money/token-counts.js'
import type { Entry, OutcomeJudged, StepEnded, TaskOpened } from '../../core/task/records.js'
import { stepSpans, taskSpan } from '../../wire/otel-genai.js'
import type { SpanData } from '../../wire/span-data.js'
import {
  type Hash,
  type TaskSpanContext,
  parseTraceparent,
  taskSpanContext,
} from '../../wire/trace-context.js'

/** Tasks remembered. A forgotten task's steps are still exported, its own span is not. */
export const TASKS_MAX = 20_000

/** The entries spans are made of; the others need not be sent here. */
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
  readonly #hash: Hash
  readonly #tasks = new Map<TaskId, RememberedTask>()

  constructor(hash: Hash) {
    this.#hash = hash
  }

  /** The spans that are complete now. None for a task whose caller asked not to sample its trace. */
  add(entry: SpanEntry): readonly SpanData[] {
    switch (entry.kind) {
      case 'task-opened':
        return this.#opened(entry)
      case 'step-ended':
        return this.#step(entry)
      case 'outcome-judged':
        return this.#outcome(entry)
    }
  }

  #opened(opened: TaskOpened): readonly SpanData[] {
    const task = this.#task(opened.id)
    task.opened = opened
    const caller = parseTraceparent(opened.traceparent ?? null)
    if (caller !== null) task.context = taskSpanContext(opened.id, caller, this.#hash)
    return []
  }

  #task(id: TaskId): RememberedTask {
    const known = this.#tasks.get(id)
    if (known !== undefined) return known
    if (this.#tasks.size >= TASKS_MAX) {
      const [oldest] = this.#tasks.keys()
      if (oldest !== undefined) this.#tasks.delete(oldest)
    }
    const task = { opened: null, context: null, used: { ...NOTHING } }
    this.#tasks.set(id, task)
    return task
  }

  #step(step: StepEnded): readonly SpanData[] {
    const task = this.#task(step.task)
    const context = (task.context ??= taskSpanContext(
      step.task,
      parseTraceparent(step.traceparent),
      this.#hash,
    ))
    count(task.used, step)
    // A task that is not known to be open has ended or was forgotten: nothing more is remembered of it.
    if (task.opened === null) this.#tasks.delete(step.task)
    return isSampled(context) ? stepSpans(step, { context, opened: task.opened }, this.#hash) : []
  }

  #outcome(outcome: OutcomeJudged): readonly SpanData[] {
    const task = this.#tasks.get(outcome.task)
    this.#tasks.delete(outcome.task)
    if (task === undefined || task.opened === null) return []
    const context = task.context ?? taskSpanContext(outcome.task, null, this.#hash)
    return isSampled(context) ? [taskSpan({ opened: task.opened, outcome, used: task.used }, context)] : []
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
