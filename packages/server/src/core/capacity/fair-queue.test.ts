import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Arrival, Waiting } from './class-queue.js'
import { FairQueue, tokenCost } from './fair-queue.js'

const WIDE = { maxWaiting: 1_000_000, maxWaitingPerTenant: 1_000_000 }

let arrivals = 0

function arrival(about: Partial<Arrival<number>>): Arrival<number> {
  const value = ++arrivals
  return { value, rank: 1, tenant: 'a', weight: 1, cost: 100, deadlineMs: 1_000_000, ...about }
}

function add(queue: FairQueue<number>, about: Partial<Arrival<number>> = {}): Waiting<number> {
  return queue.push(arrival(about), 0).entry
}

/** Dispatches the next one, which uses what was expected. */
function serve(queue: FairQueue<number>): Waiting<number> {
  const next = queue.next()
  if (next === null) throw new Error('nobody waits')
  const ticket = queue.take(next.entry)
  if (ticket !== null) queue.settle(next.entry.rank, ticket, next.entry.cost)
  return next.entry
}

function serveAll(queue: FairQueue<number>, count: number): readonly Waiting<number>[] {
  return Array.from({ length: count }, () => serve(queue))
}

test('output counts twice, and no call is free', () => {
  expect(tokenCost(100, 50)).toBe(200)
  expect(tokenCost(0, 0)).toBe(1)
})

describe('classes', () => {
  test('a higher class is served before a lower one that came first', () => {
    const queue = new FairQueue<number>(WIDE)
    const ranks = [3, 1, 2, 0].map((rank) => add(queue, { rank }).rank)
    expect(serveAll(queue, 4).map(({ rank }) => rank)).toEqual(ranks.toSorted((a, b) => a - b))
  })

  test('the lowest class that waits gets one part in twenty, not more', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 400; count++) add(queue, { rank: 1 })
    for (let count = 0; count < 400; count++) add(queue, { rank: 3 })
    expect(serveAll(queue, 400).filter(({ rank }) => rank === 3)).toHaveLength(20)
  })

  test('a lowest class that was away has saved up nothing', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 300; count++) add(queue, { rank: 1 })
    serveAll(queue, 200)
    for (let count = 0; count < 10; count++) add(queue, { rank: 3 })
    expect(serveAll(queue, 18).every(({ rank }) => rank === 1)).toBe(true)
  })
})

describe('tenants', () => {
  test('one who floods is served as often as one who does not', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 500; count++) add(queue, { tenant: 'flood' })
    for (let count = 0; count < 10; count++) add(queue, { tenant: 'calm' })
    expect(serveAll(queue, 20).filter(({ tenant }) => tenant === 'calm')).toHaveLength(10)
  })

  test('one who comes into a flood is next', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 50; count++) add(queue, { tenant: 'flood' })
    serveAll(queue, 20)
    add(queue, { tenant: 'calm' })
    expect(serve(queue).tenant).toBe('calm')
  })

  test('large calls are paid for by who makes them', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'large', cost: 900 })
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'small', cost: 100 })
    expect(serveAll(queue, 50).filter(({ tenant }) => tenant === 'large')).toHaveLength(5)
  })

  test('a weight of three is served three times as much', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'one' })
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'three', weight: 3 })
    expect(serveAll(queue, 40).filter(({ tenant }) => tenant === 'three')).toHaveLength(30)
  })

  test('having been idle earns no credit', () => {
    const queue = new FairQueue<number>(WIDE)
    add(queue, { tenant: 'idle' })
    for (let count = 0; count < 200; count++) add(queue, { tenant: 'busy' })
    serveAll(queue, 101)
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'idle' })
    expect(serveAll(queue, 20).filter(({ tenant }) => tenant === 'idle')).toHaveLength(10)
  })

  test('an expectation that was too high is given back, but not for a time of idleness', () => {
    const queue = new FairQueue<number>(WIDE)
    const entry = add(queue, { tenant: 'idle', cost: 1_000 })
    const ticket = queue.take(entry)
    for (let count = 0; count < 200; count++) add(queue, { tenant: 'busy' })
    serveAll(queue, 100)
    for (let count = 0; count < 100; count++) add(queue, { tenant: 'idle' })
    if (ticket !== null) queue.settle(entry.rank, ticket, 1)
    expect(serveAll(queue, 20).filter(({ tenant }) => tenant === 'idle')).toHaveLength(10)
  })

  test('one who comes while a flood is charged for far too much is next, and stays it', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 50; count++) add(queue, { tenant: 'flood', cost: 8_000 })
    const flood = queue.next()?.entry
    const ticket = flood === undefined ? null : queue.take(flood)
    add(queue, { tenant: 'calm', cost: 8_000 })
    if (ticket !== null) queue.settle(1, ticket, 50)
    expect(serve(queue).tenant).toBe('calm')
  })

  test('who used more than was expected waits for it', () => {
    const queue = new FairQueue<number>(WIDE)
    for (let count = 0; count < 100; count++) add(queue, { tenant: count % 2 === 0 ? 'even' : 'odd' })
    const entry = queue.next()?.entry
    const ticket = entry === undefined ? null : queue.take(entry)
    if (ticket !== null) queue.settle(1, ticket, 1_100)
    expect(serveAll(queue, 11).every(({ tenant }) => tenant !== entry?.tenant)).toBe(true)
  })
})

describe('the bounds', () => {
  const bounds = { maxWaiting: 3, maxWaitingPerTenant: 2 }

  test('the lowest class leaves first, there the latest deadline', () => {
    const queue = new FairQueue<number>({ maxWaiting: 3, maxWaitingPerTenant: 3 })
    add(queue, { rank: 1, deadlineMs: 9_000 })
    const late = add(queue, { rank: 2, deadlineMs: 8_000 })
    add(queue, { rank: 2, deadlineMs: 7_000 })
    expect(queue.push(arrival({ rank: 0 }), 0).evicted).toBe(late)
    const { entry, evicted } = queue.push(arrival({ rank: 3, deadlineMs: 1 }), 0)
    expect(evicted).toBe(entry)
    expect(queue.size).toBe(3)
  })

  test('a tenant at its own bound pushes out its own', () => {
    const queue = new FairQueue<number>(bounds)
    add(queue, { tenant: 'calm', rank: 3, deadlineMs: 99_000 })
    add(queue, { tenant: 'flood' })
    const last = add(queue, { tenant: 'flood', deadlineMs: 2_000_000 })
    expect(queue.push(arrival({ tenant: 'flood' }), 0).evicted).toBe(last)
  })

  test('of a class the tenant with the most waiting gives way', () => {
    const queue = new FairQueue<number>({ maxWaiting: 3, maxWaitingPerTenant: 9 })
    add(queue, { tenant: 'calm', deadlineMs: 99_000_000 })
    add(queue, { tenant: 'flood' })
    add(queue, { tenant: 'flood' })
    expect(queue.push(arrival({ tenant: 'other' }), 0).evicted?.tenant).toBe('flood')
  })
})

test('what is put back stands where it stood', () => {
  const queue = new FairQueue<number>(WIDE)
  const first = add(queue, { tenant: 'a' })
  for (let count = 0; count < 4; count++) add(queue, { tenant: 'b' })
  queue.remove(first)
  serveAll(queue, 2)
  queue.putBack(first)
  add(queue, { tenant: 'a' })
  expect(serveAll(queue, 3).map(({ tenant }) => tenant)).toEqual(['a', 'a', 'b'])
})

test('the work ahead of an arrival is what is served before it', () => {
  const queue = new FairQueue<number>(WIDE)
  for (let count = 0; count < 10; count++) add(queue, { tenant: 'flood' })
  for (let count = 0; count < 2; count++) add(queue, { tenant: 'own' })
  add(queue, { rank: 0, tenant: 'other', cost: 70 })
  const newcomer = { rank: 1, tenant: 'own', weight: 1, cost: 100, deadlineMs: 1_000_001 }
  expect(queue.workAhead(newcomer)).toBe(70 + 200 + 300)
  expect(queue.workAhead({ ...newcomer, deadlineMs: 5 })).toBe(70 + 100)
  expect(queue.workAhead({ ...newcomer, tenant: 'flood' })).toBe(70 + 1_000 + 200)
  expect(queue.workAhead({ ...newcomer, rank: 0 })).toBe(70)
})

/** A queue beside a plain set that says what must be in it. */
class Story {
  readonly problems: string[] = []
  readonly #bounds = { maxWaiting: 12, maxWaitingPerTenant: 6 }
  readonly #queue = new FairQueue<number>(this.#bounds)
  readonly #waiting = new Set<Waiting<number>>()

  push(newcomer: Arrival<number>, nowMs: number): void {
    const isFull = this.#queue.isFullFor(newcomer)
    const { entry, evicted } = this.#queue.push(newcomer, nowMs)
    this.#see(isFull === (evicted === entry), 'who would have to leave was told wrongly')
    this.#waiting.add(entry)
    if (evicted !== null) this.#see(this.#waiting.delete(evicted), 'a stranger was evicted')
  }

  expire(nowMs: number): void {
    for (let gone = this.#queue.expire(nowMs); gone !== null; gone = this.#queue.expire(nowMs)) {
      this.#see(this.#waiting.delete(gone), 'a stranger expired')
      this.#see(gone.deadlineMs <= nowMs, 'one expired too early')
    }
  }

  use({ kind, pick, used }: { readonly kind: string; readonly pick: number; readonly used: number }): void {
    const some = [...this.#waiting][pick % Math.max(1, this.#waiting.size)]
    if (kind === 'serve') this.#serve(used)
    else if (some !== undefined && kind === 'aside') {
      this.#queue.remove(some)
      this.#queue.putBack(some)
      this.#queue.putBack(some)
    } else if (some !== undefined && kind === 'leave') {
      this.#waiting.delete(some)
      this.#see(this.#queue.remove(some), 'one that waited could not leave')
      this.#see(!this.#queue.remove(some), 'one left twice')
    }
  }

  compare(): void {
    const waiting = [...this.#waiting]
    const { size } = this.#queue
    this.#see(size === waiting.length && size <= this.#bounds.maxWaiting, 'the size is wrong')
    const first = Math.min(...waiting.map(({ deadlineMs }) => deadlineMs))
    this.#see((this.#queue.nextExpiryMs() ?? Infinity) === first, 'the next to expire is wrong')
    for (const rank of [0, 1, 2, 3]) {
      const count = waiting.filter((entry) => entry.rank === rank).length
      this.#see(this.#queue.countOf(rank) === count, `the count of class ${rank} is wrong`)
    }
  }

  #serve(used: number): void {
    const next = this.#queue.next()
    this.#see((next === null) === (this.#waiting.size === 0), 'somebody waits and nobody is next')
    if (next === null) return
    const { entry, isGuarded } = next
    const waiting = [...this.#waiting]
    const ranks = waiting.map(({ rank }) => rank)
    this.#see(entry.rank === (isGuarded ? Math.max(...ranks) : Math.min(...ranks)), 'the wrong class')
    const own = waiting.filter(({ rank, tenant }) => rank === entry.rank && tenant === entry.tenant)
    this.#see(
      own.every(({ deadlineMs }) => deadlineMs >= entry.deadlineMs),
      'not the earliest deadline',
    )
    this.#see(this.#waiting.delete(entry), 'a stranger was served')
    const ticket = this.#queue.take(entry)
    this.#see(this.#queue.take(entry) === null, 'one was served twice')
    if (ticket !== null) this.#queue.settle(entry.rank, ticket, used)
  }

  #see(isFine: boolean, problem: string): void {
    if (!isFine) this.problems.push(problem)
  }
}

describe('under any use', () => {
  const cost = fc.integer({ min: 1, max: 50 })
  const push = fc.record({
    kind: fc.constant('push' as const),
    tenant: fc.constantFrom('a', 'b', 'c'),
    rank: fc.integer({ min: 0, max: 3 }),
    cost,
    deadlineMs: fc.integer({ min: 1, max: 60 }),
  })
  const other = fc.record({
    kind: fc.constantFrom('serve' as const, 'leave' as const, 'expire' as const, 'aside' as const),
    pick: fc.nat(20),
    used: cost,
  })
  const operations = fc.array(fc.oneof(push, push, other), { maxLength: 120 })

  test('nothing is lost, nothing is served twice, nothing expired is served', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const story = new Story()
        for (const [nowMs, operation] of list.entries()) {
          story.expire(nowMs)
          if (operation.kind === 'push') story.push(arrival(operation), nowMs)
          else story.use(operation)
          story.compare()
        }
        expect(story.problems).toEqual([])
      }),
    )
  })

  test('tenants that always wait are served alike for their weight, within twice the largest call', () => {
    const tenants = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(tenants, fc.array(cost, { minLength: 30, maxLength: 150 }), (weights, costs) => {
        const queue = new FairQueue<number>(WIDE)
        const served = weights.map(() => 0)
        const refill = (index: number, size: number) =>
          add(queue, { tenant: `${index}`, weight: weights[index] ?? 1, cost: size })
        for (const index of weights.keys()) for (const size of costs.slice(0, 3)) refill(index, size)
        for (const size of costs) {
          const { tenant, cost: used, weight } = serve(queue)
          const index = Number(tenant)
          served[index] = (served[index] ?? 0) + used / weight
          refill(index, size)
          expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(2 * 50)
        }
      }),
    )
  })
})
