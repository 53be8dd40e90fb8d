// A one-step task that goes as planned (one answer, from one attempt or from none) is gathered here while it
// runs, so that its end can be written as one line and filed as one row. Whatever does not fit the plan
// leaves the gathering, and its entries are written one by one. Entries are kept, not copied: nobody changes
// an entry that was recorded.

import type { Amounts } from '../../core/budget/amounts.js'
import { IdTable } from '../../core/id-table.js'
import type { TaskId } from '../../core/ids.js'
import type {
  AttemptRecord,
  Entry,
  HoldMade,
  HoldSettled,
  OutcomeJudged,
  StepEnded,
  TaskOpened,
} from '../../core/task/records.js'
import { sameAmounts } from './packed.js'

export interface Call {
  readonly kind: 'call'
  readonly opened: TaskOpened
  /** null for an answer that needed no attempt. */
  hold: HoldMade | null
  settled: HoldSettled | null
  step: StepEnded | null
  outcome: OutcomeJudged | null
  /** What the journal has of it. `parts`: more than the hold, so it cannot become one line any more. */
  written: 'nothing' | 'opened' | 'held' | 'parts'
  /** It waits for the next write. */
  queued: boolean
}

/** All parts are there. */
export interface WholeCall extends Call {
  readonly step: StepEnded
  readonly outcome: OutcomeJudged
}

export function isWhole(call: Call): call is WholeCall {
  return call.outcome !== null && call.step !== null
}

export class Calls {
  readonly #running = new IdTable<TaskId, Call>()

  /** The call that `entry` is now a part of; null: the entry is written by itself. */
  take(entry: Entry): Call | null {
    if (entry.kind === 'task-opened')
      return entry.oneStep && entry.parent === null ? this.#begin(entry) : null
    if (!('task' in entry) || entry.kind === 'call-refused') return null
    const call = this.#running.get(entry.task)
    if (call === undefined) return null
    const isPart = call.written !== 'parts' && join(call, entry)
    if (!isPart || entry.kind === 'outcome-judged') this.#running.take(entry.task)
    return isPart ? call : null
  }

  #begin(opened: TaskOpened): Call {
    const call: Call = {
      kind: 'call',
      opened,
      hold: null,
      settled: null,
      step: null,
      outcome: null,
      written: 'nothing',
      queued: false,
    }
    this.#running.set(opened.id, call)
    return call
  }
}

type Part = HoldMade | HoldSettled | StepEnded | OutcomeJudged

function join(call: Call, entry: Part): boolean {
  switch (entry.kind) {
    case 'hold-made':
      if (call.hold !== null || call.step !== null || !isFirstHold(entry)) return false
      call.hold = entry
      return true
    case 'hold-settled':
      if (call.hold === null || call.settled !== null || !settles(call.hold, entry)) return false
      call.settled = entry
      return true
    case 'step-ended':
      if (call.step !== null || !isOnlyStep(entry) || !isStepOf(call, entry)) return false
      call.step = entry
      return true
    case 'outcome-judged':
      if (call.step === null) return false
      call.outcome = entry
      return true
  }
}

function usesNoTool({ toolCalls, toolMs }: Amounts): boolean {
  return toolCalls === 0 && toolMs === 0
}

function isFirstHold({ task, stepNumber, attempt, accounts, amounts }: HoldMade): boolean {
  const [own = ''] = accounts
  return (
    stepNumber === 1 &&
    attempt.number === 1 &&
    attempt.purpose === 'answer' &&
    own.length === task.length + 5 &&
    own === `task:${task}` &&
    usesNoTool(amounts)
  )
}

function settles(hold: HoldMade, { id, accounts, actual, stepNumber, attempt }: HoldSettled): boolean {
  return (
    id === hold.id &&
    stepNumber === 1 &&
    usesNoTool(actual) &&
    actual.nanoUsd === attempt.chargedNanoUsd &&
    (accounts === hold.accounts || sameTexts(accounts, hold.accounts)) &&
    isAttemptOf(hold, attempt)
  )
}

function isAttemptOf(hold: HoldMade, attempt: AttemptRecord): boolean {
  return (
    attempt.id === hold.attempt.id &&
    attempt.number === 1 &&
    attempt.purpose === 'answer' &&
    attempt.model === hold.model &&
    attempt.deployment === hold.deployment &&
    attempt.provider === hold.provider &&
    attempt.tier === hold.tier &&
    attempt.priceBook === hold.priceBook &&
    attempt.simulated === hold.simulated &&
    (attempt.nanoUsd === null || attempt.nanoUsd === attempt.chargedNanoUsd) &&
    sameAmounts(attempt.held, hold.amounts)
  )
}

/** `from`: the place of the first that is compared. */
export function sameTexts(a: readonly string[], b: readonly string[], from = 0): boolean {
  if (a.length !== b.length) return false
  for (let i = from; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function isOnlyStep(step: StepEnded): boolean {
  const { number, toolMs, otherNanoUsd, reported, accounts } = step
  const hasNoCostOfItsOwn = toolMs === 0 && otherNanoUsd === 0 && accounts === undefined
  return number === 1 && step.step === 'model' && reported === undefined && hasNoCostOfItsOwn
}

/** Its attempt is the call's, and it was answered by the deployment that was held for or by none. */
function isStepOf({ hold, settled }: Call, step: StepEnded): boolean {
  const { attempts, model, deployment, tier } = step
  const hasNoModel = model === null && deployment === null && tier === null
  if (hold === null) return attempts.length === 0 && hasNoModel
  if (settled === null || attempts.length !== 1 || attempts[0] !== settled.attempt) return false
  return hasNoModel || (model === hold.model && deployment === hold.deployment && tier === hold.tier)
}
