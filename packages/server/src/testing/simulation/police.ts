// The invariants that are looked at when something happens: a hold, a request, a settlement, the first and
// the last byte to a caller.

import { RESOURCES } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, StepId, TaskId } from '../../core/ids.js'
import type { Entry, HoldMade, HoldSettled, TaskOpened } from '../../core/task/records.js'
import type { Engine } from '../../engine/engine.js'
import { attemptsMax } from '../../engine/task-registry.js'
import type { CallRun } from './call-run.js'
import { type AnswerCheck, checkEnd, checkHead } from './check-answer.js'
import type { ModelServer } from './model-server.js'
import type { RunLog } from './run-log.js'
import type { PinPlan } from './scenario.js'
import type { SimBooks } from './sim-books.js'
import type { SimClock } from './sim-clock.js'
import type { UpstreamJob } from './upstream-job.js'
import type { WatchedLedger } from './watched-ledger.js'

interface Held {
  readonly entry: HoldMade
  job: UpstreamJob | null
}

export interface PoliceAsk {
  readonly clock: SimClock
  readonly log: RunLog
  readonly calls: ReadonlyMap<number, CallRun>
}

export class Police {
  readonly #ask: PoliceAsk
  readonly #held = new Map<HoldId, Held>()
  readonly #unsent = new Set<HoldId>()
  readonly #sends = new Map<TaskId, number>()
  readonly #sendsTo = new Map<string, number>()
  /** Until when an operator has closed the way to a deployment, ms since the start. */
  readonly #closedUntilMs = new Map<string, number>()
  readonly #opened = new Map<TaskId, TaskOpened>()
  readonly #endedSteps = new Set<StepId>()
  /** Of tasks of one step. */
  readonly #callOf = new Map<TaskId, CallRun>()
  /** The call that is being started: until it waits for something, all that happens is its doing. */
  starting: CallRun | null = null
  readonly #holdOf = new Map<AttemptId, HoldId>()
  #engine: Engine | null = null
  #books: SimBooks | null = null
  #ledger: WatchedLedger | null = null

  constructor(ask: PoliceAsk) {
    this.#ask = ask
  }

  /** What it looks at exists only after what it listens to. */
  watch(engine: Engine, books: SimBooks, ledger: WatchedLedger): void {
    this.#engine = engine
    this.#books = books
    this.#ledger = ledger
  }

  onEntry(entry: Entry): void {
    const { log } = this.#ask
    switch (entry.kind) {
      case 'task-opened':
        this.#opened.set(entry.id, entry)
        if (entry.oneStep && this.starting !== null) this.#callOf.set(entry.id, this.starting)
        return log.note(`open ${entry.id} ${entry.contract} of ${entry.tenant} in ${entry.parent ?? 'none'}`)
      case 'hold-made':
        return this.#onHoldMade(entry)
      case 'hold-settled':
        return this.#onHoldSettled(entry)
      case 'step-ended':
        this.#endedSteps.add(entry.id)
        return log.note(`step ${entry.id} of ${entry.task} ends: ${entry.error ?? 'ok'}`)
      case 'call-refused':
        return log.note(`refused ${entry.code} ${entry.task ?? ''}`)
      case 'outcome-judged':
        return log.note(`outcome of ${entry.task}: ${entry.status}`)
      default:
        return log.note(entry.kind)
    }
  }

  #onHoldMade(entry: HoldMade): void {
    const { log } = this.#ask
    log.note(`hold ${entry.id} ${entry.task} ${entry.step} ${entry.deployment} ${entry.amounts.nanoUsd}`)
    if (this.#ledger?.openHolds.has(entry.id) !== true) log.fail(`${entry.id} is in the books, and not held`)
    if (this.#held.has(entry.id)) log.fail(`${entry.id} is twice in the books`)
    this.#checkLimits(entry)
    this.#held.set(entry.id, { entry, job: null })
    this.#unsent.add(entry.id)
  }

  /** The task's account has the limits that the books say it was opened with. */
  #checkLimits({ task, accounts }: HoldMade): void {
    const promised = this.#opened.get(task)?.limits
    const account = accounts[0] ?? ''
    const kept = this.#ledger?.limitsOf(account)
    for (const resource of RESOURCES)
      if ((promised?.[resource] ?? Infinity) !== kept?.[resource])
        this.#ask.log.fail(
          `${account} is kept to ${kept?.[resource]} ${resource}, not ${promised?.[resource]}`,
        )
  }

  onSend(server: ModelServer, job: UpstreamJob): void {
    const { log } = this.#ask
    const deployment = `${server.name}/${job.request.model}`
    log.note(`send c${job.call} ${deployment} within ${Math.round(job.request.headTimeoutMs)}`)
    this.#sendsTo.set(deployment, this.sendsTo(deployment) + 1)
    this.#checkPin(deployment)
    const held = this.#takeUnsent(deployment)
    if (held === null) return log.fail(`sent to ${deployment} without a hold in the books`)
    held.job = job
    this.#checkTime(held.entry, job)
    this.#checkCap(held.entry)
    this.#checkCaller(held.entry, job)
  }

  /** An operator has ordered. */
  onPin(deployment: string, action: PinPlan['action'], forMs: number): void {
    const isClosed = action === 'open' || action === 'drain'
    this.#closedUntilMs.set(deployment, isClosed ? this.#ask.clock.passedMs + forMs : 0)
  }

  #checkPin(deployment: string): void {
    const { log, clock } = this.#ask
    const leftMs = (this.#closedUntilMs.get(deployment) ?? 0) - clock.passedMs
    if (leftMs > 0) log.fail(`sent to ${deployment}, which an operator has closed for ${leftMs} ms more`)
  }

  #takeUnsent(deployment: string): Held | null {
    for (const id of this.#unsent) {
      const held = this.#held.get(id)
      if (held?.entry.deployment !== deployment) continue
      this.#unsent.delete(id)
      return held
    }
    return null
  }

  #checkTime({ task, step }: HoldMade, job: UpstreamJob): void {
    const { log, clock } = this.#ask
    const deadlineMs = this.#opened.get(task)?.deadlineMs ?? -Infinity
    const leftMs = deadlineMs - clock.system.nowMs()
    if (!(leftMs > 0)) log.fail(`sent for ${task}, ${-leftMs} ms after its deadline`)
    if (job.request.headTimeoutMs > leftMs) log.fail(`${task} has ${leftMs} ms left, waits for longer`)
    if (this.#endedSteps.has(step)) log.fail(`sent for ${step}, which has ended`)
  }

  #checkCap({ task: id }: HoldMade): void {
    const { log } = this.#ask
    const sends = (this.#sends.get(id) ?? 0) + 1
    this.#sends.set(id, sends)
    const task = this.#engine?.tasks.get(id)
    if (task === undefined) return log.fail(`sent for ${id}, which is not running`)
    if (sends > attemptsMax(task)) log.fail(`${id} has sent ${sends} of ${attemptsMax(task)} attempts`)
  }

  #checkCaller({ attempt, task }: HoldMade, job: UpstreamJob): void {
    const { log, calls } = this.#ask
    const call = this.#callOf.get(task) ?? calls.get(job.call ?? -1)
    if (call === undefined) return log.fail(`sent for c${job.call}, which nobody has asked`)
    if (call.isDone) log.fail(`sent for c${call.number}, which is over`)
    if (call.caller.begun) log.fail(`sent for c${call.number} after its first byte`)
    if (attempt.purpose !== 'answer' && attempt.purpose !== 'hedge') return
    if (call.caller.gone) log.fail(`sent for c${call.number}, who has left`)
  }

  onOver(server: ModelServer, job: UpstreamJob, how: string): void {
    this.#ask.log.note(`over c${job.call} ${server.name} ${how} after ${job.generated}`)
  }

  /** In the ledger: before the books are told. */
  onSettle(id: HoldId, nanoUsd: number, modelCalls: number): void {
    const { log } = this.#ask
    log.note(`settle ${id} ${nanoUsd}`)
    const held = this.#held.get(id)
    if (held === undefined) {
      if (nanoUsd > 0 || modelCalls > 0) log.fail(`${id} is charged and was never in the books`)
      return
    }
    if (held.job === null) return log.fail(`${id} is settled, and its request was never sent`)
    if (!held.job.isOver) log.fail(`${id} is settled while its request runs on`)
  }

  #onHoldSettled(entry: HoldSettled): void {
    const { log } = this.#ask
    const { attempt } = entry
    log.note(`charge ${entry.id} ${attempt.end} ${attempt.basis} ${attempt.chargedNanoUsd}`)
    const held = this.#held.get(entry.id)
    if (held === undefined) return log.fail(`${entry.id} is settled in the books, and was never made there`)
    if (this.#holdOf.has(attempt.id)) log.fail(`${attempt.id} is charged twice`)
    this.#holdOf.set(attempt.id, entry.id)
    const { job } = held
    if (job === null || !job.isTruthful || attempt.end !== 'ok' || attempt.basis !== 'reported') return
    if (attempt.tokens.output !== job.generated || attempt.tokens.input !== job.inputTokens)
      log.fail(
        `${entry.id}: ${attempt.tokens.input} + ${attempt.tokens.output} tokens are charged, not ${job.inputTokens} + ${job.generated}`,
      )
  }

  onBegin(call: CallRun, status: number, headers: Readonly<Record<string, string>>): void {
    this.#ask.log.note(`begin c${call.number} ${status} ${headers['retry-after'] ?? ''}`)
    for (const problem of checkHead(call.caller, headers)) this.#ask.log.fail(`c${call.number}: ${problem}`)
  }

  onEnd(call: CallRun): void {
    const { log } = this.#ask
    log.note(`end c${call.number} ${call.caller.outcome} ${call.caller.text.length}`)
    const check: AnswerCheck = {
      stepOf: (id) => this.#books?.durableStep(id) ?? null,
      isCharged: (id) => {
        const hold = this.#holdOf.get(id)
        return hold !== undefined && this.#books?.isSettlementDurable(hold) === true
      },
    }
    for (const problem of checkEnd(call.caller, check)) log.fail(`c${call.number}: ${problem}`)
  }

  /** Requests that this deployment was sent. */
  sendsTo(deployment: string): number {
    return this.#sendsTo.get(deployment) ?? 0
  }

  /** Every hold of the books has been settled in them, once. */
  unsettled(): readonly HoldId[] {
    const settled = new Set(this.#holdOf.values())
    return [...this.#held.keys()].filter((id) => !settled.has(id))
  }
}
