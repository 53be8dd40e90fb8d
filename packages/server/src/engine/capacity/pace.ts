// How one deployment does its work: how much it can do at once, and how long that takes. Learned from the
// calls that are made, and asked before the next one is.

import { ConcurrencyLimit } from '../../core/capacity/concurrency-limit.js'
import type { Demand, Observation } from '../../core/capacity/demand.js'
import { Progress } from '../../core/capacity/progress.js'
import { isThrottle } from '../../core/capacity/retry.js'
import { ServiceModel } from '../../core/capacity/service-model.js'
import type { Deployment } from '../../core/release/release.js'

/** What is remembered of a call while it runs. */
export interface CallRun {
  readonly tokens: number
  readonly begunMs: number
  readonly wasBusy: boolean
  /** Of the limit's clock of calls, at its begin. */
  readonly callsMs: number
  readonly ms: number
  /** Generated so far. */
  frames: number
}

/** More of the limit in flight than this: what a call takes now is not what it takes at low load. */
const BUSY_SHARE = 0.5

export class Pace {
  readonly limit: ConcurrencyLimit
  readonly service = new ServiceModel()
  readonly progress = new Progress()
  /** It tells cached tokens: how much was read is known when a call has ended, not before. */
  #tellsCached = false

  constructor(deployment: Deployment, nowMs: number) {
    this.limit = new ConcurrencyLimit(settingsOf(deployment), nowMs)
  }

  adopt(deployment: Deployment): void {
    this.limit.adopt(settingsOf(deployment))
  }

  /** Is there room in this share (0..1) of the limit? */
  hasRoom(demand: Demand, share = 1): boolean {
    return this.limit.hasRoom(tokensOf(demand), share)
  }

  begin(demand: Demand, nowMs: number): CallRun {
    const { limit } = this
    const tokens = tokensOf(demand)
    const wasBusy = limit.utilisation > BUSY_SHARE
    limit.begin(tokens, demand.stream, nowMs)
    return { tokens, begunMs: nowMs, wasBusy, callsMs: limit.everCallsMs, ms: limit.everMs, frames: 0 }
  }

  /** Frames of a stream have come. `nowMs` is needed for the first. */
  generated(run: CallRun, frames: number, now: { readonly demand: Demand; readonly nowMs: number }): void {
    const { limit, service } = this
    if (!now.demand.stream) return
    this.progress.generated(run.frames === 0, now.nowMs)
    if (run.frames === 0) {
      const { inputTokens } = now.demand
      limit.firstToken(service.firstTokenAtLowLoadMs(inputTokens), now.nowMs)
      if (!this.#tellsCached) this.#sawFirst(run, inputTokens, now.nowMs - run.begunMs)
    }
    run.frames += frames
    limit.generated(frames)
  }

  /** From sending to the last token of such a call, ms. null: unknown. */
  wholeMs({ inputTokens, outputTokens }: Demand): number | null {
    return this.service.predictTotalMs({ inputTokens, outputTokens }) ?? this.service.durationMs(0.5)
  }

  giveBack(run: CallRun, demand: Demand): void {
    if (run.frames > 0) this.progress.ended()
    this.limit.giveBack(run.tokens, demand.stream, run.frames > 0)
  }

  end(run: CallRun, seen: Observation, now: Ending): void {
    const { frames } = run
    const isOk = seen.end === 'ok'
    const streamed = frames > 0
    if (streamed) this.progress.ended()
    if (seen.cachedTokens > 0) this.#tellsCached = true
    this.limit.end(run.tokens, now.demand.stream, {
      nowMs: now.nowMs,
      streamed,
      dropped: isThrottle(seen.end) || (seen.end === 'timeout' && now.isHurried !== true),
      frames,
      outputTokens: isOk ? seen.outputTokens : 0,
    })
    if (!isOk) return
    const { inputTokens, cachedTokens, outputTokens, durationMs } = seen
    // The head of a whole answer is no first token.
    const firstTokenMs = streamed ? seen.firstTokenMs : null
    if (this.#tellsCached && firstTokenMs !== null) {
      this.#sawFirst(run, inputTokens - cachedTokens, firstTokenMs)
    }
    const running = this.limit.meanCallsSince(run)
    this.service.sawAnswer({ durationMs, firstTokenMs, inputTokens, cachedTokens, outputTokens, running })
  }

  #sawFirst({ wasBusy }: CallRun, uncachedTokens: number, ms: number): void {
    this.service.sawFirstToken({ ms, uncachedTokens, wasBusy })
  }
}

interface Ending {
  readonly demand: Demand
  readonly nowMs: number
  /** It had less time than its answer takes: that there is none says nothing. Default false. */
  readonly isHurried?: boolean
}

function settingsOf({ limits, targets }: Deployment) {
  return { ...targets, callsMax: limits.concurrency }
}

/** What a call takes of the limit. */
function tokensOf({ inputTokens, outputTokens }: Demand): number {
  return inputTokens + outputTokens
}
