// Everything an operator watches, counted from the entries of the books: what the books say and what the
// dashboards say cannot differ. Labels are names from the configuration and fixed words, never ids, tenants
// or texts.

import { Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import type { ObjectiveState } from '../../core/slo/burn-rate.js'
import type { TaskId } from '../../core/ids.js'
import type { CallRefused, Entry, HoldSettled, OutcomeJudged, StepEnded } from '../../core/task/records.js'
import { unreachable } from '../../core/unreachable.js'
import { ContractCells } from './contract-cells.js'
import { DeploymentCells } from './deployment-cells.js'
import { type SetCapacity, createCapacityGauges } from './capacity-gauges.js'
import { createFamilies } from './families.js'
import { type QueueCounts, createQueueMetrics } from './queue-metrics.js'
import { KnownTasks } from './known-tasks.js'
import { PairMap } from './pair-map.js'

export interface Metrics {
  /**
   * Counts one entry. Show it every entry exactly once; a task that is joined after a restart, its
   * `task-opened`.
   */
  observe(entry: Entry): void
  /** The Prometheus text format. */
  text(): Promise<string>
  readonly contentType: string
  /** Model calls being served now. */
  setInFlight(attempts: number): void
  /** Of one deployment. */
  setPace(deployment: string, pace: { tokensLimit: number; tokensInFlight: number }): void
  setJournal(journal: JournalState): void
  setQueues(queues: readonly QueueCounts[]): void
  /** Per contract with objectives. */
  setSlo(states: ReadonlyMap<string, readonly ObjectiveState[]>): void
  readonly setCapacity: SetCapacity
  /** Log lines or spans that were dropped so far, because their sink was slow. */
  setDropped(signal: 'logs' | 'traces', total: number): void
}

export interface JournalState {
  /** Bytes written and not yet ingested by the store. */
  readonly pendingBytes: number
  readonly openHolds: number
  /** Entries that could not be written since start. */
  readonly lostEntries: number
  /** The books cannot be written. */
  readonly failed: boolean
}

/** `processMetrics: false` leaves out CPU, memory, event loop and garbage collection of the process. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  const counts = new EntryCounts(registry)
  if (options.processMetrics !== false) {
    // A sample every 50 ms tells a stalled event loop as well as the default 10 ms, at a fifth of the
    // wake-ups.
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })
  }
  return {
    observe: (entry) => counts.observe(entry),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    ...createGauges(registry),
    setQueues: createQueueMetrics(registry),
  }
}

class EntryCounts {
  readonly #families
  readonly #tasks = new KnownTasks<ContractCells>()
  readonly #contracts = new Map<string, ContractCells>()
  /** By model and deployment: two models may share a deployment. */
  readonly #deployments = new PairMap<DeploymentCells>()

  constructor(registry: Registry) {
    this.#families = createFamilies(registry)
  }

  observe(entry: Entry): void {
    switch (entry.kind) {
      case 'task-opened':
        return this.#tasks.open(entry.id, this.#contract(entry.contract))
      case 'hold-made':
      case 'release-served':
        return
      case 'hold-settled':
        return this.#settled(entry)
      case 'step-ended':
        return this.#stepEnded(entry)
      case 'outcome-judged':
        return this.#judged(entry)
      case 'call-refused':
        return this.#refused(entry)
      case 'event':
        this.#families.events.cell(entry.event).value += 1
        return
      default:
        return unreachable(entry)
    }
  }

  #contract(name: string): ContractCells {
    const known = this.#contracts.get(name)
    if (known !== undefined) return known
    const cells = new ContractCells(name, this.#families)
    this.#contracts.set(name, cells)
    return cells
  }

  #contractOf(id: TaskId): ContractCells {
    return this.#tasks.find(id) ?? this.#contract('unknown')
  }

  #settled(entry: HoldSettled): void {
    const { attempt } = entry
    this.#contractOf(entry.task).charge(attempt)
    const known = this.#deployments.get(attempt.model, attempt.deployment)
    if (known !== undefined) return known.settled(attempt)
    const made = new DeploymentCells(attempt, this.#families)
    this.#deployments.set(attempt.model, attempt.deployment, made)
    made.settled(attempt)
  }

  #stepEnded(entry: StepEnded): void {
    this.#contractOf(entry.task).stepEnded(entry)
    for (const attempt of entry.attempts) {
      this.#deployments.get(attempt.model, attempt.deployment)?.operated(entry, attempt)
    }
  }

  #judged(entry: OutcomeJudged): void {
    const cells = this.#tasks.end(entry.task)
    // A later verdict replaces one that was counted: the books have the last word, a counter cannot take
    // back.
    if (cells === undefined) this.#families.outcomesRevised.cell().value += 1
    else cells.ended(entry)
  }

  #refused(entry: CallRefused): void {
    this.#families.refusals.cell(entry.code).value += 1
  }
}

type GaugeSetter = 'setInFlight' | 'setPace' | 'setJournal' | 'setDropped' | 'setSlo' | 'setCapacity'

function createGauges(registry: Registry): Pick<Metrics, GaugeSetter> {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const inFlight = gauge('spillway_in_flight', 'Attempts at providers running now.')
  const limit = gauge('spillway_concurrency_limit_tokens', 'Tokens that may be in flight.', ['deployment'])
  const tokens = gauge('spillway_tokens_in_flight', 'Tokens in flight.', ['deployment'])
  const pending = gauge(
    'spillway_journal_pending_bytes',
    'Bytes of the journal the store has not ingested yet.',
  )
  const openHolds = gauge('spillway_journal_open_holds', 'Holds that are not settled yet.')
  const lost = gauge('spillway_journal_lost_entries', 'Entries that could not be written since start.')
  const failed = gauge('spillway_journal_failed', '1 when the books cannot be written.')
  const dropped = gauge('spillway_telemetry_dropped', 'Log lines or spans dropped since start.', ['signal'])
  return {
    setInFlight: (attempts) => inFlight.set(attempts),
    setPace: (deployment, { tokensLimit, tokensInFlight }) => {
      limit.set({ deployment }, tokensLimit)
      tokens.set({ deployment }, tokensInFlight)
    },
    setJournal: (journal) => {
      pending.set(journal.pendingBytes)
      openHolds.set(journal.openHolds)
      lost.set(journal.lostEntries)
      failed.set(journal.failed ? 1 : 0)
    },
    setDropped: (signal, total) => dropped.set({ signal }, total),
    setSlo: createSloGauges(gauge),
    setCapacity: createCapacityGauges(gauge),
  }
}

function createSloGauges(
  gauge: (name: string, help: string, labelNames: readonly string[]) => Gauge,
): Metrics['setSlo'] {
  const by = ['contract', 'objective']
  const left = gauge('spillway_slo_error_budget_left', 'Share of the error budget of 30 days.', by)
  const burn = gauge('spillway_slo_burn_rate', '1 uses the error budget up in 30 days.', [...by, 'window'])
  const firing = gauge('spillway_slo_alert', '1 while the alert fires.', [...by, 'alert', 'severity'])
  return (states) => {
    for (const each of [left, burn, firing]) each.reset()
    for (const [contract, objectives] of states) {
      for (const { objective, budgetLeft, burns } of objectives) {
        const labels = { contract, objective }
        if (budgetLeft !== null) left.set(labels, budgetLeft)
        for (const { alert, longRate, shortRate, isBurning } of burns) {
          burn.set({ ...labels, window: `${alert.longMs / 60_000}m` }, longRate)
          burn.set({ ...labels, window: `${alert.shortMs / 60_000}m` }, shortRate)
          firing.set({ ...labels, alert: alert.name, severity: alert.severity }, isBurning ? 1 : 0)
        }
      }
    }
  }
}
