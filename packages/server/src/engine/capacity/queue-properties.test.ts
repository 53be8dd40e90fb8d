import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CRITICALITIES, type Demand } from '../../core/capacity/demand.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { ModelQueue } from './model-queue.js'
import type { Entry, QueueEnd } from './queue-ask.js'

const SETTINGS = { maxWaiting: 8, maxWaitingPerTenant: 5, targetWaitMs: 1_000 }
const PLACES = 2

const DEPLOYMENTS = ['a', 'b'].map((id) => ({ id }) as unknown as Deployment)
const MODEL: ModelEntry = { name: 'm', tier: 'small', deployments: DEPLOYMENTS }

const enter = fc.record({
  kind: fc.constant('enter' as const),
  rank: fc.integer({ min: 0, max: 3 }),
  tenant: fc.constantFrom('x', 'y'),
  outputTokens: fc.integer({ min: 1, max: 100 }),
  lifeMs: fc.integer({ min: 1, max: 20_000 }),
  usable: fc.constantFrom(DEPLOYMENTS, DEPLOYMENTS.slice(1)),
  isTolerant: fc.boolean(),
})
const other = fc.record({
  kind: fc.constantFrom('end' as const, 'leave' as const, 'rest' as const, 'pass' as const),
  pick: fc.nat(10),
  ms: fc.integer({ min: 0, max: 3_000 }),
})
type Enter = typeof enter extends fc.Arbitrary<infer T> ? T : never

/** Two deployments with two places each, which may rest; and what must be true of who waits for them. */
class Story {
  readonly problems: string[] = []
  readonly #system = createFakeSystem()
  readonly #running = new Map<string, number>()
  readonly #restMs = new Map<string, number>()
  readonly #taken: { readonly id: string; settle: ((cost: number) => void) | null }[] = []
  readonly #waiting = new Map<Entry, readonly Deployment[]>()
  #unanswered = 0
  readonly #queue = new ModelQueue('m', SETTINGS, {
    system: this.#system,
    tell: () => {},
    isOut: () => false,
    areResting: () => false,
    take: (deployments, demand, nowMs) => this.#take(deployments, demand, nowMs),
  })

  enter({ rank, tenant, outputTokens, lifeMs, usable, isTolerant }: Enter): void {
    const criticality = CRITICALITIES[rank] ?? 'critical'
    const deadlineMs = this.#system.nowMs() + lifeMs
    const sizes = { inputTokens: 10, outputTokens, outputTokensMax: outputTokens }
    const demand: Demand = { ...sizes, criticality, tenant, weight: 1, deadlineMs, stream: false }
    const ask = {
      firstTokenMs: 0,
      targetMs: null,
      model: MODEL,
      usable,
      demand,
      leaveMs: deadlineMs,
      isTolerant,
      restMs: 0,
      settings: SETTINGS,
    }
    let ends = 0
    this.#unanswered += 1
    const entry = this.#queue.enter(ask, (end) => {
      this.#see((ends += 1) === 1, 'one was answered twice')
      this.#unanswered -= 1
      this.#answered(end, deadlineMs)
      for (const [known] of this.#waiting) if (known.value.ask === ask) this.#waiting.delete(known)
    })
    if (entry !== null && ends === 0) this.#waiting.set(entry, usable)
  }

  async use({ kind, pick, ms }: typeof other extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    if (kind === 'end') this.#end(pick)
    else if (kind === 'leave') {
      const [some] = [...this.#waiting.keys()].slice(pick % Math.max(1, this.#waiting.size))
      if (some !== undefined) this.#queue.leave(some)
    } else if (kind === 'rest') {
      const id = pick % 2 === 0 ? 'a' : 'b'
      this.#restMs.set(id, this.#system.nowMs() + ms)
    } else await this.#system.advance(ms)
  }

  compare(): void {
    this.#see(this.#queue.size === this.#waiting.size, 'somebody is lost')
    this.#see(this.#queue.size <= SETTINGS.maxWaiting, 'too many wait')
    this.#see(this.#system.pendingTimers() === (this.#queue.size > 0 ? 1 : 0), 'not one timer')
    const nowMs = this.#system.nowMs()
    for (const [entry, usable] of this.#waiting) {
      this.#see(entry.deadlineMs > nowMs || this.#queue.size === 0, 'one waits beyond its deadline')
      this.#see(!usable.some(({ id }) => this.#isFree(id, nowMs)), 'one waits while it could be served')
    }
  }

  /** Everybody is answered once all places have ended and all deadlines have passed. */
  async finish(): Promise<void> {
    for (let rounds = 0; rounds < 40; rounds++) {
      this.#end(0)
      await this.#system.advance(1_000)
    }
    this.compare()
    this.#see(this.#unanswered === 0, 'somebody was never answered')
  }

  #answered(end: QueueEnd, deadlineMs: number): void {
    if (end.kind === 'place') {
      this.#taken.push(end.place as unknown as { id: string; settle: null })
      this.#see(this.#system.nowMs() < deadlineMs, 'one was served after its deadline')
    }
    const isHonest = end.kind !== 'none' || (end.waitMs >= 0 && Number.isFinite(end.waitMs))
    this.#see(isHonest, 'a wait is no number')
  }

  #end(pick: number): void {
    const [place] = this.#taken.splice(pick % Math.max(1, this.#taken.length), 1)
    if (place === undefined) return
    this.#running.set(place.id, (this.#running.get(place.id) ?? 0) - 1)
    place.settle?.(pick * 10)
    this.#queue.serve(this.#system.nowMs())
  }

  #isFree(id: string, nowMs: number): boolean {
    return (this.#restMs.get(id) ?? 0) <= nowMs && (this.#running.get(id) ?? 0) < PLACES
  }

  #take(deployments: readonly Deployment[], demand: Demand, nowMs: number) {
    const free = deployments.find(({ id }) => this.#isFree(id, nowMs))
    if (free === undefined) {
      const rests = deployments.map(({ id }) => (this.#restMs.get(id) ?? 0) - nowMs)
      return { kind: 'wait' as const, waitMs: Math.min(...rests.map((rest) => (rest > 0 ? rest : Infinity))) }
    }
    this.#running.set(free.id, (this.#running.get(free.id) ?? 0) + 1)
    const place = { id: free.id, deployment: free, demand, isOver: false, settle: null }
    return { kind: 'place' as const, place: place as never }
  }

  #see(isFine: boolean, problem: string): void {
    if (!isFine) this.problems.push(problem)
  }
}

test('everybody is answered once, nobody waits for what is free, and no timer is left', async () => {
  const operations = fc.array(fc.oneof(enter, enter, other), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(operations, async (list) => {
      const story = new Story()
      for (const operation of list) {
        if (operation.kind === 'enter') story.enter(operation)
        else await story.use(operation)
        story.compare()
      }
      await story.finish()
      expect(story.problems).toEqual([])
    }),
    { numRuns: 60 },
  )
})
