// Who may call how much, and where: tenants and the product by their rates, deployments by what is known of
// each. The state of this process; what to do with it is decided in `core/capacity`.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { chooseDeployment } from '../../core/capacity/deployment-choice.js'
import { PromptKeys } from '../../core/capacity/prompt-caching.js'
import { tokenCost } from '../../core/capacity/fair-queue.js'
import { HoldBack } from '../../core/capacity/hold-back.js'
import type { CeilingLimits, Deployment, Tenant } from '../../core/release/release.js'
import type { System } from '../ports.js'
import { Affinity } from './affinity.js'
import { DeploymentState, type Place, type Why } from './deployment-state.js'
import { Hedging } from './hedging.js'
import type { Taken } from './queue-ask.js'
import { Queues } from './queues.js'
import { Quota, type QuotaLimits, isLimited } from './quota.js'

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'over'; readonly waitMs: number; readonly whose: string }

const ADMITTED: Admission = { kind: 'admitted' }

export class Capacity {
  /** Calls that wait, by model. */
  readonly queues: Queues
  readonly #system: System
  readonly #holdBack = new HoldBack()
  readonly #deployments = new Map<string, DeploymentState>()
  readonly #tenants = new Map<string, Quota>()
  readonly affinity = new Affinity()
  readonly promptKeys = new PromptKeys()
  #product: Quota | undefined
  #uses = 0
  readonly hedging = new Hedging()

  constructor(system: System) {
    this.#system = system
    const take = this.take.bind(this)
    this.queues = new Queues({ system, take })
  }

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

  /** Tokens of a settled attempt, charged to everybody who calls and has a token rate. */
  used(tenant: Tenant, tokens: number, nowMs: number): void {
    this.#product?.used(tokens, nowMs)
    this.#tenants.get(tenant.name)?.used(tokens, nowMs)
  }

  /**
   * A place at the best of these deployments now, or how long there is none. `end` or `giveBack` follows.
   */
  take(deployments: readonly Deployment[], demand: Demand, nowMs: number): Taken {
    this.#holdBack.see(demand.criticality, nowMs)
    const [only] = deployments
    if (only !== undefined && deployments.length === 1) return this.#takeOnly(only, demand, nowMs)
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    const candidates = deployments.map((deployment) => {
      const state = this.#state(deployment, nowMs)
      return { deployment, state, waitMs: state.waitMs(demand, nowMs, share) }
    })
    const ready = demand.prompt === undefined ? [] : candidates.filter(({ waitMs }) => waitMs === 0)
    const affine = this.affinity.choose(ready, demand, nowMs)
    if (affine !== null) return this.#place(affine.deployment, demand, { nowMs, why: affine.reason })
    const choice = chooseDeployment(candidates)
    if (choice.kind === 'wait') return choice
    return this.#place(choice.chosen.deployment, demand, { nowMs, why: 'load' })
  }

  /** Would `take` find a place? */
  hasRoom(deployments: readonly Deployment[], demand: Demand, nowMs: number): boolean {
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    return deployments.some((each) => this.#state(each, nowMs).waitMs(demand, nowMs, share) === 0)
  }

  /** It was used: what it showed is learned from. A place that is over already changes nothing. */
  end(place: Place, seen: Observation, nowMs: number): void {
    if (place.isOver) return
    place.isOver = true
    const state = this.#deployments.get(place.deployment.id)
    state?.end(place, seen, nowMs)
    if (place.demand.prompt !== undefined) this.affinity.ended(place, seen, state?.inFlight ?? 0)
    place.settle?.(tokenCost(seen.inputTokens, seen.outputTokens))
    this.queues.serve(nowMs)
  }

  /** It was taken and not used. */
  giveBack(place: Place): void {
    if (place.isOver) return
    place.isOver = true
    this.#deployments.get(place.deployment.id)?.giveBack(place)
    place.settle?.(0)
    this.queues.serve(this.#system.nowMs())
  }

  /** Of a model. 0: nothing is given up, and nobody waits. */
  overloadLevel(model: string, nowMs: number): number {
    const queue = this.queues.active(model, nowMs)
    if (queue === undefined) return 0
    return queue.size > 0 ? Math.max(1, queue.overload.level) : queue.overload.level
  }

  /** What is known of one that has been called. */
  stateOf({ id }: Deployment): DeploymentState | undefined {
    return this.#deployments.get(id)
  }

  /** Those that would take such a call now. */
  ready(deployments: readonly Deployment[], demand: Demand, nowMs: number): readonly Deployment[] {
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    return deployments.filter((each) => this.#state(each, nowMs).waitMs(demand, nowMs, share) <= 0)
  }

  /** For `GET /v1/capacity`: also what was never called has limits. */
  look(deployment: Deployment, nowMs: number): DeploymentState {
    return this.#state(deployment, nowMs)
  }

  /** Of all that were ever called. */
  snapshot(): readonly DeploymentState[] {
    return [...this.#deployments.values()]
  }

  #takeOnly(only: Deployment, demand: Demand, nowMs: number): Taken {
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    const waitMs = this.#state(only, nowMs).waitMs(demand, nowMs, share)
    return waitMs > 0 ? { kind: 'wait', waitMs } : this.#place(only, demand, { nowMs, why: null })
  }

  #place(
    deployment: Deployment,
    demand: Demand,
    { nowMs, why }: { readonly nowMs: number; readonly why: Why | null },
  ): Taken {
    const state = this.#state(deployment, nowMs)
    state.lastUsed = ++this.#uses
    const charge = state.begin(demand, nowMs)
    const isOf = why !== null || this.affinity.watches(deployment, demand)
    const warmTokens = isOf ? this.affinity.sent({ deployment, demand }, nowMs) : 0
    const place = { deployment, demand, charge, warmTokens, why, isOver: false, settle: null }
    return { kind: 'place', place }
  }

  /** Bounded by the deployments of the releases that served since the start. */
  #state(deployment: Deployment, nowMs: number): DeploymentState {
    const known = this.#deployments.get(deployment.id)
    if (known !== undefined) {
      known.adopt(deployment)
      return known
    }
    const state = new DeploymentState(deployment, nowMs)
    this.#deployments.set(deployment.id, state)
    return state
  }
}

/** The quota under the limits of today; undefined when there are none. */
function renewed(quota: Quota | undefined, limits: QuotaLimits, nowMs: number): Quota | undefined {
  if (!isLimited(limits)) return undefined
  if (quota === undefined) return new Quota(limits, nowMs)
  quota.adopt(limits, nowMs)
  return quota
}
