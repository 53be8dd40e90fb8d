// The queues of a run, seen from outside: asking them would make them look at the time.

import type { ModelQueue } from '../../engine/capacity/model-queue.js'
import type { Engine } from '../../engine/engine.js'
import type { Deployment } from '../../core/release/release.js'

/** A queue may need this long to see that a deployment has rested enough, which nobody tells it, ms. */
const GRACE_MS = 1_001

export class WatchedQueues {
  readonly #engine: Engine
  readonly #all = new Set<ModelQueue>()
  /** Since when a deployment could be called if there were a place, ms. */
  readonly #readySinceMs = new Map<string, number>()

  constructor(engine: Engine) {
    this.#engine = engine
    const { queues } = engine.capacity
    const of = queues.of.bind(queues)
    queues.of = (...given) => {
      const queue = of(...given)
      this.#all.add(queue)
      return queue
    }
  }

  get waiting(): number {
    let waiting = 0
    for (const { size } of this.#all) waiting += size
    return waiting
  }

  /** What is wrong, or null. `passedMs`: of a clock that nobody sets. */
  problem(passedMs: number): string | null {
    const { maxWaiting } = this.#engine.release().capacity.queue
    for (const queue of this.#all) {
      if (queue.size > maxWaiting)
        return `${queue.size} calls wait for ${queue.model}, at most ${maxWaiting} may`
      const free = this.#freeFor(queue, passedMs)
      if (queue.size > 0 && free !== undefined)
        return `${queue.size} calls wait for ${queue.model}, and nobody is at ${free.id}`
    }
    return null
  }

  #freeFor({ model }: ModelQueue, passedMs: number): Deployment | undefined {
    const deployments = this.#engine.release().models.get(model)?.deployments ?? []
    // A large call may wait for tokens that a small one would find.
    const plain = deployments.filter(({ limits }) => limits.tokensPerMinute === null)
    return plain.find((deployment) => this.#isFree(deployment, passedMs))
  }

  #isFree(deployment: Deployment, passedMs: number): boolean {
    const nowMs = this.#engine.system.nowMs()
    const state = this.#engine.capacity.look(deployment, nowMs)
    if (state.rates.waitMs(ONE_TOKEN, nowMs) > 0 || state.breaker.blocks(nowMs)) {
      this.#readySinceMs.delete(deployment.id)
      return false
    }
    const sinceMs = this.#readySinceMs.get(deployment.id) ?? passedMs
    this.#readySinceMs.set(deployment.id, sinceMs)
    return state.inFlight === 0 && passedMs - sinceMs > GRACE_MS
  }
}

/** The smallest demand there is. */
const ONE_TOKEN = {
  inputTokens: 1,
  outputTokens: 1,
  outputTokensMax: 1,
  criticality: 'critical_plus',
  tenant: 'nobody',
  weight: 1,
  deadlineMs: Infinity,
  stream: false,
} as const
