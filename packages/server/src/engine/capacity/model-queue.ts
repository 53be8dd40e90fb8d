// The calls that wait for a place at the deployments of one model. It is served when a place ends, and by one
// timer: when the first of them expires, when a deployment that rests is ready, and at least once a second.

import { DecayedShare } from '../../core/capacity/decayed-share.js'
import type { Demand } from '../../core/capacity/demand.js'
import { DrainRate } from '../../core/capacity/drain-rate.js'
import { isFeasible, predictWaitMs } from '../../core/capacity/early-rejection.js'
import { FairQueue } from '../../core/capacity/fair-queue.js'
import { rankOf } from '../../core/capacity/hold-back.js'
import { Outage } from '../../core/capacity/outage.js'
import { Overload, fateOf, pressureOf } from '../../core/capacity/overload.js'
import type { QueueSettings } from '../../core/release/capacity-settings.js'
import type { Timer } from '../ports.js'
import type { Place } from './deployment-state.js'
import type {
  Entry,
  NoPlace,
  QueueAsk,
  QueueEnd,
  QueuePorts,
  RefusalAsk,
  Refused,
  Taken,
  Waiter,
} from './queue-ask.js'
import { arrivalOf, dispatchBy, hurried, isParticular } from './queue-ask.js'

/** Even if nothing tells it to, the queue looks this often whether it can go on, ms. */
const LOOK_MS = 1_000

/** Calls that cannot use what is free are passed over, so many each time. */
const ASIDE_MAX = 8

/** Refusals are remembered for this long, ms. */
const REFUSALS_MS = 5_000

/** Ranks up to this one are work that matters: critical_plus and critical. */
const CRITICAL_RANK = 1

export class ModelQueue {
  readonly model: string
  readonly overload = new Overload()
  /** Calls per class since the start, the most critical first. */
  readonly served = [0, 0, 0, 0]
  readonly shed = [0, 0, 0, 0]
  readonly timedOut = [0, 0, 0, 0]
  readonly #ports: QueuePorts
  readonly #fair: FairQueue<Waiter>
  readonly #drain = new DrainRate()
  readonly #refusals = new DecayedShare(REFUSALS_MS)
  readonly #outage = new Outage()
  #settings: QueueSettings
  /** When a deployment that rests is ready; 0: none is waited for. */
  #readyMs = 0
  #timer: Timer | null = null

  constructor(model: string, settings: QueueSettings, ports: QueuePorts) {
    this.model = model
    this.#settings = settings
    this.#ports = ports
    this.#fair = new FairQueue(settings)
  }

  get size(): number {
    return this.#fair.size
  }

  countOf(rank: number): number {
    return this.#fair.countOf(rank)
  }

  oldestMs(nowMs: number): number | null {
    let enteredMs = Infinity
    for (const entry of this.#fair.entries()) enteredMs = Math.min(enteredMs, entry.enteredMs)
    return enteredMs === Infinity ? null : Math.max(0, nowMs - enteredMs)
  }

  /** Cost per second while somebody waits; null: not known. */
  drainPerSecond(nowMs: number): number | null {
    return this.#drain.perSecond(nowMs)
  }

  /** How long a critical call that comes now would wait, ms. */
  criticalWaitMs(nowMs: number): number {
    return this.#predict(this.#fair.workUpTo(CRITICAL_RANK), 0, nowMs)
  }

  /** Of the critical calls of the last seconds, the share that was refused. */
  refusedShare(nowMs: number): number {
    return this.#refusals.at(nowMs)
  }

  /** Nobody waits and nothing is given up. */
  isCalm(nowMs: number): boolean {
    if (this.#fair.size > 0) return false
    this.#observe(nowMs)
    return this.overload.level === 0
  }

  /** A call found a place without waiting, while something is still given up. */
  passed(demand: Demand, nowMs: number): void {
    if (rankOf(demand.criticality) <= CRITICAL_RANK) this.#refusals.count(false, nowMs)
    this.#observe(nowMs)
  }

  /** Why such a call would be refused now, or null. */
  refusal(ask: RefusalAsk, nowMs: number): NoPlace | null {
    const { demand, isTolerant, leaveMs, restMs, firstTokenMs, targetMs } = ask
    this.#observe(nowMs)
    const fate = fateOf(this.overload, demand.criticality, isTolerant)
    const arrival = { ...arrivalOf(demand, fate === 'batch'), deadlineMs: leaveMs }
    const waitMs = this.#predict(this.#fair.workAhead(arrival), restMs, nowMs)
    if (fate === 'refuse') {
      const reason = `${demand.criticality} work is refused at overload level ${this.overload.level}`
      const step = demand.criticality === 'sheddable' ? 'sheddable_off' : 'sheddable_plus_off'
      return this.#noPlace({ isShed: true, waitMs: Math.max(waitMs, this.overload.reliefMs(step)), reason })
    }
    if (this.#fair.isFullFor(arrival)) return this.#full(nowMs)
    const prospect = { nowMs, deadlineMs: leaveMs, waitMs, firstTokenMs, targetMs }
    if (fate === 'batch' || isFeasible(prospect)) return null
    // Nothing is overloaded where the deployments rest for longer than the call has.
    const isResting = this.#predict(0, restMs, nowMs) === waitMs
    return this.#noPlace({ isShed: !isResting, waitMs, reason: `it would wait for ${waitMs} ms, too long` })
  }

  /** Refuses a call before it has come this far, if it would be refused here; null: let it come. */
  turnAway(ask: RefusalAsk, nowMs: number): NoPlace | null {
    const refusal = this.refusal(ask, nowMs)
    if (refusal !== null) {
      const rank = rankOf(ask.demand.criticality)
      this.#refuse({ rank, refusal, resolve() {}, isOut: this.#outage.isOn }, nowMs)
    }
    return refusal
  }

  /** Waits for a place. `resolve` runs once, perhaps before this returns; null: it does not wait. */
  enter(asked: QueueAsk, resolve: (end: QueueEnd) => void): Entry | null {
    const nowMs = this.#ports.system.nowMs()
    const isOut = this.#ports.isOut(asked.usable, asked.demand, nowMs)
    const ask = isOut ? hurried(asked, nowMs) : asked
    this.#settings = ask.settings
    this.#fair.adopt(ask.settings)
    const rank = rankOf(ask.demand.criticality)
    const refusal = this.refusal(ask, nowMs)
    if (refusal !== null) {
      this.#refuse({ rank, refusal, resolve, isOut }, nowMs)
      return null
    }
    const isBatch = fateOf(this.overload, ask.demand.criticality, ask.isTolerant) === 'batch'
    const deadlineMs = dispatchBy(ask, isBatch, nowMs)
    const arrival = { ...arrivalOf(ask.demand, isBatch), deadlineMs, value: { ask, resolve } }
    if (!this.#outage.isOn) this.#drain.begin(nowMs)
    const { entry, evicted } = this.#fair.push(arrival, nowMs)
    if (evicted !== null) {
      const { rank: least, value } = evicted
      const { resolve: tell } = value
      this.#refuse({ rank: least, refusal: this.#full(nowMs), resolve: tell, isOut }, nowMs)
    }
    this.serve(nowMs)
    return entry
  }

  /** The caller is gone. */
  leave(entry: Entry): void {
    if (!this.#fair.remove(entry)) return
    entry.value.resolve({ kind: 'gone' })
    this.serve(this.#ports.system.nowMs())
  }

  /** Gives out what is free. */
  serve(nowMs: number): void {
    this.#expire(nowMs)
    this.#readyMs = 0
    const aside: Entry[] = []
    let blocked: Entry | undefined
    for (let next = this.#fair.next(); next !== null; next = this.#fair.next()) {
      const { entry, isGuarded } = next
      const taken = this.#take(entry, isGuarded, nowMs)
      if (taken.kind === 'place') this.#dispatch(entry, taken.place, nowMs)
      else if (isParticular(entry) && aside.length < ASIDE_MAX) {
        this.#fair.remove(entry)
        aside.push(entry)
      } else {
        blocked = entry
        break
      }
    }
    for (const entry of aside) this.#fair.putBack(entry)
    this.#lookOut(blocked ?? aside[0], nowMs)
    this.#observe(nowMs)
    this.#setTimer(nowMs)
  }

  /** Nobody who waited already when everything went out waits for longer than who comes later. */
  #lookOut(blocked: Entry | undefined, nowMs: number): void {
    const isOut = blocked !== undefined && this.#isOut(blocked, nowMs)
    this.#outage.see(isOut, nowMs)
    const sinceMs = this.#outage.takeGiveUp(nowMs)
    for (const entry of sinceMs === null ? [] : [...this.#fair.entries()])
      if (entry.enteredMs <= (sinceMs ?? 0) && this.#isOut(entry, nowMs) && this.#fair.remove(entry))
        this.#giveUp(entry, nowMs)
    // Only what is served while it can be says how fast that is.
    const isResting = blocked !== undefined && this.#ports.areResting(blocked.value.ask.usable, nowMs)
    if (this.#fair.size === 0 || isOut || isResting) this.#drain.pause(nowMs)
    else this.#drain.begin(nowMs)
  }

  #isOut({ value }: Entry, nowMs: number): boolean {
    return this.#ports.isOut(value.ask.usable, value.ask.demand, nowMs)
  }

  #take({ value }: Entry, isGuarded: boolean, nowMs: number): Taken {
    const { usable, demand } = value.ask
    // The share that is kept for the lowest class is not held back for others.
    const asked: Demand = isGuarded ? { ...demand, criticality: 'critical_plus' } : demand
    const taken = this.#ports.take(usable, asked, nowMs)
    if (taken.kind === 'wait' && Number.isFinite(taken.waitMs)) {
      const readyMs = nowMs + taken.waitMs
      this.#readyMs = this.#readyMs === 0 ? readyMs : Math.min(this.#readyMs, readyMs)
    }
    return taken
  }

  #dispatch(entry: Entry, place: Place, nowMs: number): void {
    const ticket = this.#fair.take(entry)
    if (ticket !== null) place.settle = (cost) => this.#fair.settle(entry.rank, ticket, cost)
    if (!this.#outage.isOn) this.#drain.served(entry.cost, nowMs)
    count(this.served, entry.rank)
    if (entry.rank <= CRITICAL_RANK) this.#refusals.count(false, nowMs)
    entry.value.resolve({ kind: 'place', place })
  }

  #expire(nowMs: number): void {
    for (let entry = this.#fair.expire(nowMs); entry !== null; entry = this.#fair.expire(nowMs))
      this.#giveUp(entry, nowMs)
  }

  #giveUp({ rank, enteredMs, value }: Entry, nowMs: number): void {
    count(this.timedOut, rank)
    if (!this.#outage.isOn && rank <= CRITICAL_RANK) this.#refusals.count(true, nowMs)
    const reason = `no place came free in ${Math.max(0, nowMs - enteredMs)} ms`
    const waitMs = this.#predict(this.#fair.workUpTo(rank), 0, nowMs)
    value.resolve(this.#noPlace({ isShed: false, waitMs, reason }))
  }

  /** While everything is out, no refusal is a sign of overload. */
  #refuse(from: Refused, nowMs: number): void {
    count(this.shed, from.rank)
    if (!from.isOut && from.rank <= CRITICAL_RANK) this.#refusals.count(true, nowMs)
    from.resolve(from.refusal)
  }

  #full(nowMs: number): NoPlace {
    const waitMs = this.criticalWaitMs(nowMs)
    return this.#noPlace({ isShed: true, waitMs, reason: 'the queue is full' })
  }

  #noPlace(about: Omit<NoPlace, 'kind'>): NoPlace {
    return { kind: 'none', ...about }
  }

  /** `restMs`: of the deployments of one call, where it is known. */
  #predict(workAhead: number, restMs: number, nowMs: number): number {
    const known = Number.isFinite(restMs) ? restMs : 0
    const rest = Math.max(0, known, this.#readyMs - nowMs)
    return predictWaitMs({ workAhead, perSecond: this.#drain.perSecond(nowMs), restMs: rest })
  }

  #observe(nowMs: number): void {
    const refusedShare = this.#refusals.at(nowMs)
    if (this.overload.level === 0 && this.#fair.size === 0 && refusedShare === 0) return
    const from = this.overload.level
    const waitMs = this.#outage.isOn ? 0 : this.criticalWaitMs(nowMs)
    this.overload.observe(pressureOf({ waitMs, targetMs: this.#settings.targetWaitMs, refusedShare }), nowMs)
    const { level: to, step } = this.overload
    if (from !== to) this.#ports.tell({ model: this.model, from, to, step, atMs: nowMs })
  }

  #setTimer(nowMs: number): void {
    this.#timer?.cancel()
    this.#timer = null
    const expiryMs = this.#fair.nextExpiryMs()
    if (expiryMs === null) return
    const readyMs = this.#readyMs === 0 ? Infinity : this.#readyMs
    const delayMs = Math.max(
      1,
      Math.min(expiryMs - nowMs, readyMs - nowMs, this.#outage.giveUpMs - nowMs, LOOK_MS),
    )
    this.#timer = this.#ports.system.after(delayMs, () => this.serve(this.#ports.system.nowMs()))
  }
}

function count(counts: number[], rank: number): void {
  counts[rank] = (counts[rank] ?? 0) + 1
}
