// Objectives, how fast their error budgets burn, and events, as they are on the wire.

import type { EventJson, ObjectiveJson, ReportSlo, SloJson } from '@spillway/protocol'
import { type ObjectiveState, allowedShare } from '../core/slo/burn-rate.js'
import type { Contract, Release } from '../core/release/release.js'
import type { GroupSummary } from '../core/task/summarise-group.js'
import type { EventRow } from '../core/task/views.js'
import type { Engine } from '../engine/engine.js'

/** One entry per contract with an objective. */
export function sloJson(engine: Engine): readonly SloJson[] {
  const release = engine.release()
  const states = engine.slo.states(release, engine.system.nowMs())
  return [...states].flatMap(([name, objectives]) => {
    const contract = release.contracts.get(name)
    if (contract === undefined) return []
    return [{ contract: name, objectives: objectives.map((state) => objectiveJson(contract, state)) }]
  })
}

function objectiveJson({ slo }: Contract, state: ObjectiveState): ObjectiveJson {
  const { objective, budgetLeft, period, burns } = state
  const target = objective === 'success_rate' ? slo.successRate : slo.p95LatencyMs
  return {
    objective,
    target: target ?? 0,
    allowed_share: allowedShare(slo, objective) ?? 0,
    budget_left: budgetLeft,
    period: { days: 30, tasks: period.total, failed: period.failed, slow: period.slow },
    burn: burns.map(({ alert, longRate, shortRate, from, isBurning }) => ({
      alert: alert.name,
      severity: alert.severity,
      long: { seconds: alert.longMs / 1000, rate: longRate },
      short: { seconds: alert.shortMs / 1000, rate: shortRate },
      alerts_from: from,
      firing: isBurning,
    })),
  }
}

export function eventJson({ n, atMs, event, subject, detail }: EventRow): EventJson {
  return { id: n, at: new Date(atMs).toISOString(), event, subject, detail }
}

/** How a group of the report did against its contract's objectives, as the release that serves has them. */
export function reportSlo(
  release: Release,
  group: Pick<GroupSummary, 'group' | 'successRate' | 'latencyMs'>,
): { readonly slo?: readonly ReportSlo[] } {
  const slo = release.contracts.get(group.group)?.slo
  if (slo === undefined) return {}
  const { successRate, p95LatencyMs } = slo
  const p95 = group.latencyMs?.p95 ?? null
  const objectives: ReportSlo[] = []
  if (successRate !== null) {
    const reached = group.successRate
    const met = reached === null ? null : reached >= successRate
    objectives.push({ objective: 'success_rate', target: successRate, reached, met })
  }
  if (p95LatencyMs !== null) {
    const met = p95 === null ? null : p95 <= p95LatencyMs
    objectives.push({ objective: 'p95_latency_ms', target: p95LatencyMs, reached: p95, met })
  }
  return objectives.length === 0 ? {} : { slo: objectives }
}
