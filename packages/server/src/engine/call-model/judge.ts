// Stage 8, judge: the signals a rule needs are made from the answer, and the rules say whether it is good
// enough. A signal that takes calls of its own (a judge, more samples) pays for them from the same task.

import { chooseEscalation } from '../../core/routing/choose-escalation.js'
import { confidenceFromOutput, parseGrade, selfConsistency } from '../../core/routing/confidence.js'
import type { SignalSource } from '../../core/release/release.js'
import type { Answer } from '../answer/answer.js'
import { attributesOf, factsAfter } from '../facts-of-step.js'
import { askJudge, drawSamples } from '../signal-calls.js'
import { type Step, decide } from '../step-context.js'
import { type Plan, premiumUse } from './plan.js'

export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'escalate'; readonly index: number; readonly model: string }

const ACCEPT: Verdict = { kind: 'accept' }

export function judge(step: Step, plan: Plan, answer: Answer): Verdict | Promise<Verdict> {
  // Nobody waits for a better answer, or the first one is on its way already.
  const isAccepted = !plan.holdBack || answer.kind === 'streamed' || step.caller.gone
  return isAccepted ? ACCEPT : judgeHeld(step, plan, answer)
}

async function judgeHeld(step: Step, plan: Plan, answer: Answer): Promise<Verdict> {
  await makeSignals(step, plan, answer)
  const { contract, release } = step.task
  const choice = chooseEscalation({
    route: contract.route,
    models: release.models,
    premiumUse: premiumUse(step),
    facts: factsAfter(step),
    current: answer.model.name,
    tried: step.tried,
  })
  step.unknownRules.push(...choice.unknownRules)
  const named = choice.kind === 'accept' ? 'accept' : `escalate:${choice.model}`
  decide(step, { stage: 'judge', choice: named, reason: choice.reason, inputs: { ...step.signals } })
  return choice.kind === 'accept'
    ? ACCEPT
    : { kind: 'escalate', index: choice.ruleIndex, model: choice.model }
}

async function makeSignals(step: Step, plan: Plan, answer: Answer): Promise<void> {
  for (const [name, source] of Object.entries(step.task.contract.signals)) {
    if (!plan.signals.includes(name)) continue
    const value = await signalOf(step, [name, source], { plan, answer })
    if (value === null) delete step.signals[name]
    else step.signals[name] = value
  }
}

async function signalOf(
  step: Step,
  [name, source]: readonly [string, SignalSource],
  from: { readonly plan: Plan; readonly answer: Answer },
): Promise<unknown> {
  const { plan, answer } = from
  const { text, meanTokenProbability } = answer.facts()
  switch (source.from) {
    case 'logprobs':
      return meanTokenProbability
    case 'output':
      return confidenceFromOutput(text, source.path)
    case 'judge': {
      const grade = await askJudge(step, { model: source.model, answer: text })
      return grade === null ? null : parseGrade(grade)
    }
    case 'self_consistency': {
      const samples = await drawSamples(step, { plan, count: source.samples - 1 })
      return samples.length === 0 ? null : selfConsistency([text, ...samples])
    }
    case 'attribute':
      return attributesOf(step)[name] ?? null
  }
}
