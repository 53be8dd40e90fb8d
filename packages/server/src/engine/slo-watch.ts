// Watches the objectives of contracts: counts how tasks end, works out burn rates, and says when an alert
// begins and when it is over. What it counts survives a restart, because the books have it.

import type { ErrorCode } from '@spillway/protocol'
import { type AlertChanges, type Firing, alertChanges } from '../core/slo/alert-changes.js'
import { OBJECTIVES, type ObjectiveState, PERIOD_MS, stateOf } from '../core/slo/burn-rate.js'
import { type EndedTasks, SloCounts } from '../core/slo/slo-counts.js'
import type { Contract, Release } from '../core/release/release.js'
import type { OutcomeJudged } from '../core/task/records.js'
import type { Archive } from './ports.js'

/** Refusals before a task was opened that are our failure and not the caller's. */
const OUR_FAULT: ReadonlySet<string> = new Set<ErrorCode>([
  'capacity.shed',
  'capacity.queue_timeout',
  'store.unavailable',
  'internal.error',
])

export class SloWatch {
  /** By contract: bounded by the configuration. */
  readonly #counts = new Map<string, SloCounts>()
  #firing: Firing = new Map()

  /** `earlier`: the verdict that this one replaces. */
  judged(contract: Contract, outcome: OutcomeJudged, earlier: OutcomeJudged | null): void {
    if (!hasSlo(contract)) return
    const counts = this.#countsOf(contract.name)
    if (earlier !== null) counts.add(endedAs(earlier, -1))
    counts.add(endedAs(outcome, 1))
  }

  /** A call that was turned away before it was a task. */
  refused(contract: Contract | undefined, code: string, atMs: number): void {
    if (contract === undefined || !hasSlo(contract) || !OUR_FAULT.has(code)) return
    this.#countsOf(contract.name).add({ atMs, total: 1, failed: 1, slow: 0 })
  }

  /** What the books say of the time before this process. */
  async restore(archive: Archive, nowMs: number): Promise<void> {
    const rows = await archive.endedTasks(nowMs - PERIOD_MS, nowMs)
    for (const row of rows) this.#countsOf(row.contract).add(row)
  }

  states(release: Release, nowMs: number): ReadonlyMap<string, readonly ObjectiveState[]> {
    const states = new Map<string, readonly ObjectiveState[]>()
    for (const contract of release.contracts.values()) {
      if (hasSlo(contract)) states.set(contract.name, this.#statesOf(contract, nowMs))
    }
    return states
  }

  get firing(): Firing {
    return this.#firing
  }

  /** Alerts that began or ended since the last look. */
  look(release: Release, nowMs: number): AlertChanges['changes'] {
    for (const name of this.#counts.keys()) if (!release.contracts.has(name)) this.#counts.delete(name)
    const { firing, changes } = alertChanges(this.#firing, this.states(release, nowMs), nowMs)
    this.#firing = firing
    return changes
  }

  #statesOf({ name, slo }: Contract, nowMs: number): readonly ObjectiveState[] {
    const counts = this.#countsOf(name)
    return OBJECTIVES.flatMap((objective) => stateOf(counts, { slo, objective, nowMs }) ?? [])
  }

  #countsOf(contract: string): SloCounts {
    const known = this.#counts.get(contract)
    if (known !== undefined) return known
    const counts = new SloCounts()
    this.#counts.set(contract, counts)
    return counts
  }
}

function hasSlo({ slo }: Contract): boolean {
  return slo.successRate !== null || slo.p95LatencyMs !== null
}

function endedAs({ atMs, success, sloMet }: OutcomeJudged, count: 1 | -1): EndedTasks {
  return { atMs, total: count, failed: success ? 0 : count, slow: sloMet === false ? count : 0 }
}
