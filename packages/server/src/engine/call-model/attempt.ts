// Stage 7, attempt: call a deployment; try again and fall back while the task's cap, its budget and its
// deadline allow. One loop for retries and fallbacks, so that nothing multiplies: every attempt is counted on
// the task, held and settled on its own. Nothing follows an attempt whose first byte the caller has seen.

import { premiumCeilingOf } from '../../core/routing/premium-ceiling.js'
import { isDeploymentFault, isRetryable, isThrottle, retryDelayMs } from '../../core/capacity/retry.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { AttemptRecord } from '../../core/task/records.js'
import type { Answer } from '../answer/answer.js'
import { record } from '../engine.js'
import { sleep } from '../sleep.js'
import { attemptsMax } from '../task-registry.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import type { AttemptFailure } from '../upstream/attempt-failure.js'
import { type AttemptAsk, oneAttempt } from '../upstream/one-attempt.js'
import { prepareBody, tellsLogprobs } from '../upstream/prepare-body.js'
import { whenDone } from '../when-done.js'
import { acquire } from './acquire.js'
import type { HeldAttempt } from './settle.js'
import { type Reservation, type Shortage, answerAsk, hold } from './hold.js'
import { NOTHING } from '../../core/budget/amounts.js'
import type { Problem } from '../../core/parsed.js'
import { imagesWorth } from '../../wire/prompt-size.js'

export interface AttemptPlan {
  /** In order: the model of the route, then those it may fall back to. */
  readonly models: readonly ModelEntry[]
  readonly purpose: AttemptRecord['purpose']
  readonly stream: boolean
  /** The answer has to be judged before the caller sees it. */
  readonly holdBack: boolean
  readonly keep: boolean
  /** Somebody will read what the answer says: a stream is read as it passes. */
  readonly collect: boolean
  /** Ask for log probabilities where the deployment's format has them. */
  readonly logprobs: boolean
  readonly begin: (deployment: Deployment, model: ModelEntry) => void
}

export type AttemptsEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** A limit has no room for the first attempt. */
  | (Pick<Shortage, 'limit' | 'ceiling'> & { readonly kind: 'short' })
  /** The provider refused the request itself: another attempt would be refused too. */
  | { readonly kind: 'rejected'; readonly failure: AttemptFailure }
  /** The request cannot be said in the format of any deployment. */
  | { readonly kind: 'inexpressible'; readonly problems: readonly Problem[] }
  | { readonly kind: 'failed'; readonly failures: readonly AttemptFailure[] }
  | { readonly kind: 'no-capacity'; readonly waitMs: number }
  | { readonly kind: 'caller-left' }

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
  let unused: Deployment | null = null
  let isSettled = false
  try {
    const place = acquire(step, ask)
    const acquired = place instanceof Promise ? await place : place
    if (acquired.kind === 'none') return { kind: 'no-capacity', waitMs: acquired.waitMs }
    unused = acquired.deployment
    const ready = prepare(step, ask, { deployment: unused, reservation })
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

interface Place {
  readonly deployment: Deployment
  readonly reservation: Reservation
}

type Ready = { readonly kind: 'ready'; readonly attempt: AttemptAsk }

function prepare(step: Step, { plan, model }: TurnAsk, { deployment, reservation }: Place): Ready | Turn {
  const { release } = step.task
  const config = release.providers.get(deployment.provider)
  const provider = step.engine.provider(release, deployment.provider)
  if (config === undefined || provider === undefined)
    throw new Error(`provider ${deployment.provider} is gone`)
  const { view } = step.request
  const wire = provider.speaks(step.call.wire, deployment.model)
  if (wire === null) {
    const problem = { at: 'model', message: `${deployment.id} is not asked in ${step.call.wire}` }
    return { kind: 'inexpressible', problems: [problem] }
  }
  const logprobs = plan.logprobs && tellsLogprobs(wire)
  const body = prepareBody(step, {
    deployment,
    provider: config,
    wire,
    outputTokens: reservation.outputTokens,
    logprobs,
  })
  if (body.kind === 'invalid') return { kind: 'inexpressible', problems: body.problems }
  const { stream, holdBack, keep, collect, begin } = plan
  const held = heldFor(step, { plan, model, deployment, reservation, simulated: provider.simulated })
  const how = { stream, holdBack, keep, collect, begin, stripLogprobs: logprobs && !view.wantsLogprobs }
  return { kind: 'ready', attempt: { held, provider, config, wire, body: body.value, ...how } }
}

function heldFor(
  step: Step,
  to: Place & { readonly plan: AttemptPlan; readonly model: ModelEntry; readonly simulated: boolean },
): HeldAttempt {
  const { plan, model, deployment, reservation, simulated } = to
  const { view } = step.request
  return {
    reservation,
    number: step.task.attempts + 1,
    purpose: plan.purpose,
    model,
    deployment,
    simulated,
    startedMs: step.engine.system.nowMs(),
    size: { promptBytes: view.promptBytes, images: imagesWorth(view) },
    outputTokensMax: (reservation.outputTokens ?? view.maxOutputTokens ?? Infinity) * view.choices,
  }
}

/**
 * The last look before the request goes out, and the count: nothing is awaited in between, so calls that run
 * at the same time cannot all pass. Returns what stops it, or null.
 */
function claim(step: Step, { model, failures }: TurnAsk): Turn | null {
  const { task, engine } = step
  if (step.caller.gone) return { kind: 'caller-left' }
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

function writeHold(step: Step, held: HeldAttempt): void {
  record(step.engine, {
    kind: 'hold-made',
    id: held.reservation.hold,
    atMs: held.startedMs,
    task: step.task.id,
    step: step.id,
    stepNumber: step.number,
    accounts: held.reservation.accounts,
    amounts: held.reservation.amounts,
    attempt: { id: held.reservation.id, number: held.number, purpose: held.purpose },
    model: held.model.name,
    deployment: held.deployment.id,
    provider: held.deployment.provider,
    tier: held.model.tier,
    priceBook: held.deployment.price?.book ?? null,
    simulated: held.simulated,
  })
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
  if (isThrottle(failure.end)) {
    step.engine.capacity.cool(failure.deployment, failure.retryAfterMs, step.engine.system.nowMs())
  }
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
