// The journal's line format: `<tag>\t<columns as a JSON array>\t<detail as JSON>\n`. The main thread
// serialises an entry once. The database parses only the columns, which are what its sums and keys need; the
// detail is stored as the text it is and parsed by whoever reads it. JSON escapes tabs and newlines, so both
// separate safely. Here: one entry, one line. A plain one-step task has lines of its own, see `call-line.ts`.

import type { AttemptId, HoldId, ReleaseId, TaskId } from '../../core/ids.js'
import type {
  CallRefused,
  EventHappened,
  HoldMade,
  HoldSettled,
  OutcomeJudged,
  ReleaseServed,
  StepEnded,
  TaskOpened,
} from '../../core/task/records.js'
import { type PackedAmounts, bit, packAmounts, packAttempt, packHold } from './packed.js'
import { packOutcome, packStep } from './packed-step.js'
import { attemptFlags, statusCode, stepFlags, verdictCode } from './task-codes.js'

/** First line of every segment. A journal of another format is refused, not guessed at. */
export const FORMAT_VERSION = 2

/** `K` and `T` define what `B` and `D` name by number: see `dictionary.ts`. */
export type Tag = 'V' | 'O' | 'H' | 'S' | 'E' | 'J' | 'R' | 'C' | 'F' | 'N' | 'K' | 'T' | 'B' | 'D'

export interface WithDetail<C> {
  readonly columns: C
  readonly detail: string
}

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
  flags: number,
  actual: PackedAmounts,
  accounts: readonly string[],
]

export type StepColumns = readonly [
  task: TaskId,
  number: number,
  endedMs: number,
  model: string | null,
  flags: number,
  toolCalls: 0 | 1,
  toolMs: number,
  otherNanoUsd: number,
]
export type OutcomeColumns = readonly [
  task: TaskId,
  status: number,
  atMs: number,
  verdict: number,
  latencyMs: number,
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

function line(tag: Tag, { columns, detail }: WithDetail<readonly unknown[]>): string {
  return `${tag}\t${JSON.stringify(columns)}\t${detail}\n`
}

export function versionLine(): string {
  return `V\t${FORMAT_VERSION}\t\n`
}

export function openedLine(entry: TaskOpened): string {
  const { id, atMs, contract, release, tenant, parent, session, externalId, deadlineMs, oneStep } = entry
  const who = [contract, release, tenant, parent, session, externalId] as const
  const columns: OpenedColumns = [id, atMs, ...who, deadlineMs, bit(oneStep)]
  return line('O', {
    columns,
    detail: JSON.stringify({ limits: entry.limits, attributes: entry.attributes }),
  })
}

export function holdLine(entry: HoldMade): string {
  return `H\t\t${JSON.stringify(packHold(entry))}\n`
}

export function settledLine(entry: HoldSettled): string {
  return line('S', settledParts(entry))
}

export function settledParts(entry: HoldSettled): WithDetail<SettledColumns> {
  const { task, id, atMs, stepNumber, actual, accounts, attempt } = entry
  const columns: SettledColumns = [
    task,
    id,
    atMs,
    stepNumber,
    bit(attempt.tier === 'premium'),
    bit(attempt.nanoUsd === null),
    attemptFlags(attempt),
    packAmounts(actual),
    accounts,
  ]
  return { columns, detail: JSON.stringify(packAttempt(attempt)) }
}

/** `settled`: attempts whose settlement was written before; a step names these instead of repeating them. */
export function stepLine(entry: StepEnded, settled: Set<AttemptId>): string {
  return line('E', stepParts(entry, settled))
}

export function stepParts(entry: StepEnded, settled: Set<AttemptId>): WithDetail<StepColumns> {
  const columns: StepColumns = [
    entry.task,
    entry.number,
    entry.startedMs + entry.durationMs,
    entry.model,
    stepFlags(entry),
    bit(entry.step === 'tool'),
    entry.toolMs,
    entry.otherNanoUsd,
  ]
  const attempts = entry.attempts.map((attempt) =>
    settled.delete(attempt.id) ? attempt.id : packAttempt(attempt),
  )
  return { columns, detail: JSON.stringify(packStep(entry, attempts)) }
}

export function outcomeLine(entry: OutcomeJudged): string {
  return line('J', outcomeParts(entry))
}

export function outcomeParts(entry: OutcomeJudged): WithDetail<OutcomeColumns> {
  const { task, atMs, status, latencyMs, priceNanoUsd } = entry
  const judged = [verdictCode(entry), latencyMs, priceNanoUsd] as const
  const columns: OutcomeColumns = [task, statusCode(status), atMs, ...judged]
  return { columns, detail: JSON.stringify(packOutcome(entry)) }
}

export function refusedLine(entry: CallRefused): string {
  const columns: RefusedColumns = [entry.atMs, entry.tenant, entry.contract, entry.task, entry.code]
  return line('R', { columns, detail: '' })
}

export type ServedColumns = readonly [atMs: number, release: ReleaseId]

export function servedLine({ atMs, release, deployments }: ReleaseServed): string {
  const columns: ServedColumns = [atMs, release]
  return line('F', { columns, detail: JSON.stringify(deployments) })
}

export type EventColumns = readonly [atMs: number, event: string, subject: string]

export function eventLine({ atMs, event, subject, detail }: EventHappened): string {
  const columns: EventColumns = [atMs, event, subject]
  return line('N', { columns, detail: JSON.stringify(detail) })
}

export function contentLine({ columns, text }: { columns: ContentColumns; text: string }): string {
  return line('C', { columns, detail: JSON.stringify(text) })
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
