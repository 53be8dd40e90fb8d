// Stage 10, record: the step goes into the books, a one-step task ends with it, and the caller gets the last
// bytes once all of that survives the death of this process.

import type { StepEnded, StepKind } from '../../core/task/records.js'
import type { Answer } from '../answer/answer.js'
import { deliver, deliverMade, isSimulated } from '../answer/deliver.js'
import { type MadeAnswer, answerFromCache, refineAnswer } from '../answer/make-answer.js'
import { errorBody } from '../answer/error-body.js'
import { sendRefusal } from '../answer/send-refusal.js'
import { record } from '../engine.js'
import { endTask } from '../outcome.js'
import { type Refusal, refused } from '../refusal.js'
import { keepResponse } from '../responses.js'
import { type Step, decide, keptUntilMs } from '../step-context.js'
import type { Made, StepEnd } from '../step-end.js'
import { readsOutput } from './plan.js'
import { remember } from './recall.js'

export function finish(step: Step, end: StepEnd): Promise<unknown> {
  switch (end.kind) {
    case 'answer':
      return finishAnswer(step, end.answer, end.route)
    case 'made':
      return finishMade(step, end)
    case 'refused':
      return finishRefusal(step, end)
    case 'caller-left':
      return close(step, { answer: null, error: 'caller_left' })
  }
}

async function finishAnswer(step: Step, answer: Answer, route: string): Promise<void> {
  if (answer.kind === 'streamed') noteStreamEnd(step, answer)
  const isShort = isCutShort(answer)
  if (isShort) noteCutShort(step)
  const error = errorOf(step, answer)
  noteAnswer(step, answer, error)
  step.route = step.degraded.length > 0 ? 'degraded' : route
  if (step.call.keeps !== undefined && error === null) keepResponse(step, answer, answer.deployment)
  if (!(await close(step, { answer, error }))) return
  const tail = deliver(step, answer, step.route)
  if (error === null && !isShort) remember(step, answer, tail)
}

/**
 * A stream that was cut is a partial result where the contract plans for one, and an error where it does not.
 */
function noteStreamEnd(step: Step, { end, scanner }: Answer & { kind: 'streamed' }): void {
  if (end.kind !== 'cut') return
  const { deltas } = scanner.facts
  decide(step, { stage: 'settle', choice: 'cut', reason: `${end.by} reached`, inputs: { deltas } })
  if (deltas > 0) takePartialResult(step)
}

/**
 * Complete in the provider's eyes, and yet shorter than the caller wanted: the budget gave it no more tokens.
 */
function isCutShort(answer: Answer): boolean {
  const isComplete = answer.kind === 'whole' || answer.end.kind === 'complete'
  return isComplete && answer.shrunk && rawFinishOf(answer) === 'length'
}

function noteCutShort(step: Step): void {
  decide(step, { stage: 'settle', choice: 'cut short', reason: 'the budget had no more output tokens' })
  takePartialResult(step)
}

function takePartialResult({ task, degraded }: Step): void {
  if (task.contract.degrade.includes('partial_result')) degraded.push('partial_result')
}

function errorOf(step: Step, answer: Answer): string | null {
  if (answer.kind === 'whole' || answer.end.kind === 'complete' || isPartial(step)) return null
  switch (answer.end.kind) {
    case 'failed':
      return answer.end.end
    case 'caller-left':
      return 'caller_left'
    case 'cut':
      return 'cut'
  }
}

const isPartial = (step: Step) => step.degraded.includes('partial_result')

function noteAnswer(step: Step, answer: Answer, error: string | null): void {
  const { task } = step
  const facts = readsOutput(step) ? answer.facts() : null
  const given = {
    text: facts?.text ?? '',
    finishReason: finishOf(step, answer),
    toolCalls: facts?.toolCalls ?? [],
    jsonSchema: step.call.view.jsonSchema,
    refined: false,
  }
  task.answer = error === null ? given : null
  task.signals = step.signals
}

function finishOf(step: Step, answer: Answer): string | null {
  return isPartial(step) ? 'length' : rawFinishOf(answer)
}

function rawFinishOf(answer: Answer): string | null {
  return answer.kind === 'whole' ? answer.facts().finishReason : answer.scanner.facts.finishReason
}

async function finishMade(step: Step, made: Made): Promise<void> {
  const answer = made.cached === null ? null : answerFromCache(step, made.cached)
  const given: MadeAnswer = answer ?? refineAnswer(step)
  const { task } = step
  const isRefine = answer === null
  task.answer = {
    text: given.text,
    finishReason: given.finishReason,
    toolCalls: [],
    jsonSchema: step.call.view.jsonSchema,
    refined: isRefine,
  }
  const model = task.release.models.get(made.cached?.model ?? '') ?? null
  const deployment = model?.deployments.find((each) => each.id === made.cached?.deployment) ?? null
  if (step.call.keeps !== undefined) keepResponse(step, given, deployment)
  if (!(await close(step, { answer: null, error: null }))) return
  const simulated = deployment !== null && isSimulated(step, deployment)
  deliverMade(step, given, { route: step.route ?? 'default', model, deployment, simulated })
}

/** Refused calls of a task that get a step of their own; the trace of a runaway agent says enough by then. */
const REFUSED_STEPS_MAX = 20

/** The rest is only counted (`sendRefusal` does): whoever goes on asking in vain must not fill the books. */
async function finishRefusal(step: Step, refusal: Refusal): Promise<void> {
  const { task } = step
  const isCounted = step.attempts.length === 0 && !task.oneStep && task.refusedSteps >= REFUSED_STEPS_MAX
  task.refusedSteps += 1
  if (isCounted) step.isClosed = true
  else if (!(await close(step, { answer: null, error: refusal.code }))) return
  sendRefusal(step.engine, step.call, { caller: step.caller, refusal, step })
}

/**
 * Writes the step and, for a one-step task, its outcome. false when the books cannot take it: then nobody is
 * told that there is an answer, because nobody could say later what it cost.
 */
function close(
  step: Step,
  end: { readonly answer: Answer | null; readonly error: string | null },
): Promise<boolean> {
  const { engine, task } = step
  step.isClosed = true
  for (const rung of step.degraded) task.degraded.push(rung)
  if (step.escalatedBy !== null) task.escalated = true
  writeStep(step, { kind: 'model', name: step.call.wire, answer: end.answer, error: end.error })
  if (task.oneStep) endTask(engine, task, { source: 'contract', verdict: null })
  return engine.books.durable().then(isWritten, () => giveUp(step))
}

const isWritten = (): boolean => true

function giveUp(step: Step): boolean {
  breakOff(step, refused('store.unavailable', 'The books cannot be written.', { task: step.task.id }))
  return false
}

/** Something of ours threw: the step is still written down, and the caller still told. */
export async function finishFault(step: Step): Promise<void> {
  let isTold = false
  try {
    if (!step.isClosed) isTold = !(await close(step, { answer: null, error: 'internal.error' }))
  } finally {
    if (!isTold) tellFault(step)
  }
}

function tellFault(step: Step): void {
  breakOff(step, refused('internal.error', 'A fault of Spillway itself.', { task: step.task.id }))
}

/** After the first byte an error is said in band, and no end marker follows it. */
function breakOff(step: Step, refusal: Refusal): void {
  const { caller, engine, call } = step
  if (caller.begun) caller.end(step.format.errorFrame(errorBody(call, refusal), step.scanner))
  else sendRefusal(engine, call, { caller, refusal, step })
}

export function writeStep(
  step: Step,
  end: { kind: StepKind; name: string; answer: Answer | null; error: string | null },
): void {
  const { engine, task, call } = step
  const nowMs = engine.system.nowMs()
  task.lastStepEndedMs = nowMs
  const { answer } = end
  const entry: StepEnded = {
    kind: 'step-ended',
    task: task.id,
    id: step.id,
    number: step.number,
    step: end.kind,
    name: end.name,
    startedMs: step.startedMs,
    durationMs: nowMs - step.startedMs,
    firstByteMs: step.attempts.findLast((sent) => sent.end !== 'hedge_lost')?.firstByteMs ?? null,
    route: step.route,
    model: answer?.model.name ?? null,
    deployment: answer?.deployment.id ?? null,
    tier: answer?.model.tier ?? null,
    cache: step.cache,
    cacheAgeMs: step.cacheAgeMs,
    degraded: step.degraded,
    escalated: step.escalatedBy !== null,
    streamed: call.view.stream,
    unknownRules: step.unknownRules,
    attempts: step.attempts,
    decisions: step.decisions,
    promptHash: engine.system.sha256(call.body),
    otherNanoUsd: 0,
    toolMs: 0,
    error: end.error,
    content: saveContent(step, answer),
    finishReason: answer === null ? null : finishOf(step, answer),
    traceparent: call.traceparent,
  }
  record(engine, entry)
}

/** Prompts and answers are kept only where the contract says so, and no longer than it says. */
function saveContent(step: Step, answer: Answer | null): string | null {
  const { engine, task } = step
  if (task.contract.record !== 'content') return null
  const request = Buffer.from(step.call.body).toString('utf8')
  const text = JSON.stringify({
    request: JSON.parse(request) as unknown,
    answer: answer === null ? null : answer.facts().text,
  })
  return engine.books.saveContent({ task: task.id, text, deleteAfterMs: keptUntilMs(step) })
}
