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

/** So many times the p95 is late. */
const LATE_FACTOR = 2

/** What a second copy goes by. */
export interface Original {
  readonly race: Race
  /** After which the copy was sent, ms. */
  readonly p95Ms: number
  /** Where it may go: they were ready when this was made. */
  readonly others: readonly Deployment[]
  /** What was taken from the hedge budget. */
  readonly extraNanoUsd: number
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
    limitMs: firstTokenLimitMs(own, timeLeftMs(step), tail?.workMs(place.demand)),
    perFrameMs: tail?.perFrameMs() ?? null,
    hedge: hedge === null || copy === null ? null : hedger(step, ask, { hedge, copy, p95Ms, others }),
    elsewhere: () => race.running > 1 || mayGoOn(step, ask),
  })
  return hedge
}

interface Hedging<T> {
  readonly hedge: Hedge<T>
  readonly copy: (original: Original) => Promise<T | null>
  readonly p95Ms: number
  readonly others: readonly Deployment[]
}

/** Tells once why there is no copy, however often it is asked. */
function hedger<T>(step: Step, { attempt }: WatchAsk<T>, by: Hedging<T>): (waitedMs: number) => boolean {
  const { hedge, copy, p95Ms, others } = by
  let said: string | null = null
  return (waitedMs) => {
    if (step.caller.gone || step.task.attempts >= attemptsMax(step.task)) return false
    const isLate = waitedMs >= LATE_FACTOR * p95Ms
    const planned = planCopy(step, attempt.held, { others, isLate })
    if (typeof planned !== 'string') {
      hedge.begin(() => copy({ race: hedge.race, p95Ms, ...planned }))
      return true
    }
    if (planned !== said) decide(step, { stage: 'attempt', choice: 'no hedge', reason: planned })
    said = planned
    return false
  }
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

/** May the call be sent once more, and where? Or why not. */
function planCopy(
  step: Step,
  first: HeldAttempt,
  to: { readonly others: readonly Deployment[]; readonly isLate: boolean },
): Pick<Original, 'others' | 'extraNanoUsd'> | string {
  const { capacity, system } = step.engine
  const others = capacity.ready(to.others, first.place.demand, system.nowMs())
  const slow = capacity.stateOf(first.deployment)?.room
  const other = others[0] === undefined ? undefined : capacity.stateOf(others[0])?.room
  if (slow === undefined || other === undefined) return 'no other deployment is ready'
  const extraNanoUsd = costInVain(first, others)
  const { isLate } = to
  const overloadLevel = capacity.overloadLevel(first.model.name, system.nowMs())
  const taken = capacity.hedging.take({ overloadLevel, slow, other, extraNanoUsd, isLate })
  return taken ?? { others, extraNanoUsd }
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
