// Which deployment of several has a prompt warm: what was sent where, and what came of it. Who takes a
// prompt is decided in `core/capacity/replica-choice.ts`; this keeps what it decides by.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { PrefixMemory } from '../../core/capacity/prefix-memory.js'
import { type Replica, type ReplicaChoice, chooseReplica } from '../../core/capacity/replica-choice.js'
import { ReplicaLoad } from '../../core/capacity/replica-load.js'
import type { ServiceModel } from '../../core/capacity/service-model.js'
import { SessionMemory } from '../../core/capacity/session-memory.js'
import type { Deployment } from '../../core/release/release.js'
import type { DeploymentState, Place } from './deployment-state.js'
import type { Pace } from './pace.js'

/** One that may be called now. */
export interface Ready {
  readonly deployment: Deployment
  readonly state: DeploymentState
}

export interface Affine {
  readonly deployment: Deployment
  readonly reason: ReplicaChoice['reason']
  readonly warmTokens: number
}

/** Of one deployment, since the start. Tokens as reported, of calls whose prompt was looked at. */
export interface AffinityCounts {
  warm: number
  cold: number
  cheaper: number
  balance: number
  promptTokens: number
  cachedTokens: number
}

/** Until more is known of how fast any of them computes and generates: an 8B model on one accelerator. */
const PREFILL_MS_PER_TOKEN = 0.1
const PER_TOKEN_MS = 20
const PER_TOKEN_MS_PER_CALL = 0.25

/** So many calls in a row that did not reach it: it was restarted, or another took its address. */
const LOST_AFTER = 2

/** How late its last calls were says less and less, and nothing after this, ms: then it is tried again. */
const LATE_MS = 10_000

class Site {
  readonly load = new ReplicaLoad()
  readonly counts: AffinityCounts = {
    warm: 0,
    cold: 0,
    cheaper: 0,
    balance: 0,
    promptTokens: 0,
    cachedTokens: 0,
  }
  lost = 0
  /** When its last call ended. */
  seenMs = 0

  /** Before it begins with such a prompt, ms: what was sent there, or what has been seen of late. */
  waitMs(service: ServiceModel, promptTokens: number, nowMs: number): number {
    const lateShare = Math.min(1, 1 - (nowMs - this.seenMs) / LATE_MS)
    const lateMs = lateShare > 0 ? lateShare * (service.lateMs(promptTokens) ?? 0) : 0
    return Math.max(this.load.queueWaitMs(nowMs), lateMs)
  }
}

export class Affinity {
  readonly #prefixes = new PrefixMemory()
  readonly #sessions = new SessionMemory()
  /** Bounded by the deployments of the releases that served since the start. */
  readonly #sites = new Map<string, Site>()

  /** null: the call has no prompt that could be warm. */
  choose(ready: readonly Ready[], demand: Demand, nowMs: number): Affine | null {
    const { prompt, inputTokens } = demand
    if (prompt === undefined || ready.length === 0) return null
    const shares = sharesOf(ready)
    const speed = speedOf(ready)
    const replicas = ready.map(({ deployment, state }, index): Replica => {
      const site = this.#site(deployment.id)
      const { service } = state.pace
      const matchedTokens = this.#matched(deployment, demand, nowMs)
      const queueWaitMs = site.waitMs(service, inputTokens, nowMs)
      return {
        matchedTokens,
        queueWaitMs: queueWaitMs + (beginMsOf(service) ?? speed.beginMs),
        prefillMsPerToken: service.prefillMsPerToken() ?? speed.prefillMsPerToken,
        perTokenMs:
          service.perTokenMs(state.inFlight + 1) ?? speed.perTokenMs + PER_TOKEN_MS_PER_CALL * state.inFlight,
        perTokenWorkMs: service.perTokenMsPerCall() ?? PER_TOKEN_MS_PER_CALL,
        workMs: site.load.workMs(nowMs) / (shares?.[index] ?? 1),
      }
    })
    const seated = this.#seated(ready, replicas, { demand, nowMs })
    const ask = {
      promptTokens: inputTokens,
      outputTokens: demand.outputTokens,
      firstTokenTargetMs: targetOf(ready),
    }
    const choice = chooseReplica(seated, ask)
    const { deployment } = ready[choice.index] as Ready
    this.#site(deployment.id).counts[choice.reason] += 1
    return { deployment, reason: choice.reason, warmTokens: (seated[choice.index] as Replica).matchedTokens }
  }

  /** Where there is no choice: it was one of several before, or is asked to keep prompts. */
  watches({ id, promptCache }: Deployment, { inputTokens }: Demand): boolean {
    const isAsked = promptCache.ask === 'marks' && inputTokens >= promptCache.minTokens
    return isAsked || this.#sites.has(id)
  }

  /** A call goes there. Returns how much of its prompt was warm before, tokens. */
  sent(call: Pick<Place, 'deployment' | 'demand'>, { service }: Pace, nowMs: number): number {
    const { deployment, demand } = call
    const { prompt, inputTokens } = demand
    if (prompt === undefined) return 0
    const { load } = this.#site(deployment.id)
    const warm = this.#prefixes.of(deployment.id, deployment.promptCache)
    const { chain, session } = prompt
    const matched = warm.match(chain, nowMs)
    warm.touch(chain, nowMs)
    const sent = { deployment: deployment.id, promptTokens: inputTokens, nowMs }
    if (session !== null) this.#sessions.sent(session, sent)
    const computed = Math.max(0, inputTokens - matched)
    load.sent({ prefillMs: computed * prefillOf(service), workMs: workOf(service, computed, demand) }, nowMs)
    return matched
  }

  ended({ deployment, demand, warmTokens }: Place, seen: Observation, now: Now): void {
    const site = this.#sites.get(deployment.id)
    if (site === undefined) return
    site.seenMs = now.nowMs
    if (now.running === 0) site.load.rest()
    site.lost = seen.end === 'connection' ? site.lost + 1 : 0
    const warm = this.#prefixes.known(deployment.id)
    if (site.lost >= LOST_AFTER) warm?.clear()
    if (seen.end !== 'ok' || demand.prompt === undefined) return
    site.counts.promptTokens += seen.inputTokens
    site.counts.cachedTokens += seen.cachedTokens
    warm?.learn(warmTokens, seen.cachedTokens)
  }

  /** For `GET /v1/capacity`; null: no prompt was looked at there. */
  snapshot(id: string): (AffinityCounts & { readonly prefixes: number; readonly heldTokens: number }) | null {
    const site = this.#sites.get(id)
    if (site === undefined) return null
    const warm = this.#prefixes.known(id)
    return { ...site.counts, prefixes: warm?.prefixes ?? 0, heldTokens: warm?.heldTokens ?? 0 }
  }

  /** Beginnings too short to be kept there are not warm. */
  #matched(deployment: Deployment, { prompt }: Demand, nowMs: number): number {
    if (prompt === undefined) return 0
    const { promptCache } = deployment
    const matched = this.#prefixes.of(deployment.id, promptCache).match(prompt.chain, nowMs)
    return matched < promptCache.minTokens ? 0 : matched
  }

  /** Nobody is known to have the prompt: the conversation goes on where it was. */
  #seated(
    ready: readonly Ready[],
    replicas: readonly Replica[],
    { demand, nowMs }: { readonly demand: Demand; readonly nowMs: number },
  ): readonly Replica[] {
    const session = demand.prompt?.session ?? null
    if (session === null || replicas.some(({ matchedTokens }) => matchedTokens > 0)) return replicas
    return replicas.map((replica, index) => {
      const { deployment } = ready[index] as Ready
      const seat = this.#sessions.seat(session, nowMs, seatMs(deployment))
      if (seat?.deployment !== deployment.id) return replica
      return { ...replica, matchedTokens: Math.max(1, Math.min(seat.promptTokens, demand.inputTokens)) }
    })
  }

  #site(id: string): Site {
    const known = this.#sites.get(id)
    if (known !== undefined) return known
    const made = new Site()
    this.#sites.set(id, made)
    return made
  }
}

/** A conversation that has rested so long is over, or begins anew, ms. */
const SEAT_MS_MAX = 3_600_000

function seatMs({ promptCache }: Deployment): number {
  return Math.min(SEAT_MS_MAX, promptCache.ttlMs)
}

interface Now {
  readonly running: number
  readonly nowMs: number
}

interface Speed {
  /** Before the prompt is read, ms. */
  readonly beginMs: number
  readonly prefillMsPerToken: number
  readonly perTokenMs: number
}

/** Of one that nothing is known of: as one that is known, so that it is neither avoided nor preferred. */
function speedOf(ready: readonly Ready[]): Speed {
  let beginMs: number | null = null
  let prefillMsPerToken: number | null = null
  let perTokenMs: number | null = null
  for (const { state } of ready) {
    const { service } = state.pace
    beginMs ??= beginMsOf(service)
    prefillMsPerToken ??= service.prefillMsPerToken()
    perTokenMs ??= service.perTokenMs(1)
  }
  return {
    beginMs: beginMs ?? 0,
    prefillMsPerToken: prefillMsPerToken ?? PREFILL_MS_PER_TOKEN,
    perTokenMs: perTokenMs ?? PER_TOKEN_MS + PER_TOKEN_MS_PER_CALL,
  }
}

/** null: only the whole is known, whatever the prompt. */
function beginMsOf(service: ServiceModel): number | null {
  return service.prefillMsPerToken() === null ? null : service.firstTokenAtLowLoadMs(0)
}

function prefillOf(service: ServiceModel): number {
  return service.prefillMsPerToken() ?? PREFILL_MS_PER_TOKEN
}

/**
 * Where nothing gets slower by it that can be seen from here, as at large providers, work is shared all the
 * same: their limits per minute would be reached at one while others rest.
 */
function workOf(service: ServiceModel, computedTokens: number, demand: Demand): number {
  const prefillMs = Math.max(PREFILL_MS_PER_TOKEN, prefillOf(service))
  const perCallMs = Math.max(PER_TOKEN_MS_PER_CALL, service.perTokenMsPerCall() ?? 0)
  return prefillMs * computedTokens + perCallMs * demand.outputTokens
}

/** Of those that have one, the strictest; null: none is set. */
function targetOf(ready: readonly Ready[]): number | null {
  let target: number | null = null
  for (const { deployment } of ready) {
    const { firstTokenMs } = deployment.targets
    if (firstTokenMs !== null && (target === null || firstTokenMs < target)) target = firstTokenMs
  }
  return target
}

/** Where all limits are known, who may take more at once has more of the work. */
function sharesOf(ready: readonly Ready[]): readonly number[] | null {
  let sum = 0
  for (const { state } of ready) {
    if (state.concurrency === null || state.concurrency <= 0) return null
    sum += state.concurrency
  }
  return ready.map(({ state }) => ((state.concurrency ?? 1) * ready.length) / sum)
}
