// Who may call how much, and where: tenants and the product by their rates, deployments by what is known of
// each. The state of this process; what to do with it is decided in `core/capacity`.

import type { Criticality, Demand, Observation } from '../../core/capacity/demand.js'
import { chooseDeployment } from '../../core/capacity/deployment-choice.js'
import { PromptKeys } from '../../core/capacity/prompt-caching.js'
import { tokenCost } from '../../core/capacity/fair-queue.js'
import { HoldBack } from '../../core/capacity/hold-back.js'
import { RetryBudget } from '../../core/capacity/retry-budget.js'
import { OutputHistory } from '../../core/capacity/output-history.js'
import type { CeilingLimits, Deployment, ModelEntry, Tenant } from '../../core/release/release.js'
import type { System } from '../ports.js'
import { Affinity } from './affinity.js'
import { DeploymentState, type Place, type TellBreaker, type Why } from './deployment-state.js'
import { Hedging } from './hedging.js'
import { judgeFailed } from './judge-failed.js'
import { preferSteady } from './prefer-steady.js'
import type { Taken } from './queue-ask.js'
import { Queues } from './queues.js'
import { Quota, type QuotaLimits, isLimited } from './quota.js'

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'over'; readonly waitMs: number; readonly whose: string }

const ADMITTED: Admission = { kind: 'admitted' }

export class Capacity {
  /** How long answers are, by contract and model. */
  readonly outputs = new OutputHistory()
  /** Calls that wait, by model. */
  readonly queues: Queues
  readonly #system: System
  readonly #holdBack = new HoldBack()
  readonly #deployments = new Map<string, DeploymentState>()
  readonly #tenants = new Map<string, Quota>()
  readonly affinity = new Affinity()
  readonly promptKeys = new PromptKeys()
  /** By model. Bounded by the models of the releases that served since the start. */
  readonly #retries = new Map<string, RetryBudget>()
  readonly #watchers: TellBreaker[] = []
  #product: Quota | undefined
  #uses = 0
  readonly hedging = new Hedging()

  constructor(system: System) {
    this.#system = system
    const areResting = this.areResting.bind(this)
    this.queues = new Queues({ system, take: this.take.bind(this), isOut: this.isOut.bind(this), areResting })
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

  /** A call of this class has come: room is kept for it beside less critical work. */
  see(criticality: Criticality, nowMs: number): void {
    this.#holdBack.see(criticality, nowMs)
  }

  /**
   * A place at the best of these deployments now, or how long there is none. `end` or `giveBack` follows.
   */
  take(deployments: readonly Deployment[], demand: Demand, nowMs: number): Taken {
    const [only] = deployments
    if (only !== undefined && deployments.length === 1)
      return this.#takeOnly(deployments, only, { demand, nowMs })
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    const all = deployments.map((deployment) => {
      const state = this.#state(deployment, nowMs)
      return { deployment, state, waitMs: state.waitMs(demand, nowMs, share) }
    })
    const candidates = preferSteady(all, nowMs)
    const ready = demand.prompt === undefined ? [] : candidates.filter(({ waitMs }) => waitMs === 0)
    const affine = this.affinity.choose(ready, demand, nowMs)
    if (affine !== null)
      return this.#place(deployments, affine.deployment, { demand, nowMs, why: affine.reason })
    const choice = chooseDeployment(candidates)
    if (choice.kind === 'wait') return choice
    return this.#place(deployments, choice.chosen.deployment, { demand, nowMs, why: 'load' })
  }

  /** Would `take` find a place? */
  hasRoom(deployments: readonly Deployment[], demand: Demand, nowMs: number): boolean {
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    return deployments.some((each) => this.#state(each, nowMs).waitMs(demand, nowMs, share) === 0)
  }

  /** Frames of its stream have come. */
  generated({ deployment, demand, run, ticket, isOver }: Place, frames: number, nowMs: number): void {
    const state = isOver ? undefined : this.#deployments.get(deployment.id)
    if (state === undefined) return
    state.pace.generated(run, frames, { demand, nowMs })
    if (state.breaker.kind !== 'half-open') return
    state.breaker.begun(ticket, nowMs)
    this.queues.serve(nowMs)
  }

  /** It was used: what it showed is learned from. A place that is over already changes nothing. */
  end(place: Place, seen: Observation, nowMs: number): void {
    if (place.isOver) return
    place.isOver = true
    const state = this.#deployments.get(place.deployment.id)
    if (state !== undefined) this.#learn(state, place, { seen, nowMs })
    if (place.demand.prompt !== undefined)
      this.affinity.ended(place, seen, { running: state?.inFlight ?? 0, nowMs })
    place.settle?.(tokenCost(seen.inputTokens, seen.outputTokens))
    this.queues.serve(nowMs)
  }

  /** It was taken and not used. */
  giveBack(place: Place): void {
    if (place.isOver) return
    place.isOver = true
    const state = this.#deployments.get(place.deployment.id)
    state?.giveBack(place)
    state?.breaker.withdraw(place.ticket)
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

  /** The first attempt of a call at this model: retries are a share of these. */
  countFirst(model: string): void {
    this.#budget(model).first()
  }

  /**
   * May a call that failed at `failed` be sent once more? It takes from the model's budget. Leaving one that
   * was just ejected, or asked to be left alone, is free: the load moves, and does not grow.
   */
  mayRetry({ name, deployments }: ModelEntry, failed: Deployment, nowMs: number): boolean {
    const state = this.#deployments.get(failed.id)
    const isResting = deployments.length > 1 && (state?.rates.restMs(nowMs) ?? 0) > 0
    if (isResting || state?.breaker.isEjected(nowMs) === true) return true
    return this.#budget(name).take(nowMs)
  }

  retriesLeft(model: string): number {
    return this.#budget(model).left
  }

  /** Are all of them held back by their breakers alone? A rate that refills is worth a longer wait. */
  isOut(deployments: readonly Deployment[], demand: Demand, nowMs: number): boolean {
    return deployments.every(({ id }) => {
      const state = this.#deployments.get(id)
      return state?.breaker.blocks(nowMs) === true && state.rates.waitMs(demand, nowMs) === 0
    })
  }

  /** Are all of them left alone because their providers asked for it? */
  areResting(deployments: readonly Deployment[], nowMs: number): boolean {
    return deployments.every(({ id }) => (this.#deployments.get(id)?.rates.restMs(nowMs) ?? 0) > 0)
  }

  /** Told whenever calls stop or begin to flow to a deployment. */
  watchBreakers(tell: TellBreaker): void {
    this.#watchers.push(tell)
  }

  /** For `GET /v1/capacity`: also what was never called has limits. */
  look(deployment: Deployment, nowMs: number): DeploymentState {
    return this.#state(deployment, nowMs)
  }

  /** Of all that were ever called. */
  snapshot(): readonly DeploymentState[] {
    return [...this.#deployments.values()]
  }

  #takeOnly(pool: readonly Deployment[], only: Deployment, { demand, nowMs }: Asked): Taken {
    const share = this.#holdBack.shareOf(demand.criticality, nowMs)
    const waitMs = this.#state(only, nowMs).waitMs(demand, nowMs, share)
    return waitMs > 0 ? { kind: 'wait', waitMs } : this.#place(pool, only, { demand, nowMs, why: null })
  }

  #place(pool: readonly Deployment[], deployment: Deployment, { demand, nowMs, why }: Placing): Taken {
    const state = this.#state(deployment, nowMs)
    state.lastUsed = ++this.#uses
    const { run, charge } = state.begin(demand, nowMs)
    const ticket = state.breaker.begin(nowMs)
    const isOf = why !== null || this.affinity.watches(deployment, demand)
    const warmTokens = isOf ? this.affinity.sent({ deployment, demand }, state.pace, nowMs) : 0
    const told = { run, charge, ticket, warmTokens, why }
    return { kind: 'place', place: { deployment, demand, pool, ...told, isOver: false, settle: null } }
  }

  #learn(state: DeploymentState, place: Place, { seen, nowMs }: Seen): void {
    const verdict = state.end(place, seen, nowMs)
    if (verdict === 'good') state.breaker.succeed(place.ticket, nowMs)
    else if (verdict === 'none') state.breaker.withdraw(place.ticket)
    else judgeFailed(place, this.#deployments, nowMs)
  }

  #budget(model: string): RetryBudget {
    const known = this.#retries.get(model)
    if (known !== undefined) return known
    const budget = new RetryBudget()
    this.#retries.set(model, budget)
    return budget
  }

  /** Bounded by the deployments of the releases that served since the start. */
  #state(deployment: Deployment, nowMs: number): DeploymentState {
    const known = this.#deployments.get(deployment.id)
    if (known !== undefined) {
      known.adopt(deployment)
      return known
    }
    const state = new DeploymentState(deployment, nowMs, (id, change) => {
      for (const tell of this.#watchers) tell(id, change)
    })
    this.#deployments.set(deployment.id, state)
    return state
  }
}

interface Seen {
  readonly seen: Observation
  readonly nowMs: number
}

interface Placing extends Asked {
  readonly why: Why | null
}

interface Asked {
  readonly demand: Demand
  readonly nowMs: number
}

/** The quota under the limits of today; undefined when there are none. */
function renewed(quota: Quota | undefined, limits: QuotaLimits, nowMs: number): Quota | undefined {
  if (!isLimited(limits)) return undefined
  if (quota === undefined) return new Quota(limits, nowMs)
  quota.adopt(limits, nowMs)
  return quota
}
