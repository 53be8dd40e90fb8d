// Stage 7, attempt: call a deployment; try again and fall back while the task's cap, its budget and its
// deadline allow. One loop for retries and fallbacks, so that nothing multiplies: every attempt is counted on
// the task, held and settled on its own. Nothing follows an attempt whose first byte the caller has seen.

import { premiumCeilingOf } from '../../core/routing/premium-ceiling.js'
import { isDeploymentFault, isRetryable, isTooSlow } from '../../core/capacity/retry.js'
import type { ModelEntry } from '../../core/release/release.js'
import type { Answer } from '../answer/answer.js'
import { demandOf } from '../demand-of.js'
import { lowered } from '../lower-output.js'
import { attemptsMax } from '../task-registry.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import type { AttemptFailure } from '../upstream/attempt-failure.js'
import { type Hedge, type Original, bookCopy, watch } from '../upstream/hedge.js'
import { type AttemptAsk, oneAttempt } from '../upstream/one-attempt.js'
import { type AttemptPlan, prepareAttempt, writeHold } from '../upstream/prepare-attempt.js'
import { whenDone } from '../when-done.js'
import type { Place } from '../capacity/deployment-state.js'
import { pauseBeforeRetry } from '../capacity/retry-pause.js'
import { acquire, acquireNow } from './acquire.js'
import type { HeldAttempt } from './settle.js'
import { type Reservation, type Shortage, answerAsk, hold } from './hold.js'
import { NOTHING } from '../../core/budget/amounts.js'
import type { Problem } from '../../core/parsed.js'

export type AttemptsEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** A limit has no room for the first attempt. */
  | (Pick<Shortage, 'limit' | 'ceiling'> & { readonly kind: 'short' })
  /** The provider refused the request itself: another attempt would be refused too. */
  | { readonly kind: 'rejected'; readonly failure: AttemptFailure }
  /** The request cannot be said in the format of any deployment. */
  | { readonly kind: 'inexpressible'; readonly problems: readonly Problem[] }
  | { readonly kind: 'failed'; readonly failures: readonly AttemptFailure[] }
  | NoCapacity
  | { readonly kind: 'caller-left' }

export interface NoCapacity {
  readonly kind: 'no-capacity'
  /** Refused at once, rather than after a wait. */
  readonly isShed: boolean
  /** After which it is worth another try, ms. */
  readonly waitMs: number
}

type Turn = AttemptsEnd | { readonly kind: 'again'; readonly failure: AttemptFailure }

/** Tries of one model before the next gets its turn, at least one per deployment. The last goes on. */
const TRIES_PER_MODEL = 2

export async function attempt(step: Step, plan: AttemptPlan): Promise<AttemptsEnd> {
  const { models } = plan
  const failures: AttemptFailure[] = []
  const avoid: string[] = []
  for (let index = 0; index < models.length; index++) {
    const model = models[index] as ModelEntry
    const isLast = index === models.length - 1
    const triesMax = isLast ? Infinity : Math.max(TRIES_PER_MODEL, model.deployments.length)
    for (let tries = 0; tries < triesMax; tries++) {
      if (isCapReached(step)) return capReached(step, failures)
      const taking = takeTurn(step, { plan, model, avoid, failures, hasNext: !isLast, copyOf: null })
      const turn = taking instanceof Promise ? await taking : taking
      if (turn.kind === 'again') {
        failures.push(turn.failure)
        continue
      }
      if (!isNextWorthIt(turn, failures)) return turn
      if (!isLast) break
      return failures.length > 0 ? { kind: 'failed', failures } : turn
    }
    if (!isLast) noteFallback(step, models[index + 1], failures)
  }
  return { kind: 'failed', failures }
}

/**
 * This model cannot take the call, another may. Giving way to a smaller one because of a limit is for the
 * ladder to decide, but not when it only stands in for one that has failed.
 */
function isNextWorthIt({ kind }: AttemptsEnd, failures: readonly AttemptFailure[]): boolean {
  return kind === 'no-capacity' || kind === 'inexpressible' || (kind === 'short' && failures.length > 0)
}

function isCapReached({ task }: Step): boolean {
  return task.attempts >= attemptsMax(task)
}

interface TurnAsk {
  readonly plan: AttemptPlan
  readonly model: ModelEntry
  readonly avoid: string[]
  readonly failures: AttemptFailure[]
  readonly hasNext: boolean
  readonly copyOf: Original | null
}

function takeTurn(step: Step, ask: TurnAsk): Turn | Promise<Turn> {
  const last = ask.failures.at(-1)
  return last === undefined ? holdAndSend(step, ask) : retry(step, ask, last)
}

async function retry(step: Step, ask: TurnAsk, { deployment, end }: AttemptFailure): Promise<Turn> {
  const { caller, decisions } = step
  const { model, failures } = ask
  const last = { model, deployment, end, attempt: failures.length, leftMs: timeLeftMs(step) }
  switch (await pauseBeforeRetry(step.engine, { ...last, caller, decisions })) {
    case 'too-late':
      return { kind: 'failed', failures }
    case 'spent': // Another model may still have retries left.
      return { kind: 'no-capacity', isShed: false, waitMs: 0 }
    case 'gone':
      return { kind: 'caller-left' }
    case 'over':
      return holdAndSend(step, ask)
  }
}

function holdAndSend(step: Step, ask: TurnAsk): Turn | Promise<Turn> {
  const asked = answerAsk(step, { model: ask.model, request: step.request })
  const held = hold(step, lowered(step, asked))
  return whenDone(held, (end): Turn | Promise<Turn> => {
    if (end.kind === 'held') return withHold(step, ask, end.reservation)
    return { kind: 'short', limit: end.limit, ceiling: end.ceiling }
  })
}

/**
 * Whatever happens, the reservation and the place at the deployment end: as they were used, or as if they
 * never were.
 */
async function withHold(step: Step, ask: TurnAsk, reservation: Reservation): Promise<Turn> {
  const { capacity, ledger } = step.engine
  let unused: Place | null = null
  let isSettled = false
  let hedge: Hedge<Copied> | null = null
  try {
    const { model, avoid, hasNext, copyOf } = ask
    const demand = demandOf(step, model, reservation)
    const acquiring =
      copyOf === null
        ? acquire(step, { model, avoid, hasNext, demand })
        : acquireNow(step, copyOf.others, demand)
    const acquired = acquiring instanceof Promise ? await acquiring : acquiring
    if (acquired.kind === 'gone') return { kind: 'caller-left' }
    if (acquired.kind === 'none')
      return { kind: 'no-capacity', isShed: acquired.isShed, waitMs: acquired.waitMs }
    unused = acquired.place
    const ready = prepareAttempt(step, { plan: ask.plan, model, place: unused, reservation })
    if (ready.kind !== 'ready') return ready
    const barred = claim(step, ask)
    if (barred !== null) return barred
    writeHold(step, ready.attempt.held)
    hedge = watchOver(step, ask, ready.attempt)
    unused = null
    const end = await oneAttempt(step, ready.attempt)
    isSettled = true
    const turn = end.kind === 'answered' ? end : judgeFailure(step, end.failure, ask.avoid)
    return hedge === null ? turn : await joined(step, ask, { hedge, turn, first: ready.attempt.held })
  } finally {
    if (hedge !== null) await hedge.close()
    if (unused !== null) capacity.giveBack(unused)
    if (!isSettled) await ledger.settle(reservation.hold, NOTHING)
  }
}

/**
 * The last look before the request goes out, and the count: nothing is awaited in between, so calls that run
 * at the same time cannot all pass. Returns what stops it, or null.
 */
function claim(step: Step, { plan, model, failures, copyOf }: TurnAsk): Turn | null {
  const { task, engine } = step
  if (step.caller.gone) return { kind: 'caller-left' }
  // Waiting for the hold or for a place may have used up the time.
  if (timeLeftMs(step) <= 0) return { kind: 'short', limit: 'latencyMs', ceiling: null }
  if (isCapReached(step)) return capReached(step, failures)
  if (copyOf !== null && copyOf.race.isDecided) return NOT_NEEDED
  if (step.sent === 0 && plan.purpose === 'answer' && model.deployments.length > 1)
    engine.capacity.hedging.called()
  if (copyOf === null && !step.attempts.some((earlier) => earlier.model === model.name)) {
    const { contract, release } = task
    const { calls, premiumCalls } = engine.premiumShare.of(contract.name)
    const premiumUse = { calls, premiumCalls, nanoUsdToday: 0 }
    if (
      premiumCeilingOf(model.name, { route: contract.route, models: release.models, premiumUse }) === 'share'
    ) {
      return { kind: 'short', limit: 'modelCalls', ceiling: 'premium' }
    }
    engine.premiumShare.count(contract.name, model.tier === 'premium')
  }
  if (failures.length === 0 && copyOf === null) engine.capacity.countFirst(model.name)
  task.attempts += 1
  step.sent += 1
  return null
}

const NOT_NEEDED: Turn = { kind: 'no-capacity', isShed: false, waitMs: 0 }

/**
 * Watched where another could do better; then a copy may be sent beside it. null: nothing is, or it is the
 * copy.
 */
function watchOver(step: Step, ask: TurnAsk, sending: AttemptAsk): Hedge<Copied> | null {
  const { model, avoid, hasNext, copyOf, plan } = ask
  if (model.deployments.length === 1 && !hasNext) return null
  const sendsCopy = copyOf === null && plan.purpose === 'answer' && step.task.contract.hedge
  const copy = (original: Original) => sendCopy(step, ask, original)
  const attempted = { attempt: sending, model, avoid, hasNext, copyOf }
  return watch<Copied>(step, { ...attempted, copy: sendsCopy ? copy : null })
}

interface Copied {
  readonly turn: Turn
  /** What was taken from the hedge budget. */
  readonly extraNanoUsd: number
}

/** The same call once more, elsewhere. null: it was not sent. */
async function sendCopy(step: Step, ask: TurnAsk, original: Original): Promise<Copied | null> {
  const { sent } = step
  const { extraNanoUsd } = original
  const plan: AttemptPlan = { ...ask.plan, purpose: 'hedge' }
  try {
    const turn = await holdAndSend(step, { ...ask, plan, copyOf: original })
    if (step.sent > sent) return { turn, extraNanoUsd }
    return null
  } finally {
    if (step.sent === sent) step.engine.capacity.hedging.cancel(extraNanoUsd)
  }
}

interface Joining {
  readonly hedge: Hedge<Copied>
  readonly turn: Turn
  readonly first: HeldAttempt
}

/** The copy is over too. At most one of the two has answered; each that failed by itself is a failure. */
async function joined(step: Step, { failures }: TurnAsk, { hedge, turn, first }: Joining): Promise<Turn> {
  const copied = await hedge.copyEnd()
  if (copied === null) return turn
  const copy = copied.turn
  bookCopy(step, first, copied.extraNanoUsd)
  if (turn.kind === 'answered' || isLost(copy)) return turn
  if (copy.kind === 'answered' || isLost(turn)) return copy
  if (turn.kind !== 'again' || copy.kind !== 'again') return turn.kind === 'again' ? copy : turn
  failures.push(turn.failure)
  return copy
}

function isLost(turn: Turn): boolean {
  return turn.kind === 'again' && turn.failure.end === 'hedge_lost'
}

function judgeFailure(step: Step, failure: AttemptFailure, avoid: string[]): Turn {
  decide(step, {
    stage: 'attempt',
    choice: failure.end === 'hedge_lost' ? 'lost' : 'failed',
    reason: failure.end,
    inputs: {
      deployment: failure.deployment.id,
      ...(failure.detail === null ? {} : { detail: failure.detail }),
    },
  })
  if (failure.end === 'caller_left') return { kind: 'caller-left' }
  if (failure.end === 'hedge_lost') return { kind: 'again', failure }
  const isFault = isDeploymentFault(failure.end)
  if (!isFault && failure.shouldRetry !== true && !isRetryable(failure.end))
    return { kind: 'rejected', failure }
  if (isFault || failure.shouldRetry === false || isTooSlow(failure.end)) avoid.push(failure.deployment.id)
  return { kind: 'again', failure }
}

function capReached(step: Step, failures: readonly AttemptFailure[]): AttemptsEnd {
  decide(step, {
    stage: 'attempt',
    choice: 'stop',
    reason: `all ${attemptsMax(step.task)} attempts of the task are used`,
  })
  return failures.length === 0
    ? { kind: 'short', limit: 'modelCalls', ceiling: null }
    : { kind: 'failed', failures }
}

function noteFallback(step: Step, model: ModelEntry | undefined, failures: readonly AttemptFailure[]): void {
  if (model === undefined) return
  decide(step, {
    stage: 'attempt',
    choice: `fallback:${model.name}`,
    reason: failures.at(-1)?.end ?? 'no capacity',
  })
}
