// The whole whiteboard: its groups, and what owned capacity adds to them. Owned hours are no charge of any
// task, so they stand beside what was spent; where costs are compared, the work's part of them is included.

import type { OwnedCost } from '../money/owned-hours.js'
import { usdFromNano } from '../money/nano.js'
import {
  type MiddleAndTail,
  NO_TASKS,
  type PlaceGrouping,
  type PlaceSums,
  type ReportFilter,
  type ReportGroup,
  isPlaceGrouping,
} from './report.js'
import { type GroupSummary, share, summariseGroup } from './summarise-group.js'

/** In USD. Owned = work + idle, but for the work of other tenants and of tasks that the report leaves out. */
export interface OwnedSummary {
  readonly hours: number
  readonly ownedCostUsd: number
  /** The part of the work that the tasks of the report had done. */
  readonly workCostUsd: number
  readonly idleCostUsd: number
  /** Share of the hours in which it worked, for whomever. */
  readonly utilisation: number | null
}

export interface PlaceSummary {
  readonly durationMs: MiddleAndTail | null
  readonly firstByteMs: MiddleAndTail | null
  readonly outputTokensPerSecond: number | null
  /** With the work's part of owned hours, per thousand tokens in and out. */
  readonly costPer1kTokensUsd: number | null
  readonly costPerSuccessUsd: number | null
  readonly errorRate: number | null
  readonly throttleRate: number | null
  readonly fallbackRate: number | null
  /** Of all tasks of the report: those that were last answered there. */
  readonly taskShare: number | null
  /** null: nothing there is owned. */
  readonly owned: OwnedSummary | null
}

export interface ComparedGroup extends GroupSummary {
  /** Where groups are tasks, and something is owned: the group's part of its work. */
  readonly workCostUsd?: number
  readonly place?: PlaceSummary
}

export interface ReportSummary {
  readonly groups: readonly ComparedGroup[]
  /** null: nothing is owned. */
  readonly owned: OwnedSummary | null
}

export function summariseReport(
  by: ReportFilter['by'],
  groups: readonly ReportGroup[],
  owned: readonly OwnedCost[],
): ReportSummary {
  const all = ownedSummary(owned)
  if (!isPlaceGrouping(by)) return { groups: groups.map((group) => withWork(group, owned)), owned: all }
  const answered = groups.reduce((sum, { place }) => sum + (place?.answered ?? 0), 0)
  const places = withIdlePlaces(by, groups, owned).map((group) => {
    const here = owned.filter((cost) => placeOf(cost, by) === group.group)
    const { place = NO_VISITS } = group
    return { ...summariseGroup(group), place: placeSummary(group, place, { here, answered }) }
  })
  return { groups: places, owned: all }
}

function placeOf(cost: OwnedCost, by: PlaceGrouping): string {
  return by === 'approach' ? cost.hosting : cost[by]
}

const NO_VISITS: PlaceSums = {
  answered: 0,
  durationMs: null,
  firstByteMs: null,
  okDurationMs: 0,
  okOutputTokens: 0,
  errors: 0,
  throttled: 0,
  fallbacks: 0,
}

/** What is owned shows even where nothing was asked of it. */
function withIdlePlaces(
  by: PlaceGrouping,
  groups: readonly ReportGroup[],
  owned: readonly OwnedCost[],
): readonly ReportGroup[] {
  const known = new Set(groups.map(({ group }) => group))
  const idle = new Set(owned.map((cost) => placeOf(cost, by)).filter((place) => !known.has(place)))
  const added = [...idle].map((group) => ({ ...NO_TASKS, group }))
  return [...groups, ...added].toSorted((a, b) => (a.group < b.group ? -1 : 1))
}

function workNano(owned: readonly OwnedCost[], group?: string): number {
  const shares = owned.flatMap((cost) => cost.shares)
  const own = group === undefined ? shares : shares.filter((part) => part.group === group)
  return own.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)
}

function withWork(group: ReportGroup, owned: readonly OwnedCost[]): ComparedGroup {
  const summary = summariseGroup(group)
  return owned.length === 0 ? summary : { ...summary, workCostUsd: usdFromNano(workNano(owned, group.group)) }
}

function ownedSummary(owned: readonly OwnedCost[]): OwnedSummary | null {
  if (owned.length === 0) return null
  const sum = (of: (cost: OwnedCost) => number) => owned.reduce((total, cost) => total + of(cost), 0)
  const ownedMs = sum((cost) => cost.ownedMs)
  return {
    hours: ownedMs / 3_600_000,
    ownedCostUsd: usdFromNano(sum((cost) => cost.ownedNanoUsd)),
    workCostUsd: usdFromNano(workNano(owned)),
    idleCostUsd: usdFromNano(sum((cost) => cost.idleNanoUsd)),
    utilisation: share(
      sum((cost) => cost.busyMs),
      ownedMs,
    ),
  }
}

function placeSummary(
  group: ReportGroup,
  place: PlaceSums,
  among: { readonly here: readonly OwnedCost[]; readonly answered: number },
): PlaceSummary {
  const ofAttempts = (count: number) => share(count, group.attempts)
  const costUsd = usdFromNano(group.nanoUsd + workNano(among.here))
  const perThousand = share(costUsd * 1_000, group.inputTokens + group.outputTokens)
  return {
    durationMs: place.durationMs,
    firstByteMs: place.firstByteMs,
    outputTokensPerSecond: share(place.okOutputTokens * 1_000, place.okDurationMs),
    costPer1kTokensUsd: perThousand,
    costPerSuccessUsd: share(costUsd, group.successes),
    errorRate: ofAttempts(place.errors),
    throttleRate: ofAttempts(place.throttled),
    fallbackRate: ofAttempts(place.fallbacks),
    taskShare: share(place.answered, among.answered),
    owned: ownedSummary(among.here),
  }
}
