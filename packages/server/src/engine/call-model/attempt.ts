// Stage 7, attempt: call a deployment; try again and fall back while the task's cap, its budget and its
// deadline allow. One loop for retries and fallbacks, so that nothing multiplies: every attempt is counted on
// the task, held and settled on its own. Nothing follows an attempt whose first byte the caller has seen.

import { premiumCeilingOf } from '../../core/routing/premium-ceiling.js'
import { isDeploymentFault, isRetryable, retryDelayMs } from '../../core/capacity/retry.js'
import type { ModelEntry } from '../../core/release/release.js'
import type { Answer } from '../answer/answer.js'
import { demandOf } from '../demand-of.js'
import { sleep } from '../sleep.js'
import { attemptsMax } from '../task-registry.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import type { AttemptFailure } from '../upstream/attempt-failure.js'
import { oneAttempt } from '../upstream/one-attempt.js'
import { type AttemptPlan, prepareAttempt, writeHold } from '../upstream/prepare-attempt.js'
import { whenDone } from '../when-done.js'
import type { Place } from '../capacity/deployment-state.js'
import { acquire } from './acquire.js'
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
      const taking = takeTurn(step, { plan, model, avoid, failures, hasNext: !isLast })
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
  readonly failures: readonly AttemptFailure[]
  readonly hasNext: boolean
}

function takeTurn(step: Step, ask: TurnAsk): Turn | Promise<Turn> {
  return ask.failures.length === 0 ? holdAndSend(step, ask) : retry(step, ask)
}

async function retry(step: Step, ask: TurnAsk): Promise<Turn> {
  return (await waitForTurn(step, ask.failures)) ?? holdAndSend(step, ask)
}

function holdAndSend(step: Step, ask: TurnAsk): Turn | Promise<Turn> {
  const held = hold(step, answerAsk(step, { model: ask.model, request: step.request }))
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
  try {
    const { model, avoid, hasNext } = ask
    const demand = demandOf(step, model, reservation)
    const acquiring = acquire(step, { model, avoid, hasNext, demand })
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
    unused = null
    const end = await oneAttempt(step, ready.attempt)
    isSettled = true
    return end.kind === 'answered' ? end : judgeFailure(step, end.failure, ask.avoid)
  } finally {
    if (unused !== null) capacity.giveBack(unused)
    if (!isSettled) await ledger.settle(reservation.hold, NOTHING)
  }
}

/**
 * The last look before the request goes out, and the count: nothing is awaited in between, so calls that run
 * at the same time cannot all pass. Returns what stops it, or null.
 */
function claim(step: Step, { model, failures }: TurnAsk): Turn | null {
  const { task, engine } = step
  if (step.caller.gone) return { kind: 'caller-left' }
  // Waiting for the hold or for a place may have used up the time.
  if (timeLeftMs(step) <= 0) return { kind: 'short', limit: 'latencyMs', ceiling: null }
  if (isCapReached(step)) return capReached(step, failures)
  if (!step.attempts.some((earlier) => earlier.model === model.name)) {
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
  task.attempts += 1
  return null
}

function judgeFailure(step: Step, failure: AttemptFailure, avoid: string[]): Turn {
  decide(step, {
    stage: 'attempt',
    choice: 'failed',
    reason: failure.end,
    inputs: {
      deployment: failure.deployment.id,
      ...(failure.detail === null ? {} : { detail: failure.detail }),
    },
  })
  if (failure.end === 'caller_left') return { kind: 'caller-left' }
  const isFault = isDeploymentFault(failure.end)
  if (!isFault && failure.shouldRetry !== true && !isRetryable(failure.end))
    return { kind: 'rejected', failure }
  if (isFault || failure.shouldRetry === false) avoid.push(failure.deployment.id)
  return { kind: 'again', failure }
}

/** The pause before a retry. A wait that does not fit into the deadline is not begun. */
async function waitForTurn(step: Step, failures: readonly AttemptFailure[]): Promise<Turn | null> {
  const last = failures.at(-1)
  if (last === undefined) return null
  const { system } = step.engine
  const delayMs = retryDelayMs({ attempt: failures.length, retryAfterMs: null, random: system.random() })
  if (delayMs >= timeLeftMs(step)) return { kind: 'failed', failures }
  decide(step, {
    stage: 'attempt',
    choice: 'retry',
    reason: last.end,
    inputs: { delayMs: Math.round(delayMs) },
  })
  await sleep(system, delayMs)
  return step.caller.gone ? { kind: 'caller-left' } : null
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
