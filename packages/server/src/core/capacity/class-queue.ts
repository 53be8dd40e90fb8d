// The tenants that wait in one class of criticality, by virtual token counters (VTC, arXiv 2401.00588): each
// is charged for what it is served, by its weight, and who was charged least is next. Who begins to wait
// starts at the counter of those who wait already, so that having been idle earns nothing.

import { Heap, type HeapNode } from './heap.js'

/** Tenants whose counters are remembered. */
const TENANTS_MAX = 10_000

export interface Arrival<T> {
  readonly value: T
  /** 0 (most critical) to 3. */
  readonly rank: number
  readonly tenant: string
  /** Share of the service a backlogged tenant gets, relative to others. Above 0. */
  readonly weight: number
  /** `tokenCost` of what it is expected to use. Above 0. */
  readonly cost: number
  /** Not dispatched at or after this instant. */
  readonly deadlineMs: number
}

export interface Waiting<T> extends Arrival<T> {
  readonly enteredMs: number
  readonly order: number
}

/** A tenant in a class. */
export interface Backlog<T> {
  readonly tenant: string
  weight: number
  /** Cost per weight it was served, on a scale that all tenants of the class share. */
  counter: number
  /** The part of the counter that is only expected: of calls that have not ended. */
  expected: number
  /** All that the counter was raised by for having been idle. */
  lifted: number
  /** When it was served last, in dispatches: the tie goes to who was not served for longer. */
  servedAt: number
  work: number
  readonly earliest: Heap<Waiting<T>>
  readonly latest: Heap<Waiting<T>>
  turn: HeapNode<Backlog<T>> | null
  length: HeapNode<Backlog<T>> | null
}

/** An entry's place among those of its tenant. */
export interface Place<T> {
  readonly backlog: Backlog<T>
  readonly earliest: HeapNode<Waiting<T>>
  readonly latest: HeapNode<Waiting<T>>
}

/** What a dispatched call was charged with; `settle` corrects it. */
export interface Ticket<T> {
  readonly backlog: Backlog<T>
  readonly weight: number
  readonly cost: number
  readonly lifted: number
}

export class ClassQueue<T> {
  readonly #backlogs = new Map<string, Backlog<T>>()
  readonly #turns = new Heap<Backlog<T>>(isServedBefore)
  readonly #lengths = new Heap<Backlog<T>>(isLonger)
  /** Of the backlogged tenants. */
  #weights = 0
  /** The counter of the tenant that left last: where the next one begins when nobody waits. */
  #floor = 0
  work = 0
  count = 0

  /** The entry whose turn it is. */
  head(): Waiting<T> | null {
    return this.#turns.peek()?.earliest.peek() ?? null
  }

  /** The latest deadline of the tenant with the most waiting for its weight, or of `tenant`. */
  last(tenant?: string): Waiting<T> | null {
    const backlog = tenant === undefined ? this.#lengths.peek() : this.#backlogs.get(tenant)
    return backlog?.latest.peek() ?? null
  }

  /** Would it be the one to leave a full queue, in which this is the lowest class? */
  isLast({ tenant, weight, deadlineMs }: Omit<Arrival<T>, 'value'>): boolean {
    const own = this.#backlogs.get(tenant)
    const longest = this.#lengths.peek()
    const count = own === undefined ? 1 : own.earliest.size + 1
    if (longest !== undefined && longest !== own && lengthOf(longest) > count / weight) return false
    return this.isLastOfTenant(tenant, deadlineMs)
  }

  /** Would it be the one of its tenant to leave? */
  isLastOfTenant(tenant: string, deadlineMs: number): boolean {
    const last = this.last(tenant)
    return last === null || deadlineMs >= last.deadlineMs
  }

  /** `isLifted`: a newcomer, who gets no credit for having been idle. */
  add(entry: Waiting<T>, isLifted: boolean): Place<T> {
    const backlog = this.#backlogOf(entry)
    const place = {
      backlog,
      earliest: backlog.earliest.push(entry),
      latest: backlog.latest.push(entry),
    }
    backlog.work += entry.cost
    this.work += entry.cost
    this.count += 1
    if (backlog.turn === null) this.#enter(backlog, isLifted)
    this.#reweigh(backlog, entry.weight)
    return place
  }

  remove({ backlog, earliest, latest }: Place<T>): void {
    backlog.earliest.remove(earliest)
    backlog.latest.remove(latest)
    backlog.work -= earliest.item.cost
    this.work -= earliest.item.cost
    this.count -= 1
    if (backlog.length !== null) this.#lengths.moved(backlog.length)
    if (backlog.earliest.size === 0) this.#leave(backlog)
  }

  /** Dispatches: the tenant is charged with what the call is expected to use. `at` counts dispatches. */
  take(place: Place<T>, at: number): Ticket<T> {
    const { backlog, earliest } = place
    const { weight, cost } = earliest.item
    backlog.servedAt = at
    backlog.expected += cost / weight
    this.#charge(backlog, cost / weight)
    this.remove(place)
    return { backlog, weight, cost, lifted: backlog.lifted }
  }

  /** What the call really used, at its end. */
  settle({ backlog, weight, cost, lifted }: Ticket<T>, used: number): void {
    backlog.expected = Math.max(0, backlog.expected - cost / weight)
    const change = (used - cost) / weight
    const liftedSince = backlog.lifted - lifted
    // A counter raised since then has swallowed what was charged too much: giving it back is idle credit.
    if (change >= 0) this.#charge(backlog, Math.max(0, change - liftedSince))
    else if (liftedSince === 0) this.#charge(backlog, change)
  }

  /**
   * Cost that is served before such an arrival would be, at most: of its own tenant, and of the others what
   * their weights give them until its tenant has had as much.
   */
  workAhead({ tenant, weight, cost, deadlineMs }: Omit<Arrival<T>, 'value'>): number {
    const backlog = this.#backlogs.get(tenant)
    const first = backlog?.earliest.peek()
    const tenantWork = backlog?.work ?? 0
    const own = first === undefined || deadlineMs < first.deadlineMs ? 0 : tenantWork
    const othersWeight = this.#weights - (first === undefined ? 0 : (backlog?.weight ?? 0))
    const share = ((own + cost) * Math.max(0, othersWeight)) / weight
    return own + Math.min(this.work - tenantWork, share)
  }

  #charge(backlog: Backlog<T>, amount: number): void {
    backlog.counter += amount
    if (backlog.turn !== null) this.#turns.moved(backlog.turn)
  }

  #backlogOf({ tenant, weight }: Waiting<T>): Backlog<T> {
    const known = this.#backlogs.get(tenant)
    if (known !== undefined) return known
    if (this.#backlogs.size >= TENANTS_MAX) this.#forgetIdle()
    const backlog: Backlog<T> = {
      tenant,
      weight,
      counter: 0,
      expected: 0,
      lifted: 0,
      servedAt: 0,
      work: 0,
      earliest: new Heap<Waiting<T>>(isDueBefore),
      latest: new Heap<Waiting<T>>((a, b) => isDueBefore(b, a)),
      turn: null,
      length: null,
    }
    this.#backlogs.set(tenant, backlog)
    return backlog
  }

  #enter(backlog: Backlog<T>, isLifted: boolean): void {
    const first = this.#turns.peek()
    // What others may still be given back must not put a newcomer behind them.
    const floor = first === undefined ? this.#floor : first.counter - first.expected
    if (isLifted && backlog.counter < floor) {
      backlog.lifted += floor - backlog.counter
      backlog.counter = floor
    }
    backlog.turn = this.#turns.push(backlog)
    backlog.length = this.#lengths.push(backlog)
    this.#weights += backlog.weight
  }

  #reweigh(backlog: Backlog<T>, weight: number): void {
    this.#weights += weight - backlog.weight
    backlog.weight = weight
    if (backlog.length !== null) this.#lengths.moved(backlog.length)
  }

  #leave(backlog: Backlog<T>): void {
    if (backlog.turn !== null) this.#turns.remove(backlog.turn)
    if (backlog.length !== null) this.#lengths.remove(backlog.length)
    backlog.turn = null
    backlog.length = null
    this.#floor = backlog.counter - backlog.expected
    // Nobody is left, and a sum of fractions need not say so.
    this.#weights = this.count === 0 ? 0 : this.#weights - backlog.weight
  }

  /** Those that nobody waits for; half of them, the oldest, so that this is rare. */
  #forgetIdle(): void {
    let forgotten = 0
    for (const [tenant, { turn }] of this.#backlogs) {
      if (turn !== null) continue
      this.#backlogs.delete(tenant)
      if (++forgotten >= TENANTS_MAX / 2) return
    }
  }
}

function isServedBefore<T>(a: Backlog<T>, b: Backlog<T>): boolean {
  return a.counter < b.counter || (a.counter === b.counter && a.servedAt < b.servedAt)
}

function lengthOf<T>({ earliest, weight }: Backlog<T>): number {
  return earliest.size / weight
}

function isLonger<T>(a: Backlog<T>, b: Backlog<T>): boolean {
  return lengthOf(a) > lengthOf(b)
}

export function isDueBefore<T>(a: Waiting<T>, b: Waiting<T>): boolean {
  return a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.order < b.order)
}
