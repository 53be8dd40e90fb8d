// Which deployment of several has a prompt warm: what was sent where, and what came of it. Who takes a
// prompt is decided in `core/capacity/replica-choice.ts`; this keeps what it decides by.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { PrefixMemory } from '../../core/capacity/prefix-memory.js'
import { type Replica, type ReplicaChoice, chooseReplica } from '../../core/capacity/replica-choice.js'
import { ReplicaLoad } from '../../core/capacity/replica-load.js'
import { SessionMemory } from '../../core/capacity/session-memory.js'
import type { Deployment } from '../../core/release/release.js'
import type { DeploymentState, Place } from './deployment-state.js'

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

/** Nothing is known yet of how fast it computes and generates: about an 8B model on one accelerator. */
const PREFILL_MS_PER_TOKEN = 0.1
const PER_TOKEN_MS = 20
const PER_TOKEN_MS_PER_CALL = 0.25

/**
 * What callers allow says little of what they get; no longer than this is worked for, tokens (Mooncake:
 * 343).
 */
const OUTPUT_TOKENS_EXPECTED = 350

/** So many calls in a row that did not reach it: it was restarted, or another took its address. */
const LOST_AFTER = 2

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
    const replicas = ready.map(({ deployment, state }, index): Replica => {
      const { load } = this.#site(deployment.id)
      return {
        matchedTokens: this.#matched(deployment, demand, nowMs),
        queueWaitMs: load.queueWaitMs(nowMs),
        prefillMsPerToken: PREFILL_MS_PER_TOKEN,
        perTokenMs: PER_TOKEN_MS + PER_TOKEN_MS_PER_CALL * (state.inFlight + 1),
        perTokenWorkMs: PER_TOKEN_MS_PER_CALL,
        workMs: load.workMs(nowMs) / (shares?.[index] ?? 1),
      }
    })
    const seated = this.#seated(ready, replicas, { demand, nowMs })
    const ask = { promptTokens: inputTokens, outputTokens: outputOf(demand), firstTokenTargetMs: null }
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
  sent({ deployment, demand }: Pick<Place, 'deployment' | 'demand'>, nowMs: number): number {
    const { prompt, inputTokens } = demand
    if (prompt === undefined) return 0
    const { load } = this.#site(deployment.id)
    const warm = this.#prefixes.of(deployment.id, deployment.promptCache)
    const { chain, session } = prompt
    const matched = warm.match(chain, nowMs)
    warm.touch(chain, nowMs)
    const sent = { deployment: deployment.id, promptTokens: inputTokens, nowMs }
    if (session !== null) this.#sessions.sent(session, sent)
    const prefillMs = PREFILL_MS_PER_TOKEN * Math.max(0, inputTokens - matched)
    load.sent({ prefillMs, workMs: prefillMs + PER_TOKEN_MS_PER_CALL * outputOf(demand) }, nowMs)
    return matched
  }

  ended({ deployment, demand, warmTokens }: Place, seen: Observation, running: number): void {
    const site = this.#sites.get(deployment.id)
    if (site === undefined) return
    if (running === 0) site.load.rest()
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

function outputOf({ outputTokens }: Demand): number {
  return Math.min(outputTokens, OUTPUT_TOKENS_EXPECTED)
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
