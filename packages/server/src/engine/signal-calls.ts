// Model calls that make a signal: a judge that grades the answer, samples that agree or not. Each is a step
// of the task with attempts of its own, held and settled like any other.

import { jsonBytes } from './json-bytes.js'
import { judgePrompt } from '../core/routing/confidence.js'
import { modelNamed } from '../core/routing/route-models.js'
import { formatOf } from '../wire/formats.js'
import type { ModelEntry } from '../core/release/release.js'
import type { Answer } from './answer/answer.js'
import { attempt } from './call-model/attempt.js'
import type { AttemptPlan } from './upstream/prepare-attempt.js'
import { newStep } from './call-model/admit.js'
import type { Plan } from './call-model/plan.js'
import { writeStep } from './call-model/record.js'
import type { Caller } from './ports.js'
import { type ModelCall, type Step, decide } from './step-context.js'

/** A grade is a number. */
const GRADE_TOKENS_MAX = 16
/** Longest question or answer shown to a judge, characters. */
const JUDGED_TEXT_MAX = 16_000

/** Nobody waits for a signal's own answer: it never reaches the caller. */
const NOBODY: Caller = {
  begin() {},
  write: () => true,
  end() {},
  onDrain() {},
  onGone() {},
  gone: false,
  begun: false,
}

/** The judge's reply, or null when it could not be asked: then the signal is missing, not guessed. */
export async function askJudge(
  step: Step,
  ask: { readonly model: string; readonly answer: string },
): Promise<string | null> {
  const model = modelNamed(step.task.release.models, ask.model)
  const question = questionOf(step).slice(0, JUDGED_TEXT_MAX)
  const prompt = judgePrompt(question, ask.answer.slice(0, JUDGED_TEXT_MAX))
  const json = {
    model: ask.model,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: GRADE_TOKENS_MAX,
    temperature: 0,
  }
  return sideCall(step, { model, json, wire: 'openai-chat', purpose: 'judge' })
}

/**
 * Texts of further answers to the caller's own question, drawn in parallel; those that fail are left out.
 */
export async function drawSamples(
  step: Step,
  ask: { readonly plan: Plan; readonly count: number },
): Promise<string[]> {
  const model = ask.plan.models[0]
  if (model === undefined || typeof step.request.json !== 'object' || step.request.json === null) return []
  const json = { ...step.request.json, stream: false }
  const calls = Array.from({ length: Math.max(0, ask.count) }, () =>
    sideCall(step, { model, json, wire: step.call.wire, purpose: 'sample' }),
  )
  // All of them are waited for, also when one throws: none may go on spending after the step is over.
  const ends = await Promise.allSettled(calls)
  return ends.flatMap((end) => {
    if (end.status === 'rejected') throw end.reason
    return end.value === null ? [] : [end.value]
  })
}

interface SideCall {
  readonly model: ModelEntry
  readonly json: object
  readonly wire: ModelCall['wire']
  readonly purpose: 'judge' | 'sample'
}

async function sideCall(parent: Step, ask: SideCall): Promise<string | null> {
  const { stream_options: _, ...json } = ask.json as Record<string, unknown>
  const view = formatOf(ask.wire).view(json)
  if (view.kind === 'invalid') return null
  const body = jsonBytes(json)
  const call: ModelCall = { ...parent.call, wire: ask.wire, body, json, view: view.value }
  parent.task.steps += 1
  const step = newStep(parent.engine, { call, caller: NOBODY, task: parent.task })
  let answer: Answer | null = null
  let error: string | null = 'internal.error'
  try {
    const end = await attempt(step, askingOf(ask))
    if (end.kind === 'answered') answer = end.answer
    error = end.kind === 'answered' ? null : end.kind
  } finally {
    // Also when something of ours throws: what was spent is in the books, so the step that spent it is too.
    writeStep(step, { kind: 'check', name: `${ask.purpose}:${ask.model.name}`, answer, error })
  }
  if (error !== null) decide(parent, { stage: 'judge', choice: `no ${ask.purpose}`, reason: error })
  return answer === null ? null : answer.facts().text
}

function askingOf({ model, purpose }: SideCall): AttemptPlan {
  const unseen = { stream: false, holdBack: false, keep: false, collect: false, logprobs: false }
  return { models: [model], purpose, ...unseen, begin() {} }
}

/** What the caller asked: the text of the last user message, as the judge needs it. */
function questionOf(step: Step): string {
  const request = step.format.decodeRequest(step.call.json)
  if (request.kind === 'invalid') return ''
  const asked = request.value.messages.findLast((message) => message.role === 'user')
  return (asked?.parts ?? []).map((part) => (part.kind === 'text' ? part.text : '')).join('\n')
}
