// Stage 7, attempt: call a deployment; try again and fall back while the task's cap, its budget and its deadline
// allow. One loop for retries and fallbacks, so that nothing multiplies: every attempt is counted on the task, held
// and settled on its own. Nothing follows an attempt whose first byte the caller has seen.

import { isDeploymentFault, isRetryable, retryDelayMs } from '../../core/capacity/retry.js'
import type { LimitName } from '../../core/budget/amounts.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { AttemptRecord } from '../../core/task/records.js'
import type { Answer } from '../answer/answer.js'
import { sleep } from '../sleep.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import { type AttemptFailure, oneAttempt } from '../upstream/one-attempt.js'
import { prepareBody } from '../upstream/prepare-body.js'
import { acquire } from './acquire.js'
import { type Reservation, answerAsk, hold } from './hold.js'
import { NOTHING } from '../../core/budget/amounts.js'
import type { Problem } from '../../core/parsed.js'

export interface AttemptPlan {
  /** In order: the model of the route, then those it may fall back to. */
  readonly models: readonly ModelEntry[]
  readonly purpose: AttemptRecord['purpose']
  readonly stream: boolean
  /** The answer has to be judged before the caller sees it. */
  readonly holdBack: boolean
  readonly keep: boolean
  /** Ask for log probabilities where the deployment's format has them. */
  readonly logprobs: boolean
  begin(deployment: Deployment, model: ModelEntry): void
}

export type AttemptsEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** A limit has no room for another attempt. */
  | { readonly kind: 'short'; readonly limit: LimitName; readonly ceiling: boolean; readonly failures: readonly AttemptFailure[] }
  /** The provider refused the request itself: another attempt would be refused too. */
  | { readonly kind: 'rejected'; readonly failure: AttemptFailure }
  /** The request cannot be said in the format of any deployment. */
  | { readonly kind: 'inexpressible'; readonly problems: readonly Problem[] }
  | { readonly kind: 'failed'; readonly failures: readonly AttemptFailure[] }
  | { readonly kind: 'no-capacity'; readonly waitMs: number }
  | { readonly kind: 'caller-left' }

type Turn = AttemptsEnd | { readonly kind: 'again'; readonly failure: AttemptFailure }

/** Tries of one model before the next in line gets its turn. The last in line goes on to the task's cap. */
const TRIES_PER_MODEL = 2

export async function attempt(step: Step, plan: AttemptPlan): Promise<AttemptsEnd> {
  const failures: AttemptFailure[] = []
  const avoid = new Set<string>()
  for (const [index, model] of plan.models.entries()) {
    const isLast = index === plan.models.length - 1
    for (let tries = 0; isLast || tries < TRIES_PER_MODEL; tries++) {
      if (step.task.attempts >= step.task.contract.maxAttempts) return capReached(step, failures)
      const turn = await takeTurn(step, { plan, model, avoid, failures })
      if (turn.kind === 'again') {
        failures.push(turn.failure)
        continue
      }
      const isNextWorthIt = turn.kind === 'no-capacity' || turn.kind === 'inexpressible'
      if (isNextWorthIt && !isLast) break
      if (turn.kind === 'no-capacity' && failures.length > 0) return { kind: 'failed', failures }
      return turn
    }
    if (!isLast) noteFallback(step, plan.models[index + 1], failures)
  }
  return { kind: 'failed', failures }
}

interface TurnAsk {
  readonly plan: AttemptPlan
  readonly model: ModelEntry
  readonly avoid: Set<string>
  readonly failures: readonly AttemptFailure[]
}

async function takeTurn(step: Step, ask: TurnAsk): Promise<Turn> {
  const { model, avoid, failures } = ask
  const waited = await waitForTurn(step, failures)
  if (waited !== null) return waited
  const held = await hold(step, answerAsk(step, { model, request: step.request }))
  if (held.kind === 'short') return { kind: 'short', limit: held.limit, ceiling: held.ceiling, failures }
  const acquired = await acquire(step, model, avoid)
  if (acquired.kind === 'none') {
    await step.engine.ledger.settle(held.reservation.hold, NOTHING)
    return { kind: 'no-capacity', waitMs: acquired.waitMs }
  }
  return send(step, { ...ask, deployment: acquired.deployment, reservation: held.reservation })
}

async function send(
  step: Step,
  ask: TurnAsk & { readonly deployment: Deployment; readonly reservation: Reservation },
): Promise<Turn> {
  const { plan, model, deployment, reservation, avoid } = ask
  const { engine, task } = step
  const config = task.release.providers.get(deployment.provider)
  const provider = engine.provider(task.release, deployment.provider)
  if (config === undefined || provider === undefined) throw new Error(`provider ${deployment.provider} is gone`)
  const isEmbedding = step.call.wire === 'openai-embeddings'
  const wire = isEmbedding ? step.call.wire : provider.simulated ? step.call.wire : provider.chatWire
  const logprobs = plan.logprobs && wire === 'openai-chat'
  const body = prepareBody(step, { deployment, provider: config, wire, outputTokens: reservation.outputTokens, logprobs })
  if (body.kind === 'invalid') {
    await engine.ledger.settle(reservation.hold, NOTHING)
    return { kind: 'inexpressible', problems: body.problems }
  }
  task.attempts += 1
  const startedMs = engine.system.nowMs()
  engine.capacity.start(deployment)
  engine.premiumShare.count(task.contract.name, model.tier === 'premium')
  const { view } = step.request
  const end = await oneAttempt(step, {
    held: {
      ...reservation,
      number: task.attempts,
      purpose: plan.purpose,
      model,
      deployment,
      simulated: provider.simulated,
      startedMs,
      size: { promptBytes: view.promptBytes, images: view.imageCount },
      outputTokensMax: (reservation.outputTokens ?? view.maxOutputTokens ?? Infinity) * view.choices,
    },
    provider,
    config,
    wire,
    body: body.value,
    stream: plan.stream,
    holdBack: plan.holdBack,
    keep: plan.keep,
    stripLogprobs: logprobs && !view.wantsLogprobs,
    begin: plan.begin,
  })
  const durationMs = engine.system.nowMs() - startedMs
  engine.capacity.end(deployment, { ok: end.kind === 'answered', end: end.kind === 'answered' ? 'ok' : end.failure.end, durationMs })
  return end.kind === 'answered' ? end : judgeFailure(step, end.failure, avoid)
}

function judgeFailure(step: Step, failure: AttemptFailure, avoid: Set<string>): Turn {
  decide(step, { stage: 'attempt', choice: 'failed', reason: failure.end, inputs: { deployment: failure.deployment.id } })
  if (failure.end === 'caller_left') return { kind: 'caller-left' }
  if (failure.status === 429 || failure.status === 503 || failure.status === 529) {
    step.engine.capacity.cool(failure.deployment, failure.retryAfterMs, step.engine.system.nowMs())
  }
  if (isDeploymentFault(failure.end)) avoid.add(failure.deployment.id)
  else if (failure.shouldRetry !== true && !isRetryable(failure.end)) return { kind: 'rejected', failure }
  return { kind: 'again', failure }
}

/** The pause before a retry. A wait that does not fit into the deadline is not begun. */
async function waitForTurn(step: Step, failures: readonly AttemptFailure[]): Promise<Turn | null> {
  const last = failures.at(-1)
  if (last === undefined) return null
  const { system } = step.engine
  const delayMs = retryDelayMs({ attempt: failures.length, retryAfterMs: null, random: system.random() })
  if (delayMs >= timeLeftMs(step)) return { kind: 'failed', failures }
  decide(step, { stage: 'attempt', choice: 'retry', reason: last.end, inputs: { delayMs: Math.round(delayMs) } })
  await sleep(system, delayMs)
  return step.caller.gone && step.request.view.stream ? { kind: 'caller-left' } : null
}

function capReached(step: Step, failures: readonly AttemptFailure[]): AttemptsEnd {
  const { maxAttempts } = step.task.contract
  decide(step, { stage: 'attempt', choice: 'stop', reason: `all ${maxAttempts} attempts of the task are used` })
  return failures.length === 0 ? { kind: 'short', limit: 'modelCalls', ceiling: false, failures } : { kind: 'failed', failures }
}

function noteFallback(step: Step, model: ModelEntry | undefined, failures: readonly AttemptFailure[]): void {
  if (model === undefined) return
  decide(step, { stage: 'attempt', choice: `fallback:${model.name}`, reason: failures.at(-1)?.end ?? 'no capacity' })
}
