// The life of a model call: this list is the table of contents of `call-model/`. The plan is followed until an
// answer is good enough; every turn of the loop takes a rung of the ladder or a step up the route, so it ends.

import { attempt } from './call-model/attempt.js'
import { type Admitted, admit, leave } from './call-model/admit.js'
import { judge } from './call-model/judge.js'
import { type Plan, escalatedPlan, plan } from './call-model/plan.js'
import { recall } from './call-model/recall.js'
import { finish } from './call-model/record.js'
import { screen } from './call-model/screen.js'
import type { Answer } from './answer/answer.js'
import { beginStream } from './answer/deliver.js'
import { sendRefusal } from './answer/send-refusal.js'
import { type Trigger, degrade } from './degrade.js'
import type { Engine } from './engine.js'
import type { Caller } from './ports.js'
import { type Refusal, refused } from './refusal.js'
import { type ModelCall, type Step, decide } from './step-context.js'
import type { StepEnd } from './step-end.js'
import type { AttemptFailure } from './upstream/one-attempt.js'

/** Answers one model call, whatever happens: resolves when the caller has everything and the books are written. */
export async function callModel(engine: Engine, call: ModelCall, caller: Caller): Promise<void> {
  const admitted = await admit(engine, call, caller)
  if (admitted.kind === 'refused') return sendRefusal(engine, call, { caller, refusal: admitted })
  try {
    await finish(admitted.step, await answer(admitted))
  } finally {
    await leave(admitted.step)
  }
}

async function answer({ step }: Admitted): Promise<StepEnd> {
  const screened = screen(step)
  if (screened !== null) return screened
  const planned = await plan(step)
  if (planned.kind === 'refused') return planned
  const recalled = recall(step)
  if (recalled !== null) return recalled
  return follow(step, planned)
}

async function follow(step: Step, first: Plan): Promise<StepEnd> {
  let current = first
  for (;;) {
    const turn = await takeTurn(step, current)
    if (turn.kind !== 'replan') return turn
    current = turn.plan
  }
}

async function takeTurn(step: Step, current: Plan): Promise<StepEnd | { kind: 'replan'; plan: Plan }> {
  if (current.overCeiling) return fall(step, current, { kind: 'ceiling', limit: 'nanoUsd' })
  const end = await attempt(step, {
    models: current.models,
    purpose: 'answer',
    stream: step.request.view.stream,
    holdBack: current.holdBack,
    keep: current.keep,
    logprobs: current.logprobs,
    begin: (deployment, model) => beginStream(step, { route: current.route, deployment, model }),
  })
  switch (end.kind) {
    case 'answered':
      return judged(step, current, end.answer)
    case 'caller-left':
      return end
    case 'rejected':
      return end.failure.end === 'context_length'
        ? fall(step, current, { kind: 'upstream', end: end.failure.end, failures: [end.failure] })
        : rejected(step, end.failure)
    case 'inexpressible':
      return refused('request.invalid', 'The request cannot be said in the format of the model that would serve it.', {
        task: step.task.id,
        problems: end.problems,
      })
    case 'short':
      return fall(step, current, { kind: end.ceiling ? 'ceiling' : 'budget', limit: end.limit })
    case 'failed':
      return fall(step, current, { kind: 'upstream', end: end.failures.at(-1)?.end ?? 'failed', failures: end.failures })
    case 'no-capacity':
      return fall(step, current, { kind: 'capacity', waitMs: end.waitMs })
  }
}

async function judged(step: Step, current: Plan, answered: Answer): Promise<StepEnd | { kind: 'replan'; plan: Plan }> {
  const verdict = await judge(step, current, answered)
  if (verdict.kind === 'accept') return { kind: 'answer', answer: answered, route: current.route }
  step.tried.push(current.models[0]?.name ?? '')
  step.fallbackAnswer = answered
  step.escalatedBy = verdict.index
  return { kind: 'replan', plan: escalatedPlan(step, verdict) }
}

/** The ladder. A complete answer that was only judged too weak is better than any rung. */
async function fall(step: Step, current: Plan, trigger: Trigger): Promise<StepEnd | { kind: 'replan'; plan: Plan }> {
  const kept = step.fallbackAnswer
  if (kept !== null) {
    decide(step, { stage: 'plan', choice: 'keep the weaker answer', reason: `the escalation failed: ${trigger.kind}` })
    if (step.task.contract.degrade.includes('smaller_model')) step.degraded.push('smaller_model')
    return { kind: 'answer', answer: kept, route: 'degraded' }
  }
  return degrade(step, current, trigger)
}

function rejected(step: Step, failure: AttemptFailure): Refusal {
  return refused('upstream.rejected', failure.error?.message ?? `The provider answered ${failure.status}.`, {
    task: step.task.id,
    ...(failure.upstream === null ? {} : { upstream: failure.upstream }),
  })
}
