// The whiteboard by where attempts went, over a list of entries: the plain way.

import { NO_TOKENS } from '../core/money/token-counts.js'
import type { AttemptRecord, Entry, HoldSettled, StepEnded } from '../core/task/records.js'
import {
  BLAMELESS_ENDS,
  NOT_ON_DEVICE,
  NO_PLACE,
  ON_DEVICE,
  type MiddleAndTail,
  type PlaceGrouping,
  type PlaceSums,
  type ReportFilter,
  type ReportGroup,
  THROTTLED_STATUSES,
  UNKNOWN_APPROACH,
} from '../core/task/report.js'
import type { ServedDeployment } from '../core/release/served-deployment.js'
import { isInWindow, percentiles, promptCacheOf, sum } from './memory-groups.js'
import { type TaskStory, rowOf, storiesOf, summaryOf } from './task-story.js'

/** One attempt, or one run on the caller's device. Tokens are null where they were not counted. */
interface Went
  extends
    Pick<AttemptRecord, 'number' | 'end' | 'status' | 'durationMs' | 'firstByteMs'>,
    Pick<AttemptRecord, 'deployment' | 'provider' | 'simulated' | 'tokens' | 'cacheSavedNanoUsd'> {
  readonly stepNumber: number
  readonly isAnswering: boolean
  readonly isPriced: boolean
  readonly isPremium: boolean
  readonly nanoUsd: number
  readonly modelCalls: number
  readonly inputTokens: number | null
  readonly outputTokens: number | null
}

/** One task at one place. */
interface Visit {
  readonly story: TaskStory
  readonly went: readonly Went[]
  readonly nanoUsd: number
  readonly isAnswer: boolean
}

function wentTo({ stepNumber, actual, attempt }: HoldSettled): Went {
  return {
    ...attempt,
    ...actual,
    stepNumber,
    isAnswering: attempt.purpose === 'answer',
    isPriced: attempt.nanoUsd !== null,
    isPremium: attempt.tier === 'premium',
  }
}

const DEVICE_ENDS: Readonly<Record<string, string>> = {
  answered: 'ok',
  escalated: 'ok',
  aborted: 'caller_left',
}

function ranOnDevice(step: StepEnded): readonly Went[] {
  const [told] = step.decisions
  if (step.route !== ON_DEVICE || told === undefined || told.reason === NOT_ON_DEVICE) return []
  const { reason, inputs = {} } = told
  const counted = (name: string) => (typeof inputs[name] === 'number' ? inputs[name] : null)
  const run = {
    deployment: step.deployment ?? '',
    provider: ON_DEVICE,
    tokens: NO_TOKENS,
    stepNumber: step.number,
    number: 0,
    end: DEVICE_ENDS[reason] ?? reason,
    status: 0,
    durationMs: step.durationMs,
    firstByteMs: step.firstByteMs,
    nanoUsd: step.otherNanoUsd,
    modelCalls: 0,
    inputTokens: counted('input_tokens'),
    outputTokens: counted('output_tokens'),
  }
  return [{ ...run, isAnswering: false, isPriced: true, isPremium: false, simulated: false }]
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
  const isAnswer = ({ route, decisions }: StepEnded) =>
    route !== ON_DEVICE || decisions[0]?.reason === 'answered'
  return steps.findLast((step) => step.deployment !== null && isAnswer(step))?.deployment ?? null
}

function groupedBy<T>(values: readonly T[], nameOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) groups.set(nameOf(value), [...(groups.get(nameOf(value)) ?? []), value])
  return groups
}

function visitsOf(story: TaskStory, placeOf: (went: Went) => string): Map<string, Visit> {
  const visits = new Map<string, Visit>()
  const answer = lastAnswer(story)
  const all = [...story.settled.map(wentTo), ...story.steps.flatMap(ranOnDevice)]
  for (const [place, went] of groupedBy(all, placeOf)) {
    const isAnswer = went.some(({ deployment }) => deployment === answer)
    visits.set(place, { story, went, nanoUsd: sum(went, ({ nanoUsd }) => nanoUsd), isAnswer })
  }
  const spent = sum([...visits.values()], ({ nanoUsd }) => nanoUsd)
  const rest = summaryOf(story).spent.nanoUsd - spent
  const isAnswered = [...visits.values()].some(({ isAnswer }) => isAnswer)
  if (rest !== 0 || !isAnswered)
    visits.set(NO_PLACE, { story, went: [], nanoUsd: rest, isAnswer: !isAnswered })
  return visits
}

function isFallback({ story }: Visit, went: Went): boolean {
  if (!went.isAnswering || went.end === 'ok') return false
  const later = story.settled.filter(
    ({ stepNumber, attempt }) =>
      stepNumber === went.stepNumber && attempt.purpose === 'answer' && attempt.number > went.number,
  )
  const [next] = later.toSorted((a, b) => a.attempt.number - b.attempt.number)
  return next !== undefined && next.attempt.deployment !== went.deployment
}

function middleAndTail(values: readonly (number | null)[]): MiddleAndTail | null {
  const found = percentiles(values.filter((value) => value !== null))
  return found === null ? null : { p50: found.p50, p95: found.p95 }
}

function placeSums(visits: readonly Visit[]): PlaceSums {
  const went = visits.flatMap((visit) => visit.went)
  const ok = went.filter(({ end }) => end === 'ok')
  const counted = ok.filter(({ outputTokens }) => outputTokens !== null)
  const isThrottled = ({ end, status }: Went) => end !== 'ok' && THROTTLED_STATUSES.includes(status)
  return {
    answered: visits.filter(({ isAnswer }) => isAnswer).length,
    durationMs: middleAndTail(ok.map(({ durationMs }) => durationMs)),
    firstByteMs: middleAndTail(ok.map(({ firstByteMs }) => firstByteMs)),
    okDurationMs: sum(counted, ({ durationMs }) => durationMs),
    okOutputTokens: sum(counted, ({ outputTokens }) => outputTokens ?? 0),
    errors: went.filter((each) => !isThrottled(each) && !BLAMELESS_ENDS.includes(each.end)).length,
    throttled: went.filter(isThrottled).length,
    fallbacks: sum(visits, (visit) => visit.went.filter((each) => isFallback(visit, each)).length),
  }
}

function summarise(group: string, visits: readonly Visit[]): ReportGroup {
  const went = visits.flatMap((visit) => visit.went)
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
    modelCalls: sum(went, ({ modelCalls }) => modelCalls),
    unpricedCalls: went.filter(({ isPriced }) => !isPriced).length,
    attempts: went.length,
    premiumCalls: sum(went, ({ isPremium, modelCalls }) => (isPremium ? modelCalls : 0)),
    inputTokens: sum(went, ({ inputTokens }) => inputTokens ?? 0),
    outputTokens: sum(went, ({ outputTokens }) => outputTokens ?? 0),
    refused: 0,
    simulated: went.some(({ simulated }) => simulated),
    place: placeSums(visits),
    ...promptCacheOf(went),
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
    const visits = visitsOf(story, ({ deployment, provider }) => {
      if (by !== 'approach') return by === 'provider' ? provider : deployment
      const served = servedAs(entries, { release: story.opened.release, deployment })
      return served?.hosting ?? (provider === ON_DEVICE ? ON_DEVICE : UNKNOWN_APPROACH)
    })
    for (const [place, visit] of visits) groups.set(place, [...(groups.get(place) ?? []), visit])
  }
  return [...groups]
    .map(([place, visits]) => summarise(place, visits))
    .sort((a, b) => (a.group < b.group ? -1 : 1))
}
