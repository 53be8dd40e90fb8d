// The life of a model call: this list is the table of contents of `call-model/`. The plan is followed until
// an answer is good enough; every turn of the loop takes a rung of the ladder or a step up the route, so it
// ends.

import { type AttemptsEnd, attempt } from './call-model/attempt.js'
import { admit, leave } from './call-model/admit.js'
import { judge } from './call-model/judge.js'
import { type Plan, containedPlan, escalatedPlan, plan } from './call-model/plan.js'
import { recall } from './call-model/recall.js'
import { finish, finishFault } from './call-model/record.js'
import { screen } from './call-model/screen.js'
import type { Answer } from './answer/answer.js'
import { beginStream } from './answer/deliver.js'
import { sendRefusal } from './answer/send-refusal.js'
import { isContextLengthEnd } from '../core/budget/ladder.js'
import type { Problem } from '../core/parsed.js'
import type { ModelEntry } from '../core/release/release.js'
import { type Trigger, degrade } from './degrade.js'
import type { Engine } from './engine.js'
import type { Caller } from './ports.js'
import { type Refusal, refused } from './refusal.js'
import { type ModelCall, type Step, decide } from './step-context.js'
import type { StepEnd } from './step-end.js'
import type { AttemptFailure } from './upstream/attempt-failure.js'
import type { AttemptPlan } from './upstream/prepare-attempt.js'
import { whenDone } from './when-done.js'

/**
 * Answers one model call, whatever happens: resolves when the caller has everything and the books are
 * written. A fault of ours is told to the caller like any other end, and then thrown.
 */
export async function callModel(engine: Engine, call: ModelCall, caller: Caller): Promise<void> {
  let step: Step | null = null
  try {
    const admitting = admit(engine, call, caller)
    const admitted = admitting instanceof Promise ? await admitting : admitting
    if (admitted.kind === 'refused') return sendRefusal(engine, call, { caller, refusal: admitted })
    step = admitted.step
    const answering = answer(step)
    await finish(step, answering instanceof Promise ? await answering : answering)
  } catch (fault) {
    if (step !== null) await finishFault(step)
    else
      sendRefusal(engine, call, { caller, refusal: refused('internal.error', 'A fault of Spillway itself.') })
    throw fault
  } finally {
    if (step !== null) leave(step)
  }
}

function answer(step: Step): StepEnd | Promise<StepEnd> {
  const screened = screen(step)
  if (screened !== null) return screened
  const planned = plan(step)
  if (planned.kind === 'refused') return planned
  const recalled = recall(step)
  if (recalled !== null) return recalled
  return follow(step, planned)
}

async function follow(step: Step, first: Plan): Promise<StepEnd> {
  let current = first
  for (;;) {
    const end = current.overCeiling ? OVER_CEILING : await attempt(step, attemptsOf(step, current))
    const turning = turnAfter(step, current, end)
    const turn = turning instanceof Promise ? await turning : turning
    if (turn.kind !== 'replan') return turn
    current = turn.plan
  }
}

type Turned = StepEnd | { readonly kind: 'replan'; readonly plan: Plan }

const OVER_CEILING = { kind: 'over-ceiling' } as const

function attemptsOf(step: Step, current: Plan): AttemptPlan {
  const { models, holdBack, keep, collect, logprobs } = current
  return {
    models,
    purpose: 'answer',
    stream: step.request.view.stream,
    holdBack,
    keep,
    collect,
    logprobs,
    begin: (deployment, model) => beginStream(step, { route: routeTo(model, current), deployment, model }),
  }
}

function turnAfter(
  step: Step,
  current: Plan,
  end: AttemptsEnd | typeof OVER_CEILING,
): Turned | Promise<Turned> {
  switch (end.kind) {
    case 'over-ceiling':
      return fall(step, current, { kind: 'ceiling', limit: 'nanoUsd' })
    case 'answered':
      return judged(step, current, end.answer)
    case 'caller-left':
      return end
    case 'rejected':
      return rejected(step, current, end.failure)
    case 'inexpressible':
      return keepWeaker(step, 'inexpressible') ?? inexpressible(step, end.problems)
    case 'short':
      return short(step, current, end)
    case 'failed':
      return fall(step, current, {
        kind: 'upstream',
        end: end.failures.at(-1)?.end ?? 'failed',
        failures: end.failures,
      })
    case 'no-capacity':
      return fall(step, current, { kind: 'capacity', isShed: end.isShed, waitMs: end.waitMs })
  }
}

function judged(step: Step, current: Plan, answered: Answer): Turned | Promise<Turned> {
  if (answered.kind === 'held' && answered.end.kind === 'cut') {
    const limit = answered.end.by === 'deadline' ? 'latencyMs' : 'outputTokens'
    return fall(step, current, { kind: 'budget', limit, partial: answered })
  }
  return whenDone(judge(step, current, answered), (verdict): Turned => {
    if (verdict.kind === 'accept')
      return { kind: 'answer', answer: answered, route: routeTo(answered.model, current) }
    step.tried.push(answered.model.name)
    step.fallbackAnswer = answered
    step.escalatedBy = verdict.index
    return { kind: 'replan', plan: escalatedPlan(step, verdict) }
  })
}

/** Another model than the one that was chosen, because that one failed, is a fallback. */
function routeTo(model: ModelEntry, { models, route }: Plan): string {
  return models[0]?.name === model.name ? route : 'fallback'
}

function short(step: Step, current: Plan, end: Extract<AttemptsEnd, { kind: 'short' }>): Turned {
  const contained =
    end.ceiling === 'premium' && step.fallbackAnswer === null ? containedPlan(step, current) : null
  if (contained !== null) return { kind: 'replan', plan: contained }
  return fall(step, current, { kind: end.ceiling === null ? 'budget' : 'ceiling', limit: end.limit })
}

/**
 * A prompt that is too long can be shortened; when it is not, and for all else, the provider's own words are
 * best.
 */
function rejected(step: Step, current: Plan, failure: AttemptFailure): Turned {
  const { end } = failure
  const fallen = isContextLengthEnd(end)
    ? fall(step, current, { kind: 'upstream', end, failures: [failure] })
    : null
  if (fallen !== null && fallen.kind !== 'refused') return fallen
  return keepWeaker(step, end) ?? rejection(step, failure)
}

/** The ladder. A complete answer that was only judged too weak is better than any rung. */
function fall(step: Step, current: Plan, trigger: Trigger): Turned {
  return keepWeaker(step, trigger.kind) ?? degrade(step, current, trigger)
}

function keepWeaker(step: Step, reason: string): StepEnd | null {
  const kept = step.fallbackAnswer
  if (kept === null) return null
  decide(step, {
    stage: 'plan',
    choice: 'keep the weaker answer',
    reason: `the escalation failed: ${reason}`,
  })
  if (step.task.contract.degrade.includes('smaller_model')) step.degraded.push('smaller_model')
  return { kind: 'answer', answer: kept, route: 'degraded' }
}

function inexpressible(step: Step, problems: readonly Problem[]): Refusal {
  const message = 'The request cannot be said in the format of the model that would serve it.'
  return refused('request.invalid', message, { task: step.task.id, problems })
}

function rejection(step: Step, failure: AttemptFailure): Refusal {
  return refused('upstream.rejected', failure.error?.message ?? `The provider answered ${failure.status}.`, {
    task: step.task.id,
    ...(failure.upstream === null ? {} : { upstream: failure.upstream }),
  })
}
