// What is known of each deployment's load, and the simple limits of today: configured concurrency, and a pause
// after a provider said so. Adaptive limits, queues and hedging belong to the acquire stage and grow from here.

import { type DeploymentOrder, orderDeployments } from '../core/capacity/deployment-choice.js'
import { type RateWindow, fullWindow, take, withLimit } from '../core/capacity/rate-window.js'
import type { Deployment, Tenant } from '../core/release/release.js'

/** A provider that throttles without saying for how long is left alone this long, ms. */
const COOL_DOWN_MS = 1_000

export class Capacity {
  readonly #deployments = new Map<string, DeploymentLoad>()
  readonly #tenants = new Map<string, { window: RateWindow; running: number }>()

  #uses = 0

  /** Deployments in the order to try them now, and how long until the first is ready when none is. */
  order(deployments: readonly Deployment[], nowMs: number): DeploymentOrder {
    return orderDeployments(
      deployments.map((deployment) => this.#state(deployment)),
      nowMs,
    )
  }

  /** Takes a place, at the moment it was seen to be free. `end` or `giveBack` follows. */
  start(deployment: Deployment): void {
    const state = this.#state(deployment)
    state.inFlight += 1
    state.lastUsed = ++this.#uses
    state.requests += 1
  }

  /** A place that was taken and not used. */
  giveBack(deployment: Deployment): void {
    const state = this.#state(deployment)
    state.inFlight -= 1
    state.requests -= 1
  }

  end(deployment: Deployment, result: { ok: boolean; end: string; durationMs: number }): void {
    const state = this.#state(deployment)
    state.inFlight -= 1
    if (result.ok) state.successes += 1
    else state.failures[result.end] = (state.failures[result.end] ?? 0) + 1
    state.latencyMs = state.latencyMs === 0 ? result.durationMs : state.latencyMs * 0.9 + result.durationMs * 0.1
  }

  /** The provider asked for a pause: other deployments are preferred until it is over. Never shortened by a later hit. */
  cool(deployment: Deployment, retryAfterMs: number | null, nowMs: number): void {
    const state = this.#state(deployment)
    state.coolUntilMs = Math.max(state.coolUntilMs, nowMs + (retryAfterMs ?? COOL_DOWN_MS))
  }

  /** A tenant's request rate and concurrency. Returns the wait in ms when over, else counts the call as running. */
  admit(tenant: Tenant, nowMs: number): { readonly kind: 'admitted' } | { readonly kind: 'over'; readonly waitMs: number } {
    const { requestsPerMinute, concurrency } = tenant.limits
    if (requestsPerMinute === null && concurrency === null) return { kind: 'admitted' }
    const state = this.#tenant(tenant, nowMs)
    if (concurrency !== null && state.running >= concurrency) return { kind: 'over', waitMs: COOL_DOWN_MS }
    if (requestsPerMinute !== null) {
      const taken = take(withLimit(state.window, requestsPerMinute), 1, nowMs)
      state.window = taken.window
      if (taken.kind === 'wait') return { kind: 'over', waitMs: taken.waitMs }
    }
    state.running += 1
    return { kind: 'admitted' }
  }

  leave(tenant: Tenant): void {
    const state = this.#tenants.get(tenant.name)
    if (state !== undefined) state.running -= 1
  }

  /** For `GET /v1/capacity`. */
  snapshot(): readonly Readonly<DeploymentLoad>[] {
    return [...this.#deployments.values()]
  }

  #tenant(tenant: Tenant, nowMs: number) {
    let state = this.#tenants.get(tenant.name)
    if (state === undefined) {
      state = { window: fullWindow(tenant.limits.requestsPerMinute ?? 0, nowMs), running: 0 }
      this.#tenants.set(tenant.name, state)
    }
    return state
  }

  #state(deployment: Deployment): DeploymentLoad {
    let state = this.#deployments.get(deployment.id)
    if (state === undefined) {
      state = {
        id: deployment.id,
        concurrency: deployment.limits.concurrency,
        inFlight: 0,
        coolUntilMs: 0,
        lastUsed: 0,
        requests: 0,
        successes: 0,
        failures: {},
        latencyMs: 0,
      }
      this.#deployments.set(deployment.id, state)
    }
    return state
  }
}

export interface DeploymentLoad {
  readonly id: string
  readonly concurrency: number | null
  inFlight: number
  coolUntilMs: number
  lastUsed: number
  requests: number
  successes: number
  /** Count per attempt end. The ends are a closed set, so this is bounded. */
  failures: Record<string, number>
  /** Decayed mean, ms. */
  latencyMs: number
}
