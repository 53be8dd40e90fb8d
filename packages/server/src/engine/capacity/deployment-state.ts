// What this process knows of one deployment: whether it may be called now, and how it has been doing. Made
// of parts that each answer for one reason to wait.

import { usableOf } from '../../core/capacity/hold-back.js'
import type { Demand, Observation } from '../../core/capacity/demand.js'
import type { Charge } from '../../core/capacity/rate-buckets.js'
import type { ReplicaChoice } from '../../core/capacity/replica-choice.js'
import type { Deployment } from '../../core/release/release.js'
import type { Room } from './hedging.js'
import { Rates } from './rates.js'
import { Tail } from './tail.js'

/** `load`: the least loaded. Else what is known of where the prompt is warm decided. */
export type Why = 'load' | ReplicaChoice['reason']

/** A place at a deployment, taken for one attempt. It ends once: `Capacity.end` or `Capacity.giveBack`. */
export interface Place {
  readonly deployment: Deployment
  readonly demand: Demand
  /** Tokens of its prompt that were thought to be warm there. */
  readonly warmTokens: number
  /** What decided for it; null: there was no choice. */
  readonly why: Why | null
  /** What it took of the deployment's limits. */
  readonly charge: Charge
  isOver: boolean
  /** Tells the queue that gave it what was used, as `tokenCost`; null: it was not waited for. */
  settle: ((cost: number) => void) | null
}

export class DeploymentState {
  readonly id: string
  inFlight = 0
  /** Rises with every use. */
  lastUsed = 0
  requests = 0
  successes = 0
  /** Count per attempt end. The ends are a closed set, so this is bounded. */
  readonly failures: Record<string, number> = {}
  /** Decayed mean, ms. */
  latencyMs = 0
  readonly tail = new Tail()
  #deployment: Deployment
  readonly rates: Rates

  constructor(deployment: Deployment, nowMs: number) {
    this.id = deployment.id
    this.#deployment = deployment
    this.rates = new Rates(deployment, nowMs)
  }

  get concurrency(): number | null {
    return this.#deployment.limits.concurrency
  }

  /** Has it room to spare for a second copy of a call? */
  get room(): Room {
    const utilisation = this.concurrency === null ? 0 : this.inFlight / this.concurrency
    return { utilisation, isShrinking: false }
  }

  /** A reload may have changed its limits; what was used stays used. */
  adopt(deployment: Deployment): void {
    if (deployment === this.#deployment) return
    this.#deployment = deployment
    this.rates.adopt(deployment)
  }

  /**
   * 0: it may be called now. Infinity: when a call there has ended. Else how long until it may be, ms.
   * `share`: of its limits, what calls of this class may fill.
   */
  waitMs(demand: Demand, nowMs: number, share: number): number {
    const ratesMs = this.rates.waitMs(demand, nowMs)
    if (ratesMs > 0) return ratesMs
    return this.concurrency !== null && this.inFlight >= usableOf(this.concurrency, share) ? Infinity : 0
  }

  begin(demand: Demand, nowMs: number): Charge {
    this.inFlight += 1
    this.requests += 1
    return this.rates.begin(demand, nowMs)
  }

  giveBack({ charge }: Place): void {
    this.inFlight -= 1
    this.requests -= 1
    this.rates.giveBack(charge)
  }

  end({ charge, demand }: Place, seen: Observation, nowMs: number): void {
    this.inFlight -= 1
    this.tail.learn(demand, seen)
    this.rates.end(charge, seen, nowMs)
    this.latencyMs = this.latencyMs === 0 ? seen.durationMs : this.latencyMs * 0.9 + seen.durationMs * 0.1
    if (seen.end === 'ok') this.successes += 1
    else this.failures[seen.end] = (this.failures[seen.end] ?? 0) + 1
  }
}
