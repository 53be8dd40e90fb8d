// The whiteboard by where attempts went, over a list of entries: the plain way.

import type { Entry, HoldSettled } from '../core/task/records.js'
import {
  BLAMELESS_ENDS,
  NO_PLACE,
  type MiddleAndTail,
  type PlaceGrouping,
  type PlaceSums,
  type ReportFilter,
  type ReportGroup,
  THROTTLED_STATUSES,
  UNKNOWN_APPROACH,
} from '../core/task/report.js'
import type { ServedDeployment } from '../core/release/served-deployment.js'
import { isInWindow, percentiles, sum } from './memory-groups.js'
import { type TaskStory, rowOf, storiesOf, summaryOf } from './task-story.js'

/** One task at one place. */
interface Visit {
  readonly story: TaskStory
  readonly charges: readonly HoldSettled[]
  readonly nanoUsd: number
  readonly isAnswer: boolean
}

export function servedAs(
  entries: readonly Entry[],
  at: { readonly release: string; readonly deployment: string },
): ServedDeployment | undefined {
  const releases = entries.filter((entry) => entry.kind === 'release-served')
  const served = releases.findLast(({ release }) => release === at.release)
  return served?.deployments.find(({ deployment }) => deployment === at.deployment)
}

/** The deployment that gave the last answer. Steps count in the order in which they ended. */
function lastAnswer({ steps }: TaskStory): string | null {
  return steps.findLast(({ deployment }) => deployment !== null)?.deployment ?? null
}

function groupedBy<T>(values: readonly T[], nameOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) groups.set(nameOf(value), [...(groups.get(nameOf(value)) ?? []), value])
  return groups
}

function visitsOf(story: TaskStory, placeOf: (charge: HoldSettled) => string): Map<string, Visit> {
  const visits = new Map<string, Visit>()
  const answer = lastAnswer(story)
  for (const [place, charges] of groupedBy(story.settled, placeOf)) {
    const isAnswer = charges.some(({ attempt }) => attempt.deployment === answer)
    visits.set(place, { story, charges, nanoUsd: sum(charges, ({ actual }) => actual.nanoUsd), isAnswer })
  }
  const spent = sum([...visits.values()], ({ nanoUsd }) => nanoUsd)
  const rest = summaryOf(story).spent.nanoUsd - spent
  const isAnswered = [...visits.values()].some(({ isAnswer }) => isAnswer)
  if (rest !== 0 || !isAnswered)
    visits.set(NO_PLACE, { story, charges: [], nanoUsd: rest, isAnswer: !isAnswered })
  return visits
}

function isFallback({ story }: Visit, { stepNumber, attempt }: HoldSettled): boolean {
  if (attempt.purpose !== 'answer' || attempt.end === 'ok') return false
  const later = story.settled.filter(
    (other) =>
      other.stepNumber === stepNumber &&
      other.attempt.purpose === 'answer' &&
      other.attempt.number > attempt.number,
  )
  const [next] = later.toSorted((a, b) => a.attempt.number - b.attempt.number)
  return next !== undefined && next.attempt.deployment !== attempt.deployment
}

function middleAndTail(values: readonly (number | null)[]): MiddleAndTail | null {
  const found = percentiles(values.filter((value) => value !== null))
  return found === null ? null : { p50: found.p50, p95: found.p95 }
}

function placeSums(visits: readonly Visit[]): PlaceSums {
  const attempts = visits.flatMap(({ charges }) => charges.map(({ attempt }) => attempt))
  const charges = visits.flatMap((visit) => visit.charges)
  const ok = charges.filter(({ attempt }) => attempt.end === 'ok')
  const isThrottled = ({ end, status }: HoldSettled['attempt']) =>
    end !== 'ok' && THROTTLED_STATUSES.includes(status)
  return {
    answered: visits.filter(({ isAnswer }) => isAnswer).length,
    durationMs: middleAndTail(ok.map(({ attempt }) => attempt.durationMs)),
    firstByteMs: middleAndTail(ok.map(({ attempt }) => attempt.firstByteMs)),
    okDurationMs: sum(ok, ({ attempt }) => attempt.durationMs),
    okOutputTokens: sum(ok, ({ actual }) => actual.outputTokens),
    errors: attempts.filter((each) => !isThrottled(each) && !BLAMELESS_ENDS.includes(each.end)).length,
    throttled: attempts.filter(isThrottled).length,
    fallbacks: sum(visits, (visit) => visit.charges.filter((charge) => isFallback(visit, charge)).length),
  }
}

function summarise(group: string, visits: readonly Visit[]): ReportGroup {
  const charges = visits.flatMap((visit) => visit.charges)
  const tasks = visits.map((visit) => ({ ...visit, ...summaryOf(visit.story), row: rowOf(visit.story) }))
  const ended = tasks.flatMap((task) => (task.outcome === null ? [] : [{ ...task, outcome: task.outcome }]))
  const answered = ended.filter(({ isAnswer }) => isAnswer)
  const judged = answered.filter(({ outcome }) => outcome.sloMet !== null)
  const priced = answered.filter(({ outcome }) => outcome.priceNanoUsd !== null)
  const successes = answered.filter(({ outcome }) => outcome.success)
  const hits = visits.filter(({ story }) =>
    story.steps.some(({ cache }) => cache === 'exact' || cache === 'semantic'),
  )
  return {
    group,
    tasks: tasks.length,
    ended: ended.length,
    successes: successes.length,
    harms: answered.filter(({ outcome }) => outcome.harm).length,
    nanoUsd: sum(visits, ({ nanoUsd }) => nanoUsd),
    costSquaredUsd: sum(ended, ({ nanoUsd }) => (nanoUsd / 1e9) ** 2),
    costOfSuccessesUsd: sum(successes, ({ nanoUsd }) => nanoUsd / 1e9),
    priceNanoUsd: priced.length === 0 ? null : sum(priced, ({ outcome }) => outcome.priceNanoUsd ?? 0),
    latencyMs: percentiles(answered.map(({ outcome }) => outcome.latencyMs)),
    sloMet: judged.length === 0 ? null : judged.filter(({ outcome }) => outcome.sloMet === true).length,
    sloJudged: judged.length,
    degraded: tasks.filter(({ degraded }) => degraded).length,
    escalated: tasks.filter(({ row }) => row.escalated).length,
    cacheHits: hits.length,
    modelCalls: sum(charges, ({ actual }) => actual.modelCalls),
    unpricedCalls: charges.filter(({ attempt }) => attempt.nanoUsd === null).length,
    attempts: charges.length,
    premiumCalls: sum(charges, ({ actual, attempt }) => (attempt.tier === 'premium' ? actual.modelCalls : 0)),
    inputTokens: sum(charges, ({ actual }) => actual.inputTokens),
    outputTokens: sum(charges, ({ actual }) => actual.outputTokens),
    refused: 0,
    simulated: charges.some(({ attempt }) => attempt.simulated),
    place: placeSums(visits),
  }
}

export function memoryReportByPlace(
  filter: ReportFilter,
  by: PlaceGrouping,
  entries: readonly Entry[],
): readonly ReportGroup[] {
  const groups = new Map<string, Visit[]>()
  for (const story of storiesOf(entries)) {
    if (!isInWindow(story, filter)) continue
    const visits = visitsOf(story, ({ attempt }) => {
      if (by !== 'approach') return attempt[by]
      const at = { release: story.opened.release, deployment: attempt.deployment }
      return servedAs(entries, at)?.hosting ?? UNKNOWN_APPROACH
    })
    for (const [place, visit] of visits) groups.set(place, [...(groups.get(place) ?? []), visit])
  }
  return [...groups]
    .map(([place, visits]) => summarise(place, visits))
    .sort((a, b) => (a.group < b.group ? -1 : 1))
}
