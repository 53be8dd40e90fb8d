// Two attempts at one call: the first, and a copy at another deployment when the first takes longer to begin
// than it normally does. What is sent and how is for the caller of this; here is when, and that both are over
// before the call goes on.

import { firstTokenLimitMs } from '../../core/capacity/stream-guard.js'
import { costOf } from '../../core/money/price.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import { sizeHold } from '../call-model/hold.js'
import type { HeldAttempt } from '../call-model/settle.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import { attemptsMax } from '../task-registry.js'
import { AttemptWatch } from './attempt-watch.js'
import type { AttemptAsk } from './one-attempt.js'
import { Race } from './race.js'

/** What a second copy goes by. */
export interface Original {
  readonly race: Race
  /** After which the copy was sent, ms. */
  readonly p95Ms: number
  /** Where it may go. */
  readonly others: readonly Deployment[]
}

export interface WatchAsk<T> {
  readonly attempt: AttemptAsk
  readonly model: ModelEntry
  /** Deployments that cannot serve this call. */
  readonly avoid: readonly string[]
  /** Another model may take over. */
  readonly hasNext: boolean
  /** It is itself a copy. */
  readonly copyOf: Original | null
  /** Sends a copy; null: none is to be sent. */
  readonly copy: ((original: Original) => Promise<T | null>) | null
}

/** The attempt is watched from now on, if anything is known to judge it by. null: no copy will be sent. */
export function watch<T>(step: Step, ask: WatchAsk<T>): Hedge<T> | null {
  const { attempt, copyOf, copy } = ask
  const { capacity, system } = step.engine
  const { deployment, place } = attempt.held
  const tail = capacity.stateOf(deployment)?.tail
  const own = tail?.firstTokenP95(place.demand) ?? null
  const p95Ms = own ?? copyOf?.p95Ms
  if (p95Ms === undefined) return null
  if (copyOf !== null) noteCopy(step, attempt, copyOf)
  const others = othersOf(ask)
  const hedge = copy !== null && others.length > 0 ? new Hedge<T>() : null
  const race = copyOf?.race ?? hedge?.race ?? new Race()
  attempt.watch = new AttemptWatch({
    system,
    race,
    p95Ms,
    limitMs: firstTokenLimitMs(own, timeLeftMs(step)),
    perFrameMs: tail?.perFrameMs() ?? null,
    hedge: hedge === null || copy === null ? null : () => hedge.begin(() => copy({ race, p95Ms, others })),
    elsewhere: () => race.running > 1 || mayGoOn(step, ask),
  })
  return hedge
}

function othersOf<T>({ attempt, model, avoid }: WatchAsk<T>): readonly Deployment[] {
  const { deployment } = attempt.held
  return model.deployments.filter(({ id }) => id !== deployment.id && !avoid.includes(id))
}

/** If this attempt were given up now, could there be another? Looked at when it comes to that, not before. */
function mayGoOn<T>(step: Step, ask: WatchAsk<T>): boolean {
  const { task, engine, request } = step
  const { model, hasNext, attempt } = ask
  if (step.caller.gone || task.attempts >= attemptsMax(task)) return false
  if (hasNext) return true
  const { demand } = attempt.held.place
  const isReady = engine.capacity.ready(othersOf(ask), demand, engine.system.nowMs()).length > 0
  return isReady && sizeHold(step, { model, request }).kind === 'fits'
}

function noteCopy(step: Step, { held }: AttemptAsk, { p95Ms }: Original): void {
  const reason = `no first token within ${p95Ms} ms, as 95 of 100 have`
  decide(step, { stage: 'attempt', choice: `hedge:${held.deployment.id}`, reason })
}

/** A race of two. `T`: how an attempt ended; null: the copy was not sent. */
export class Hedge<T> {
  readonly race = new Race()
  #copy: Promise<T | null> | null = null

  /** Sends the copy. Whatever it throws is for `copyEnd`. */
  begin(copy: () => Promise<T | null>): void {
    this.#copy = copy()
    this.#copy.catch(() => {})
  }

  /** Resolves when the copy is over too. */
  copyEnd(): Promise<T | null> | null {
    return this.#copy
  }

  /** The first is over because something threw: the copy must not go on. */
  async close(): Promise<void> {
    this.race.callOff()
    await this.#copy?.catch(() => {})
  }
}

export interface CopyPlan {
  readonly others: readonly Deployment[]
  /** Of the hedge budget. */
  readonly extraNanoUsd: number
}

/** May the call be sent once more, and where? null: no, and why not is in the step's record. */
export function planCopy(step: Step, first: HeldAttempt, others: readonly Deployment[]): CopyPlan | null {
  const { capacity, system } = step.engine
  const ready = capacity.ready(others, first.place.demand, system.nowMs())
  const room = capacity.stateOf(first.deployment)?.room
  const extraNanoUsd = costInVain(first, ready)
  const other = ready[0] === undefined ? undefined : capacity.stateOf(ready[0])?.room
  if (room === undefined || other === undefined) return denied(step, 'no other deployment is ready')
  const reason = capacity.hedging.take(room, other, extraNanoUsd)
  return reason === null ? { others: ready, extraNanoUsd } : denied(step, reason)
}

function denied(step: Step, reason: string): null {
  decide(step, { stage: 'attempt', choice: 'no hedge', reason })
  return null
}

/** One of the two has read the prompt for nothing: the dearer one, to be safe. */
function costInVain({ deployment, reservation }: HeldAttempt, others: readonly Deployment[]): number {
  const tokens = { ...NO_TOKENS, input: reservation.estimatedInput }
  const costs = [deployment, ...others].map(({ price }) =>
    price === null ? reservation.amounts.nanoUsd : costOf(price, tokens),
  )
  return Math.max(...costs)
}

/** What the two cost, in place of what was expected. A first that failed by itself had been paid anyway. */
export function bookCopy(step: Step, first: HeldAttempt, extraNanoUsd: number): void {
  const own = step.attempts.find(({ id }) => id === first.reservation.id)
  const copy = step.attempts.findLast(({ purpose }) => purpose === 'hedge')
  const wasted = own?.end === 'hedge_lost' ? own : copy?.end === 'ok' ? undefined : copy
  step.engine.capacity.hedging.lost(extraNanoUsd, wasted?.chargedNanoUsd ?? 0)
}
