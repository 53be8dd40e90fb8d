// The whiteboard's sums over a list of entries: the plain way, to compare the database's with.

import type { CallRefused, Entry } from '../core/task/records.js'
import {
  type ReportFilter,
  type ReportGroup,
  type TaskGrouping,
  isPlaceGrouping,
} from '../core/task/report.js'
import { groupName, isInWindow, isWanted, percentiles, promptCacheOf, sum } from './memory-groups.js'
import { memoryReportByPlace } from './memory-report-by-place.js'
import { type TaskStory, rowOf, storiesOf, summaryOf } from './task-story.js'

const HOUR_MS = 3_600_000

function refusalGroup(refusal: CallRefused, by: TaskGrouping): string | null {
  if (by === 'none') return 'all'
  return by === 'contract' || by === 'tenant' ? (refusal[by] ?? 'none') : null
}

function summarise(group: string, stories: readonly TaskStory[], refused: number): ReportGroup {
  const tasks = stories.map((story) => ({ ...summaryOf(story), story, row: rowOf(story) }))
  const ended = tasks.flatMap((task) => (task.outcome === null ? [] : [{ ...task, outcome: task.outcome }]))
  const charges = stories.flatMap(({ settled }) => settled)
  const judged = ended.filter(({ outcome }) => outcome.sloMet !== null)
  const priced = ended.filter(({ outcome }) => outcome.priceNanoUsd !== null)
  const premium = charges.filter(({ attempt }) => attempt.tier === 'premium')
  const hits = stories.filter(({ steps }) =>
    steps.some(({ cache }) => cache === 'exact' || cache === 'semantic'),
  )
  const usd = ({ spent }: { readonly spent: { readonly nanoUsd: number } }): number => spent.nanoUsd / 1e9
  return {
    group,
    tasks: tasks.length,
    ended: ended.length,
    successes: ended.filter(({ outcome }) => outcome.success).length,
    harms: ended.filter(({ outcome }) => outcome.harm).length,
    nanoUsd: sum(tasks, ({ spent }) => spent.nanoUsd),
    costSquaredUsd: sum(ended, (task) => usd(task) ** 2),
    costOfSuccessesUsd: sum(ended, (task) => (task.outcome.success ? usd(task) : 0)),
    priceNanoUsd: priced.length === 0 ? null : sum(priced, ({ outcome }) => outcome.priceNanoUsd ?? 0),
    latencyMs: percentiles(ended.map(({ outcome }) => outcome.latencyMs)),
    sloMet: judged.length === 0 ? null : judged.filter(({ outcome }) => outcome.sloMet === true).length,
    sloJudged: judged.length,
    degraded: tasks.filter(({ degraded }) => degraded).length,
    escalated: tasks.filter(({ row }) => row.escalated).length,
    cacheHits: hits.length,
    modelCalls: sum(tasks, ({ spent }) => spent.modelCalls),
    unpricedCalls: sum(tasks, ({ unpricedCalls }) => unpricedCalls),
    attempts: charges.length,
    premiumCalls: sum(premium, ({ actual }) => actual.modelCalls),
    inputTokens: sum(tasks, ({ spent }) => spent.inputTokens),
    outputTokens: sum(tasks, ({ spent }) => spent.outputTokens),
    refused,
    simulated: charges.some(({ attempt }) => attempt.simulated),
    ...promptCacheOf(charges.map(({ attempt }) => attempt)),
  }
}

export function memoryReport(filter: ReportFilter, entries: readonly Entry[]): readonly ReportGroup[] {
  const { by } = filter
  if (isPlaceGrouping(by)) return memoryReportByPlace(filter, by, entries)
  const wanted = (tenant: string | null, contract: string | null) => isWanted(filter, tenant, contract)
  const groups = new Map<string, { stories: TaskStory[]; refused: number }>()
  const groupOf = (name: string): { stories: TaskStory[]; refused: number } => {
    const group = groups.get(name) ?? { stories: [], refused: 0 }
    groups.set(name, group)
    return group
  }
  for (const story of storiesOf(entries)) {
    if (isInWindow(story, filter)) groupOf(groupName(story, by)).stories.push(story)
  }
  for (const entry of entries) {
    if (entry.kind !== 'call-refused' || !wanted(entry.tenant, entry.contract)) continue
    const hourMs = Math.floor(entry.atMs / HOUR_MS) * HOUR_MS
    if (hourMs < Math.floor(filter.sinceMs / HOUR_MS) * HOUR_MS || hourMs >= filter.untilMs) continue
    const name = refusalGroup(entry, by)
    if (name !== null) groupOf(name).refused++
  }
  return [...groups.entries()]
    .map(([name, { stories, refused }]) => summarise(name, stories, refused))
    .sort((a, b) => (a.group < b.group ? -1 : 1))
}
