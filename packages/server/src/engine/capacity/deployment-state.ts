// What this process knows of one deployment: whether it may be called now, and how it has been doing. Made
// of parts that each answer for one reason to wait.

import { Breaker, type BreakerChange } from '../../core/capacity/breaker.js'
import { type Verdict, verdictOf } from '../../core/capacity/breaker-verdict.js'
import type { Demand, Observation } from '../../core/capacity/demand.js'
import type { Charge } from '../../core/capacity/rate-buckets.js'
import type { ReplicaChoice } from '../../core/capacity/replica-choice.js'
import type { Deployment } from '../../core/release/release.js'
import type { Room } from './hedging.js'
import { type CallRun, Pace } from './pace.js'
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
  /** Those it was chosen from. */
  readonly pool: readonly Deployment[]
  /** Of the breaker, for the end of the call. */
  readonly ticket: number
  /** What is remembered while it runs. */
  readonly run: CallRun
  /** What it took of the deployment's limits. */
  readonly charge: Charge
  isOver: boolean
  /** Tells the queue that gave it what was used, as `tokenCost`; null: it was not waited for. */
  settle: ((cost: number) => void) | null
}

export type TellBreaker = (deployment: string, change: BreakerChange) => void

export class DeploymentState {
  readonly id: string
  readonly pace: Pace
  /** Rises with every use. */
  lastUsed = 0
  requests = 0
  successes = 0
  /** Count per attempt end. The ends are a closed set, so this is bounded. */
  readonly failures: Record<string, number> = {}
  /** Decayed mean, ms. */
  latencyMs = 0
  readonly tail = new Tail()
  readonly breaker: Breaker
  /** Decayed mean of what was answered, ms; 0: nothing was yet. */
  #usualMs = 0
  #deployment: Deployment
  readonly rates: Rates

  constructor(deployment: Deployment, nowMs: number, tell: TellBreaker) {
    this.id = deployment.id
    this.breaker = new Breaker((change) => tell(deployment.id, change))
    this.#deployment = deployment
    this.rates = new Rates(deployment, nowMs)
    this.pace = new Pace(deployment, nowMs)
  }

  get inFlight(): number {
    return this.pace.limit.callsInFlight
  }

  get concurrency(): number | null {
    return this.#deployment.limits.concurrency
  }

  /** Has it room to spare for a second copy of a call? */
  get room(): Room {
    const { utilisation, isShrinking } = this.pace.limit
    return { utilisation, isShrinking }
  }

  /** A reload may have changed its limits; what was used stays used. */
  adopt(deployment: Deployment): void {
    if (deployment === this.#deployment) return
    this.#deployment = deployment
    this.pace.adopt(deployment)
    this.rates.adopt(deployment)
  }

  /**
   * 0: it may be called now. Infinity: when a call there has ended. Else how long until it may be, ms.
   * `share`: of its limits, what calls of this class may fill.
   */
  waitMs(demand: Demand, nowMs: number, share: number): number {
    const ratesMs = this.rates.waitMs(demand, nowMs)
    const breakerMs = this.breaker.blocks(nowMs) ? this.breaker.waitMs(nowMs) : 0
    if (ratesMs > 0 || breakerMs > 0) return Math.max(ratesMs, breakerMs)
    return this.pace.hasRoom(demand, share) ? 0 : Infinity
  }

  begin(demand: Demand, nowMs: number): Pick<Place, 'run' | 'charge'> {
    this.requests += 1
    return { run: this.pace.begin(demand, nowMs), charge: this.rates.begin(demand, nowMs) }
  }

  giveBack({ run, charge, demand }: Place): void {
    this.pace.giveBack(run, demand)
    this.requests -= 1
    this.rates.giveBack(charge)
  }

  /** Returns what the end of the call says of its health. */
  end({ run, charge, demand }: Place, seen: Observation, nowMs: number): Verdict {
    const { end, durationMs } = seen
    const verdict = verdictOf({ end, durationMs, usualMs: this.#usualMs })
    this.pace.end(run, seen, { demand, nowMs, isHurried: verdict === 'none' })
    this.tail.learn(demand, seen)
    this.rates.end(charge, seen, nowMs)
    this.latencyMs = this.latencyMs === 0 ? durationMs : this.latencyMs * 0.9 + durationMs * 0.1
    if (end !== 'ok') {
      this.failures[end] = (this.failures[end] ?? 0) + 1
      return verdict
    }
    this.successes += 1
    this.#usualMs = this.#usualMs === 0 ? durationMs : this.#usualMs * 0.9 + durationMs * 0.1
    return verdict
  }
}
