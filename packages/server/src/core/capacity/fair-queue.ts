// Who is next when not everybody can be served. Strict priority between four classes, with a small share kept
// for the lowest that waits; inside a class the tenant that was served least for its weight; inside a tenant
// the earliest deadline, then first come. Bounded: what is too much leaves from the lowest class, there from
// the tenant with the most waiting for its weight, there the latest deadline. Every operation is O(log n).

import {
  type Arrival,
  ClassQueue,
  type Place,
  type Ticket,
  type Waiting,
  isDueBefore,
} from './class-queue.js'
import { Heap, type HeapNode } from './heap.js'

/** Classes of criticality. */
const CLASSES = 4

/** What a token of input and of output counts for (the constants of the VTC paper). */
const INPUT_WEIGHT = 1
const OUTPUT_WEIGHT = 2

/** Of what is dispatched this share is the lowest waiting class's, whoever else waits. */
const GUARD_SHARE = 0.05

export interface QueueBounds {
  readonly maxWaiting: number
  /** Of one tenant, over all classes. */
  readonly maxWaitingPerTenant: number
}

export interface Pushed<T> {
  readonly entry: Waiting<T>
  /** Has to leave, because the queue is full; may be `entry`. */
  readonly evicted: Waiting<T> | null
}

interface Member<T> {
  readonly place: Place<T>
  readonly expiry: HeapNode<Waiting<T>>
}

/** Work of a call: its tokens, output counted twice. At least 1. */
export function tokenCost(inputTokens: number, outputTokens: number): number {
  return Math.max(1, INPUT_WEIGHT * inputTokens + OUTPUT_WEIGHT * outputTokens)
}

export class FairQueue<T> {
  readonly #classes: readonly ClassQueue<T>[] = Array.from({ length: CLASSES }, () => new ClassQueue<T>())
  readonly #members = new Map<Waiting<T>, Member<T>>()
  readonly #expiry = new Heap<Waiting<T>>(isDueBefore)
  readonly #perTenant = new Map<string, number>()
  #bounds: QueueBounds
  #order = 0
  #dispatches = 0
  /** What the lowest waiting class has earned, in cost. */
  #guard = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#members.size
  }

  /** A reload changed the bounds; nobody leaves because of it. */
  adopt(bounds: QueueBounds): void {
    this.#bounds = bounds
  }

  /** How many wait in a class. */
  countOf(rank: number): number {
    return this.#classOf(rank).count
  }

  /** Of all that wait, in the order they came. */
  entries(): IterableIterator<Waiting<T>> {
    return this.#members.keys()
  }

  /** Is there no room for such an arrival, because it would be the one to leave? */
  isFullFor(arrival: Omit<Arrival<T>, 'value'>): boolean {
    const { tenant, rank, deadlineMs } = arrival
    const { maxWaiting, maxWaitingPerTenant } = this.#bounds
    if ((this.#perTenant.get(tenant) ?? 0) >= maxWaitingPerTenant) {
      const lowest = this.#classes.findLast((queue) => queue.last(tenant) !== null)
      const lowestRank = lowest === undefined ? rank : this.#classes.indexOf(lowest)
      return (
        rank > lowestRank || (rank === lowestRank && this.#classOf(rank).isLastOfTenant(tenant, deadlineMs))
      )
    }
    if (this.size < maxWaiting) return false
    const lowestRank = this.#lowest()?.rank ?? rank
    return rank > lowestRank || (rank === lowestRank && this.#classOf(rank).isLast(arrival))
  }

  push(arrival: Arrival<T>, nowMs: number): Pushed<T> {
    const entry: Waiting<T> = { ...arrival, enteredMs: nowMs, order: this.#order++ }
    this.#insert(entry, true)
    const evicted = this.#overBound(entry)
    if (evicted !== null) this.remove(evicted)
    return { entry, evicted }
  }

  /** Who is served next. `isGuarded`: it is the share kept for the lowest class. */
  next(): { readonly entry: Waiting<T>; readonly isGuarded: boolean } | null {
    const entry = this.#classes.find(({ count }) => count > 0)?.head() ?? null
    if (entry === null) return null
    const low = this.#lowest()
    return low !== null && low.rank > entry.rank && this.#guard >= low.cost
      ? { entry: low, isGuarded: true }
      : { entry, isGuarded: false }
  }

  /** Dispatches: the entry leaves, and its tenant is charged. null: it is not waiting. */
  take(entry: Waiting<T>): Ticket<T> | null {
    const member = this.#forget(entry)
    if (member === undefined) return null
    const ticket = this.#classOf(entry.rank).take(member.place, ++this.#dispatches)
    this.#earnGuard(entry)
    return ticket
  }

  /** What a dispatched call really used, at its end. */
  settle(rank: number, ticket: Ticket<T>, usedCost: number): void {
    this.#classOf(rank).settle(ticket, usedCost)
  }

  /** The caller left, or the entry is put aside. False: it was not waiting. */
  remove(entry: Waiting<T>): boolean {
    const member = this.#forget(entry)
    if (member === undefined) return false
    this.#classOf(entry.rank).remove(member.place)
    return true
  }

  /** After `remove`: what could not be served just now stands where it stood. */
  putBack(entry: Waiting<T>): void {
    if (!this.#members.has(entry)) this.#insert(entry, false)
  }

  /** When the first of them expires; null: nobody waits. */
  nextExpiryMs(): number | null {
    return this.#expiry.peek()?.deadlineMs ?? null
  }

  /** Takes out one that has expired, or null. Nobody is charged. */
  expire(nowMs: number): Waiting<T> | null {
    const entry = this.#expiry.peek()
    if (entry === undefined || entry.deadlineMs > nowMs) return null
    this.remove(entry)
    return entry
  }

  /** Cost that waits in the classes from the highest to this one. */
  workUpTo(rank: number): number {
    let work = 0
    for (let upTo = 0; upTo <= rank; upTo++) work += this.#classOf(upTo).work
    return work
  }

  /** Cost that is served before such an arrival would be, at most, were nothing more to come. */
  workAhead(arrival: Omit<Arrival<T>, 'value'>): number {
    return this.workUpTo(arrival.rank - 1) + this.#classOf(arrival.rank).workAhead(arrival)
  }

  #insert(entry: Waiting<T>, isLifted: boolean): void {
    const place = this.#classOf(entry.rank).add(entry, isLifted)
    this.#members.set(entry, { place, expiry: this.#expiry.push(entry) })
    this.#perTenant.set(entry.tenant, (this.#perTenant.get(entry.tenant) ?? 0) + 1)
  }

  #forget(entry: Waiting<T>): Member<T> | undefined {
    const member = this.#members.get(entry)
    if (member === undefined) return undefined
    this.#members.delete(entry)
    this.#expiry.remove(member.expiry)
    const left = (this.#perTenant.get(entry.tenant) ?? 1) - 1
    if (left > 0) this.#perTenant.set(entry.tenant, left)
    else this.#perTenant.delete(entry.tenant)
    return member
  }

  #overBound({ tenant }: Waiting<T>): Waiting<T> | null {
    const { maxWaiting, maxWaitingPerTenant } = this.#bounds
    const isTenantOver = (this.#perTenant.get(tenant) ?? 0) > maxWaitingPerTenant
    if (!isTenantOver && this.size <= maxWaiting) return null
    for (let rank = CLASSES - 1; rank >= 0; rank--) {
      const last = this.#classOf(rank).last(isTenantOver ? tenant : undefined)
      if (last !== null) return last
    }
    return null
  }

  /** What others are served earns the lowest class that waits its share; one call's worth is saved up. */
  #earnGuard(served: Waiting<T>): void {
    const low = this.#lowest()
    if (low === null || low.rank < served.rank) this.#guard = 0
    else if (low.rank === served.rank) this.#guard = Math.max(0, this.#guard - served.cost)
    else {
      const earned = (served.cost * GUARD_SHARE) / (1 - GUARD_SHARE)
      this.#guard = Math.min(low.cost, this.#guard + earned)
    }
  }

  #lowest(): Waiting<T> | null {
    return this.#classes.findLast(({ count }) => count > 0)?.head() ?? null
  }

  #classOf(rank: number): ClassQueue<T> {
    const queue = this.#classes[rank]
    if (queue === undefined) throw new Error(`there is no class of rank ${rank}`)
    return queue
  }
}
