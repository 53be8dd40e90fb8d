// One simulated run: the engine that serves traffic, with another clock, another disk and other providers.
// Everything that happens is an event of the heap of timers; after each one all invariants are looked at.

import { callModel } from '../../engine/call-model.js'
import { findDeployment, steerBreaker } from '../../engine/capacity/breaker-events.js'
import type { Engine } from '../../engine/engine.js'
import { closeTask, joinTask, openTask } from '../../engine/open-task.js'
import { endTask, sweepExpired } from '../../engine/outcome.js'
import type { Books, Caller, Ledger, Provider } from '../../engine/ports.js'
import { reportStep } from '../../engine/report-step.js'
import type { Task } from '../../engine/task-registry.js'
import type { Release } from '../../core/release/release.js'
import { seededRandom } from '../fake-system.js'
import { engineOf } from '../test-engine.js'
import { type CallRun, modelCallOf, numberOf } from './call-run.js'
import { retryAfter } from './client.js'
import { ModelServer } from './model-server.js'
import { Police } from './police.js'
import { RunLog } from './run-log.js'
import type { CallPlan, PinPlan, ReportPlan, Scenario, TaskPlan } from './scenario.js'
import { type Shape, shapeNamed } from './shapes.js'
import { SimBooks, archiveOf } from './sim-books.js'
import { SimCaller } from './sim-caller.js'
import { SimClock } from './sim-clock.js'
import { WatchedLedger } from './watched-ledger.js'
import { WatchedQueues } from './watched-queues.js'

/** What a test breaks on purpose, between the engine and those who watch it. */
export interface Sabotage {
  readonly ledger?: (ledger: Ledger) => Ledger
  readonly provider?: (provider: Provider, world: World) => Provider
  readonly books?: (books: Books) => Books
  readonly caller?: (caller: Caller) => Caller
  readonly engine?: (engine: Engine) => void
}

export class World {
  readonly scenario: Scenario
  readonly shape: Shape
  readonly clock: SimClock
  readonly log: RunLog
  readonly police: Police
  readonly books: SimBooks
  readonly ledger: WatchedLedger
  readonly servers: ReadonlyMap<string, ModelServer>
  readonly engine: Engine
  readonly queues: WatchedQueues
  readonly calls = new Map<number, CallRun>()
  readonly tasks = new Map<number, Task>()
  readonly #sabotage: Sabotage
  /** Events of the scenario, and calls of clients, that are still to come. */
  #toCome = 0
  running = 0
  release: Release

  constructor(scenario: Scenario, sabotage: Sabotage = {}) {
    this.scenario = scenario
    this.#sabotage = sabotage
    this.shape = shapeNamed(scenario.shape)
    this.release = this.shape.releases[0]
    this.clock = new SimClock(scenario.seed)
    this.log = new RunLog(this.clock)
    this.police = new Police({ clock: this.clock, log: this.log, calls: this.calls })
    this.books = new SimBooks({
      clock: this.clock,
      diskMs: scenario.diskMs,
      isBroken: () => this.#isDiskBroken(),
      onEntry: (entry) => this.police.onEntry(entry),
    })
    this.ledger = new WatchedLedger({
      fail: (problem) => this.log.fail(problem),
      wait: () => this.#ledgerWait(),
      onSettle: (id, { nanoUsd, modelCalls }) => this.police.onSettle(id, nanoUsd, modelCalls),
    })
    this.servers = this.#makeServers()
    this.engine = this.#makeEngine()
    this.queues = new WatchedQueues(this.engine)
    sabotage.engine?.(this.engine)
    this.police.watch(this.engine, this.books, this.ledger)
  }

  get isDone(): boolean {
    return this.#toCome === 0 && this.running === 0
  }

  #isDiskBroken(): boolean {
    const nowMs = this.clock.passedMs
    return this.scenario.diskFaults.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  }

  #ledgerWait(): Promise<void> | null {
    const { ledgerMs } = this.scenario
    return ledgerMs === 0 ? null : new Promise((resolve) => void this.clock.after(ledgerMs, resolve))
  }

  #makeServers(): ReadonlyMap<string, ModelServer> {
    const { clock, police, scenario } = this
    const made = Object.entries(this.shape.providers).map(([name, wire], index) => {
      const pace = scenario.paces[name]
      if (pace === undefined) throw new Error(`the scenario has no pace for ${name}`)
      const faults = scenario.faults.filter(({ provider }) => provider === name)
      const random = seededRandom(scenario.seed * 31 + index)
      const watch = {
        onSend: police.onSend.bind(police),
        onOver: police.onOver.bind(police),
      }
      return [name, new ModelServer({ name, wire, clock, pace, faults, random, ...watch })] as const
    })
    return new Map(made)
  }

  #makeEngine(): Engine {
    const { books } = this
    const ledger = this.#sabotage.ledger?.(this.ledger) ?? this.ledger
    const providers = new Map<string, Provider>()
    for (const [name, server] of this.servers)
      providers.set(name, this.#sabotage.provider?.(server, this) ?? server)
    return engineOf({
      system: this.clock.system,
      ledger,
      books: this.#sabotage.books?.(books) ?? books,
      archive: archiveOf(books),
      release: () => this.release,
      provider: (_release, name) => providers.get(name),
    })
  }

  /** Sets the timers of everything the scenario has. */
  begin(): void {
    const { tasks, calls, jumps, reloads, pins, reports } = this.scenario
    sweepExpired(this.engine)
    for (const task of tasks) this.#later(task.atMs, () => this.#openTask(task))
    for (const call of calls) this.#later(call.atMs, () => this.#startCall(call, 0))
    for (const report of reports) this.#later(report.atMs, () => void this.#report(report))
    for (const pin of pins) this.clock.after(pin.atMs, () => this.#pin(pin))
    for (const { atMs, byMs } of jumps) this.clock.after(atMs, () => this.#jump(byMs))
    for (const [index, atMs] of reloads.entries()) this.clock.after(atMs, () => this.#reload(index))
  }

  #later(delayMs: number, run: () => void): void {
    this.#toCome += 1
    this.clock.after(delayMs, () => {
      this.#toCome -= 1
      run()
    })
  }

  #jump(byMs: number): void {
    this.log.note(`jump ${byMs}`)
    this.clock.jump(byMs)
  }

  #pin({ deployment: id, action, forMs }: PinPlan): void {
    const deployment = findDeployment(this.release, id)
    if (deployment === undefined) return
    this.log.note(`pin ${id} ${action} ${forMs}`)
    // How long an order lasts is counted by the clock that somebody sets.
    if (this.scenario.jumps.length === 0) this.police.onPin(id, action, forMs)
    steerBreaker(this.engine, deployment, { action, forMs, by: 'ann', reason: 'an incident' })
  }

  #reload(index: number): void {
    this.release = this.shape.releases[index % 2 === 0 ? 1 : 0]
    this.log.note(`reload ${this.release.id.slice(0, 8)}`)
  }

  #openTask(plan: TaskPlan): void {
    const tenant = this.release.tenants.get(plan.tenant)
    const parent = plan.parent === null ? null : (this.#openParent(plan.parent) ?? undefined)
    if (tenant === undefined || parent === undefined) return
    const rest = { attributes: {}, session: null, externalId: null, budget: {}, latencyMs: null }
    const { contract } = plan
    const task = openTask(this.engine, { tenant, contract, parent, oneStep: false, ...rest })
    if ('kind' in task) return this.log.note(`not opened: ${task.code}`)
    this.tasks.set(plan.id, task)
    if (plan.outcomeMs !== null) this.#later(plan.outcomeMs, () => this.#endTask(task))
  }

  #openParent(id: number): Task | null {
    const task = this.tasks.get(id)
    const nowMs = this.clock.system.nowMs()
    return task !== undefined && task.status === 'open' && task.deadlineMs > nowMs ? task : null
  }

  #endTask(task: Task): void {
    const verdict = { status: 'succeeded', output: null, evidence: [], score: null, reason: null } as const
    endTask(this.engine, task, { source: 'application', verdict })
    if (task.running === 0) closeTask(this.engine, task)
  }

  /** As the control API does it. */
  async #report({ task: id, kind, durationMs, costUsd }: ReportPlan): Promise<void> {
    const opened = this.tasks.get(id)
    if (opened === undefined) return
    this.#toCome += 1
    const task = await joinTask(this.engine, opened.id, opened.tenant)
    if ('kind' in task) this.log.note(`not reported: ${task.code}`)
    else {
      const started_at = new Date(this.clock.system.nowMs() - durationMs).toISOString()
      const step = { kind, name: 'look up', started_at, duration_ms: durationMs, cost_usd: costUsd }
      const isBooked = await reportStep(this.engine, task, step).then(
        () => true,
        () => false,
      )
      this.log.note(`reported in ${task.id}, ${isBooked ? 'booked' : 'and the books are closed'}`)
    }
    this.#toCome -= 1
  }

  #startCall(plan: CallPlan, tries: number): void {
    const tenant = this.release.tenants.get(plan.tenant)
    if (tenant === undefined) throw new Error(`${plan.tenant} is no tenant of ${this.shape.name}`)
    const { target } = plan
    const taskId = target.kind === 'task' ? (this.tasks.get(target.id)?.id ?? 'task_unknown') : null
    const run = this.#newRun(plan, tries)
    this.calls.set(run.number, run)
    this.running += 1
    this.log.note(`call c${run.number} of ${plan.tenant} ${plan.wire} to ${taskId ?? JSON.stringify(target)}`)
    const caller = this.#sabotage.caller?.(run.caller) ?? run.caller
    this.police.starting = run
    const answering = callModel(this.engine, modelCallOf(run, { tenant, taskId }), caller)
    this.police.starting = null
    answering.then(
      () => this.#onDone(run),
      (fault: unknown) => {
        this.log.fail(
          `c${run.number} threw ${fault instanceof Error ? (fault.stack ?? fault.message) : 'it'}`,
        )
        this.#onDone(run)
      },
    )
    if (plan.hangUpMs !== null) this.clock.after(plan.hangUpMs, () => this.#hangUp(run))
  }

  #newRun(plan: CallPlan, tries: number): CallRun {
    const events = {
      onBegin: (...head: Parameters<Caller['begin']>) => this.police.onBegin(run, ...head),
      onEnd: () => this.police.onEnd(run),
    }
    const caller = new SimCaller(this.clock, plan.readMs, events)
    const run: CallRun = { plan, tries, number: numberOf(plan, tries), caller, isDone: false }
    return run
  }

  #hangUp(run: CallRun): void {
    if (run.isDone) return
    this.log.note(`gone c${run.number}`)
    run.caller.hangUp()
  }

  #onDone(run: CallRun): void {
    run.isDone = true
    this.running -= 1
    this.log.note(`done c${run.number}`)
    if (run.caller.ends === 0 && !run.caller.gone)
      this.log.fail(`c${run.number} is over, and nobody was told`)
    const delayMs = retryAfter(run, this.clock.passedMs)
    if (delayMs !== null) this.#later(delayMs, () => this.#startCall(run.plan, run.tries + 1))
  }
}
