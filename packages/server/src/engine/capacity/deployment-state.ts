// What this process knows of one deployment: whether it may be called now, and how it has been doing. Made of
// parts that each answer for one reason to wait.

import { isThrottle } from '../../core/capacity/retry.js'
import { SteadyClock } from '../../core/capacity/steady-clock.js'
import type { Demand, Observation } from '../../core/capacity/demand.js'
import type { Deployment } from '../../core/release/release.js'
import { Quota } from './quota.js'

/** A place at a deployment, taken for one attempt. It ends once: `Capacity.end` or `Capacity.giveBack`. */
export interface Place {
  readonly deployment: Deployment
  readonly demand: Demand
  isOver: boolean
}

/** A provider that throttles without saying for how long is left alone this long, ms. */
const COOL_DOWN_MS = 1_000

export class DeploymentState {
  readonly id: string
  inFlight = 0
  /** Not to be called before this instant of its own steady clock; 0 when it is well. */
  coolUntilMs = 0
  readonly #clock = new SteadyClock()
  /** Rises with every use. */
  lastUsed = 0
  requests = 0
  successes = 0
  /** Count per attempt end. The ends are a closed set, so this is bounded. */
  readonly failures: Record<string, number> = {}
  /** Decayed mean, ms. */
  latencyMs = 0
  #deployment: Deployment
  #rates: Quota | undefined

  constructor(deployment: Deployment, nowMs: number) {
    this.id = deployment.id
    this.#deployment = deployment
    this.#rates = ratesOf(deployment, nowMs)
  }

  get concurrency(): number | null {
    return this.#deployment.limits.concurrency
  }

  /** A reload may have changed its limits; what was used stays used. */
  adopt(deployment: Deployment, nowMs: number): void {
    if (deployment === this.#deployment) return
    this.#deployment = deployment
    const { requestsPerMinute, tokensPerMinute } = deployment.limits
    const limits = { requestsPerMinute, tokensPerMinute, concurrency: null }
    if (requestsPerMinute === null && tokensPerMinute === null) this.#rates = undefined
    else if (this.#rates === undefined) this.#rates = ratesOf(deployment, nowMs)
    else this.#rates.adopt(limits, nowMs)
  }

  /** 0: it may be called now. Infinity: when a call there has ended. Else how long until it may be, ms. */
  waitMs(_demand: Demand, nowMs: number): number {
    const coolMs = this.coolMs(nowMs)
    const ratesMs = this.#rates === undefined ? 0 : this.#rates.waitMs(nowMs)
    if (coolMs > 0 || ratesMs > 0) return Math.max(coolMs, ratesMs)
    return this.concurrency !== null && this.inFlight >= this.concurrency ? Infinity : 0
  }

  /** How long it still rests, ms; at most 0 when it is well. */
  coolMs(nowMs: number): number {
    return this.coolUntilMs - this.#clock.at(nowMs)
  }

  begin(_demand: Demand, nowMs: number): void {
    this.inFlight += 1
    this.requests += 1
    this.#rates?.begin(nowMs)
  }

  giveBack(_demand: Demand): void {
    this.inFlight -= 1
    this.requests -= 1
    this.#rates?.end(false)
  }

  end(_demand: Demand, seen: Observation, nowMs: number): void {
    this.inFlight -= 1
    this.#rates?.end(true)
    this.#rates?.used(seen.inputTokens + seen.outputTokens, nowMs)
    this.latencyMs = this.latencyMs === 0 ? seen.durationMs : this.latencyMs * 0.9 + seen.durationMs * 0.1
    if (seen.end === 'ok') this.successes += 1
    else this.#failed(seen, nowMs)
  }

  #failed({ end, retryAfterMs }: Observation, nowMs: number): void {
    this.failures[end] = (this.failures[end] ?? 0) + 1
    // Never shortened by a later hit.
    if (!isThrottle(end)) return
    this.coolUntilMs = Math.max(this.coolUntilMs, this.#clock.at(nowMs) + (retryAfterMs ?? COOL_DOWN_MS))
  }
}

/** Rates per minute only: how many calls run at once is part of the load that deployments are ordered by. */
function ratesOf({ limits }: Deployment, nowMs: number): Quota | undefined {
  const { requestsPerMinute, tokensPerMinute } = limits
  if (requestsPerMinute === null && tokensPerMinute === null) return undefined
  return new Quota({ requestsPerMinute, tokensPerMinute, concurrency: null }, nowMs)
}
