// The journal's line format: `<tag>\t<columns as a JSON array>\t<detail as JSON>\n`. The main thread
// serialises an entry once. The database parses only the columns, which are what its sums and keys need; the
// detail is stored as the text it is and parsed by whoever reads it. JSON escapes tabs and newlines, so both
// separate safely.

import type { AttemptId, HoldId, ReleaseId, TaskId } from '../../core/ids.js'
import type {
  CallRefused,
  Entry,
  HoldMade,
  HoldSettled,
  OutcomeJudged,
  StepEnded,
  TaskOpened,
} from '../../core/task/records.js'
import { unreachable } from '../../core/unreachable.js'
import { type PackedAmounts, bit, packAmounts, packAttempt, packHold } from './packed.js'
import { packOutcome, packStep } from './packed-step.js'

/** First line of every segment. A journal of a newer format is refused, not guessed at. */
export const FORMAT_VERSION = 1

export type Tag = 'V' | 'O' | 'H' | 'S' | 'E' | 'J' | 'R' | 'C'

export type OpenedColumns = readonly [
  id: TaskId,
  atMs: number,
  contract: string,
  release: ReleaseId,
  tenant: string,
  parent: TaskId | null,
  session: string | null,
  externalId: string | null,
  deadlineMs: number,
  oneStep: 0 | 1,
]
export type OpenedDetail = Pick<TaskOpened, 'limits' | 'attributes'>

export type SettledColumns = readonly [
  task: TaskId,
  hold: HoldId,
  atMs: number,
  stepNumber: number,
  premium: 0 | 1,
  unpriced: 0 | 1,
  simulated: 0 | 1,
  actual: PackedAmounts,
  accounts: readonly string[],
]

export type StepColumns = readonly [
  task: TaskId,
  number: number,
  endedMs: number,
  model: string | null,
  degraded: 0 | 1,
  escalated: 0 | 1,
  cacheHit: 0 | 1,
  toolCalls: 0 | 1,
  toolMs: number,
  otherNanoUsd: number,
]
export type OutcomeColumns = readonly [
  task: TaskId,
  status: OutcomeJudged['status'],
  atMs: number,
  success: 0 | 1,
  harm: 0 | 1,
  latencyMs: number,
  sloMet: 0 | 1 | null,
  priceNanoUsd: number | null,
]

export type RefusedColumns = readonly [
  atMs: number,
  tenant: string | null,
  contract: string | null,
  task: TaskId | null,
  code: string,
]

export type ContentColumns = readonly [reference: string, task: TaskId, deleteAfterMs: number]

function line(tag: Tag, columns: readonly unknown[], detail: string): string {
  return `${tag}\t${JSON.stringify(columns)}\t${detail}\n`
}

export function versionLine(): string {
  return `V\t${FORMAT_VERSION}\t\n`
}

function openedLine(entry: TaskOpened): string {
  const { id, atMs, contract, release, tenant, parent, session, externalId, deadlineMs, oneStep } = entry
  const columns: OpenedColumns = [
    id,
    atMs,
    contract,
    release,
    tenant,
    parent,
    session,
    externalId,
    deadlineMs,
    bit(oneStep),
  ]
  return line('O', columns, JSON.stringify({ limits: entry.limits, attributes: entry.attributes }))
}

export function holdLine(entry: HoldMade): string {
  return `H\t\t${JSON.stringify(packHold(entry))}\n`
}

function settledLine(entry: HoldSettled): string {
  const { task, id, atMs, stepNumber, actual, accounts, attempt } = entry
  const columns: SettledColumns = [
    task,
    id,
    atMs,
    stepNumber,
    bit(attempt.tier === 'premium'),
    bit(attempt.nanoUsd === null),
    bit(attempt.simulated),
    packAmounts(actual),
    accounts,
  ]
  return line('S', columns, JSON.stringify(packAttempt(attempt)))
}

function stepLine(entry: StepEnded, settled: Set<AttemptId>): string {
  const columns: StepColumns = [
    entry.task,
    entry.number,
    entry.startedMs + entry.durationMs,
    entry.model,
    bit(entry.degraded.length > 0),
    bit(entry.escalated),
    bit(entry.cache === 'exact' || entry.cache === 'semantic'),
    bit(entry.step === 'tool'),
    entry.toolMs,
    entry.otherNanoUsd,
  ]
  const attempts = entry.attempts.map((attempt) =>
    settled.delete(attempt.id) ? attempt.id : packAttempt(attempt),
  )
  return line('E', columns, JSON.stringify(packStep(entry, attempts)))
}

function outcomeLine(entry: OutcomeJudged): string {
  const { task, atMs, status, success, harm, latencyMs, sloMet, priceNanoUsd } = entry
  const met = sloMet === null ? null : bit(sloMet)
  const columns: OutcomeColumns = [task, status, atMs, bit(success), bit(harm), latencyMs, met, priceNanoUsd]
  return line('J', columns, JSON.stringify(packOutcome(entry)))
}

function refusedLine(entry: CallRefused): string {
  const columns: RefusedColumns = [entry.atMs, entry.tenant, entry.contract, entry.task, entry.code]
  return line('R', columns, '')
}

export function contentLine(columns: ContentColumns, text: string): string {
  return line('C', columns, JSON.stringify(text))
}

/** `settled`: attempts whose settlement was written before; a step names these instead of repeating them. */
export function entryLine(entry: Entry, settled: Set<AttemptId>): string {
  switch (entry.kind) {
    case 'task-opened':
      return openedLine(entry)
    case 'hold-made':
      return holdLine(entry)
    case 'hold-settled':
      return settledLine(entry)
    case 'step-ended':
      return stepLine(entry, settled)
    case 'outcome-judged':
      return outcomeLine(entry)
    case 'call-refused':
      return refusedLine(entry)
    default:
      return unreachable(entry)
  }
}

export interface SplitLine {
  readonly tag: string
  readonly columns: string
  readonly detail: string
}

/** Visits every complete line of `text`; an incomplete last line is left out. */
export function eachLine(text: string, visit: (line: SplitLine) => void): void {
  let from = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    const tab = text.indexOf('\t', from + 2)
    const split = tab >= 0 && tab < end
    visit({
      tag: text.slice(from, from + 1),
      columns: split ? text.slice(from + 2, tab) : '',
      detail: split ? text.slice(tab + 1, end) : '',
    })
    from = end + 1
  }
}
