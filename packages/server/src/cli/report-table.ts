// The whiteboard as text: what a successful task costs and how fast it is, then what drives both.

import type { Report, ReportGroupJson } from '@spillway/protocol'
import { isObject } from '../core/json.js'
import { compareNotes, compareTable } from './compare-table.js'
import { UNKNOWN, count, dollars, duration, fitText, moment, percent } from './format.js'
import type { Paint } from './paint.js'
import { plainTable } from './plain-table.js'

/** The server may name the releases that served in the window. */
export type ReportAnswer = Report & { readonly releases?: readonly string[] }

/** Leaves room for the other columns within 100 characters. */
const GROUP_WIDTH_MAX = 16

export function isReport(body: unknown): body is ReportAnswer {
  return isObject(body) && Array.isArray(body['groups']) && typeof body['since'] === 'string'
}

export function renderReport(report: ReportAnswer, paint: Paint): string {
  if (report.groups.length === 0)
    return `No tasks between ${moment(report.since)} and ${moment(report.until)} UTC.`
  const compared = compareTable(report.groups, report.by, paint)
  const tables = compared === null ? [numbersTable(report, paint), driversTable(report, paint)] : [compared]
  const inVain = report.groups
    .flatMap((group) => [spentInVain(group), readFromCaches(group)])
    .filter((line) => line !== null)
  const missed = report.groups.flatMap((group) => missedObjectives(group, paint))
  const notes = compared === null ? NOTES : compareNotes(report.groups)
  return [...tables, ...missed, ...inVain, footer(report, notes, paint)].join('\n\n')
}

function numbersTable(report: ReportAnswer, paint: Paint): string {
  const columns = [
    { head: report.by, align: 'left' as const },
    ...['tasks', 'success', 'cost/success', 'margin', 'p50', 'p95', 'p99', 'SLO met'].map((head) => ({
      head,
    })),
  ]
  const rows = report.groups.map((group) => [
    fitText(group.group, GROUP_WIDTH_MAX),
    count(group.tasks),
    percent(group.success_rate),
    costPerSuccess(group.cost_per_success_usd, paint),
    (group.margin_usd ?? 0) < 0 ? paint.red(dollars(group.margin_usd)) : dollars(group.margin_usd),
    ...(['p50', 'p95', 'p99'] as const).map((p) => duration(group.latency_ms?.[p] ?? null)),
    percent(group.slo_met),
  ])
  return plainTable(columns, rows, paint)
}

/** The value, and under it the 95 % interval. */
function costPerSuccess(cost: ReportGroupJson['cost_per_success_usd'], paint: Paint): string {
  if (cost === null) return UNKNOWN
  if (cost.low === null || cost.high === null)
    return `${dollars(cost.value)}\n${paint.dim('too few to bound')}`
  return `${dollars(cost.value)}\n${paint.dim(`${dollars(cost.low)}–${dollars(cost.high).slice(1)}`)}`
}

function driversTable(report: ReportAnswer, paint: Paint): string {
  const heads = ['spent', 'calls', 'tokens', 'degraded', 'escalated', 'cached', 'premium']
  const columns = [
    { head: 'drivers', align: 'left' as const },
    ...[...heads, 'unpriced', 'refused'].map((head) => ({ head })),
  ]
  const rows = report.groups.map((group) => [
    fitText(group.group, GROUP_WIDTH_MAX),
    dollars(group.cost_usd),
    group.tasks === 0 ? UNKNOWN : (group.model_calls / group.tasks).toFixed(2),
    tokensPerTask(group),
    percent(group.degraded_share),
    percent(group.escalated_share),
    percent(group.cache_hit_share),
    percent(group.premium_share),
    (group.unpriced_share ?? 0) > 0
      ? paint.yellow(percent(group.unpriced_share))
      : percent(group.unpriced_share),
    count(group.refused),
  ])
  return plainTable(columns, rows, paint)
}

function tokensPerTask(group: ReportGroupJson): string {
  if (group.tasks === 0) return UNKNOWN
  const short = (tokens: number) => (tokens < 9_999.5 ? tokens.toFixed(0) : `${(tokens / 1_000).toFixed(0)}k`)
  return `${short(group.input_tokens / group.tasks)}→${short(group.output_tokens / group.tasks)}`
}

/** Money without a success has no cost per success; it must not vanish behind a dash. */
function spentInVain(group: ReportGroupJson): string | null {
  if (group.successes > 0 || group.cost_usd === 0) return null
  return `${group.group}: spent ${dollars(group.cost_usd)}, 0 successes.`
}

/** What providers' caches of prompts were worth, where they were used. */
function readFromCaches(group: ReportGroupJson): string | null {
  const { cached_input_share: share = null, cache_saved_usd: saved = 0 } = group
  if ((share ?? 0) === 0 && saved === 0) return null
  const worth = saved < 0 ? `cost ${dollars(-saved)} more` : `saved ${dollars(saved)}`
  return `${group.group}: ${percent(share)} of the input tokens read from providers’ caches, which ${worth}.`
}

function missedObjectives(group: ReportGroupJson, paint: Paint): readonly string[] {
  return (group.slo ?? []).flatMap(({ objective, target, reached, met }) => {
    if (met !== false) return []
    const [is, wanted] =
      objective === 'success_rate'
        ? [`success ${percent(reached)}`, `at least ${percent(target)}`]
        : [`p95 ${duration(reached)}`, `at most ${duration(target)}`]
    return [paint.red(`${group.group} misses its objective: ${is}, ${wanted} wanted.`)]
  })
}

const NOTES = [
  'Cost per success: everything spent, failures included; below it the 95 % interval.',
  'Calls and tokens (in→out) are per task; premium and unpriced are shares of model calls.',
]

function ownedLine(owned: Report['owned']): readonly string[] {
  if (owned === undefined) return []
  const { hours, owned_cost_usd, work_cost_usd, idle_cost_usd, utilisation } = owned
  const parts = `work of these tasks ${dollars(work_cost_usd)}, idle ${dollars(idle_cost_usd)}`
  const busy = `utilisation ${percent(utilisation)}`
  return [`owned ${dollars(owned_cost_usd)} for ${hours.toFixed(1)} hours: ${parts}, ${busy}`]
}

function footer(report: ReportAnswer, notes: readonly string[], paint: Paint): string {
  const sum = (of: (group: ReportGroupJson) => number) =>
    report.groups.reduce((total, group) => total + of(group), 0)
  const calls = sum((group) => group.model_calls)
  const unpriced = sum((group) => (group.unpriced_share ?? 0) * group.model_calls)
  const tasks = sum((group) => group.tasks)
  const simulated = sum((group) => (group.simulated ? group.tasks : 0))
  const releases =
    report.releases ?? (report.by === 'release' ? report.groups.map((group) => group.group) : null)
  const parts = [
    ...(releases === null ? [] : [`release ${releases.join(', ')}`]),
    `simulated ${percent(tasks === 0 ? null : simulated / tasks)} of tasks`,
    `priced ${percent(calls === 0 ? null : 1 - unpriced / calls)} of model calls`,
  ]
  const window = `${moment(report.since)} – ${moment(report.until)} UTC`
  return paint.dim([window, parts.join(' · '), ...ownedLine(report.owned), ...notes].join('\n'))
}
