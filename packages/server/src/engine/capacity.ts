// Who may call how much, and what is known of each deployment's load: configured rates and concurrency, and a
// pause after a provider asked for one. Adaptive limits, queues and hedging grow from here.

import { type DeploymentOrder, orderDeployments } from '../core/capacity/deployment-choice.js'
import type { CeilingLimits, Deployment, Tenant } from '../core/release/release.js'
import { Quota, type QuotaLimits, isLimited } from './quota.js'

/** A provider that throttles without saying for how long is left alone this long, ms. */
const COOL_DOWN_MS = 1_000

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'over'; readonly waitMs: number; readonly whose: string }

const ADMITTED: Admission = { kind: 'admitted' }

export class Capacity {
  readonly #deployments = new Map<string, DeploymentLoad>()
  readonly #quotas = new Map<string, Quota>()
  readonly #tenants = new Map<string, Quota>()
  #product: Quota | undefined
  #uses = 0

  /** A call of this tenant, under the product's limits and its own. Admitted calls count until `leave`. */
  admit(tenant: Tenant, product: CeilingLimits, nowMs: number): Admission {
    const all = (this.#product = renewed(this.#product, product, nowMs))
    const own = renewed(this.#tenants.get(tenant.name), tenant.limits, nowMs)
    if (own !== undefined) this.#tenants.set(tenant.name, own)
    const waitAll = all?.waitMs(nowMs) ?? 0
    if (waitAll > 0) return { kind: 'over', waitMs: waitAll, whose: 'the product' }
    const waitOwn = own?.waitMs(nowMs) ?? 0
    if (waitOwn > 0) return { kind: 'over', waitMs: waitOwn, whose: `tenant '${tenant.name}'` }
    all?.begin(nowMs)
    own?.begin(nowMs)
    return ADMITTED
  }

  leave(tenant: Tenant): void {
    this.#product?.end(true)
    this.#tenants.get(tenant.name)?.end(true)
  }

  /** Tokens of a settled attempt, charged to everybody who has a token rate. */
  used(
    tenant: Tenant,
    deployment: Deployment,
    used: { readonly tokens: number; readonly nowMs: number },
  ): void {
    const { tokens, nowMs } = used
    this.#product?.used(tokens, nowMs)
    this.#tenants.get(tenant.name)?.used(tokens, nowMs)
    this.#quotas.get(deployment.id)?.used(tokens, nowMs)
  }

  /** Is this deployment ready, without asking for an order? */
  isReady(deployment: Deployment, nowMs: number): boolean {
    const load = this.#load(deployment)
    const isFree = load.concurrency === null || load.inFlight < load.concurrency
    return isFree && load.coolUntilMs <= nowMs && (this.#rates(deployment, nowMs)?.waitMs(nowMs) ?? 0) === 0
  }

  /** Deployments in the order to try them now, and how long until the first is ready when none is. */
  order(deployments: readonly Deployment[], nowMs: number): DeploymentOrder {
    const states = deployments.map((deployment) => {
      const load = this.#load(deployment)
      const waitMs = this.#rates(deployment, nowMs)?.waitMs(nowMs) ?? 0
      return waitMs === 0 ? load : { ...load, coolUntilMs: Math.max(load.coolUntilMs, nowMs + waitMs) }
    })
    return orderDeployments(states, nowMs)
  }

  /** Takes a place, at the moment it was seen to be free. `end` or `giveBack` follows. */
  start(deployment: Deployment, nowMs: number): void {
    const load = this.#load(deployment)
    load.inFlight += 1
    load.lastUsed = ++this.#uses
    load.requests += 1
    this.#rates(deployment, nowMs)?.begin(nowMs)
  }

  /** A place that was taken and not used. */
  giveBack(deployment: Deployment): void {
    const load = this.#load(deployment)
    load.inFlight -= 1
    load.requests -= 1
    this.#quotas.get(deployment.id)?.end(false)
  }

  end(deployment: Deployment, result: { ok: boolean; end: string; durationMs: number }): void {
    const load = this.#load(deployment)
    load.inFlight -= 1
    if (result.ok) load.successes += 1
    else load.failures[result.end] = (load.failures[result.end] ?? 0) + 1
    load.latencyMs = load.latencyMs === 0 ? result.durationMs : load.latencyMs * 0.9 + result.durationMs * 0.1
    this.#quotas.get(deployment.id)?.end(true)
  }

  /**
   * The provider asked for a pause: other deployments are preferred until it is over. Never shortened by a
   * later hit.
   */
  cool(deployment: Deployment, retryAfterMs: number | null, nowMs: number): void {
    const load = this.#load(deployment)
    load.coolUntilMs = Math.max(load.coolUntilMs, nowMs + (retryAfterMs ?? COOL_DOWN_MS))
  }

  /** For `GET /v1/capacity`. */
  snapshot(): readonly Readonly<DeploymentLoad>[] {
    return [...this.#deployments.values()]
  }

  /**
   * Rates per minute only: how many calls run at once is part of the load that deployments are ordered by.
   */
  #rates(deployment: Deployment, nowMs: number): Quota | undefined {
    const { requestsPerMinute, tokensPerMinute } = deployment.limits
    if (requestsPerMinute === null && tokensPerMinute === null) return undefined
    const known = this.#quotas.get(deployment.id)
    const limits = known?.limits
    const isSame =
      limits?.requestsPerMinute === requestsPerMinute && limits.tokensPerMinute === tokensPerMinute
    if (known !== undefined && isSame) return known
    const quota = renewed(known, { requestsPerMinute, tokensPerMinute, concurrency: null }, nowMs)
    if (quota !== undefined) this.#quotas.set(deployment.id, quota)
    return quota
  }

  #load(deployment: Deployment): DeploymentLoad {
    const known = this.#deployments.get(deployment.id)
    if (known !== undefined) return known
    const load: DeploymentLoad = {
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
    this.#deployments.set(deployment.id, load)
    return load
  }
}

/** The quota under the limits of today; undefined when there are none. */
function renewed(quota: Quota | undefined, limits: QuotaLimits, nowMs: number): Quota | undefined {
  if (!isLimited(limits)) return undefined
  if (quota === undefined) return new Quota(limits, nowMs)
  quota.adopt(limits, nowMs)
  return quota
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
