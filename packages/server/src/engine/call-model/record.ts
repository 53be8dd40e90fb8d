// Stage 10, record: the step goes into the books, a one-step task ends with it, and the caller gets the last bytes
// once all of that survives the death of this process.

import type { StepEnded, StepKind } from '../../core/task/records.js'
import type { Answer } from '../answer/answer.js'
import { deliver, deliverMade, isSimulated } from '../answer/deliver.js'
import { type MadeAnswer, answerFromCache, refineAnswer } from '../answer/make-answer.js'
import { sendRefusal } from '../answer/send-refusal.js'
import { record } from '../engine.js'
import { endTask } from '../outcome.js'
import { type Refusal, refused } from '../refusal.js'
import { type Step, decide } from '../step-context.js'
import type { Made, StepEnd } from '../step-end.js'
import { keyOf, remember } from './recall.js'

export async function finish(step: Step, end: StepEnd): Promise<void> {
  switch (end.kind) {
    case 'answer':
      return finishAnswer(step, end.answer, end.route)
    case 'made':
      return finishMade(step, end)
    case 'refused':
      return finishRefusal(step, end)
    case 'caller-left':
      await close(step, { answer: null, error: 'caller_left' })
  }
}

async function finishAnswer(step: Step, answer: Answer, route: string): Promise<void> {
  if (answer.kind === 'streamed') noteStreamEnd(step, answer)
  noteAnswer(step, answer)
  const used = step.attempts.findLast((attempt) => attempt.purpose === 'answer' && attempt.end === 'ok')
  const isFallback = step.degraded.length === 0 && used !== undefined && route === 'default' && wasFallback(step, answer)
  const shown = isFallback ? 'fallback' : step.degraded.length > 0 ? 'degraded' : route
  step.route = shown
  const error = answer.kind === 'streamed' && answer.end.kind !== 'complete' ? errorOf(answer) : null
  if (!(await close(step, { answer, error }))) return
  await deliver(step, answer, shown)
  if (error === null) remember(step, answer)
}

/** Another model than the one the plan began with, because that one failed. */
function wasFallback(step: Step, answer: Answer): boolean {
  const chosen = step.decisions.find((decision) => decision.stage === 'plan')?.choice
  return chosen !== undefined && step.tried.length === 0 && chosen !== answer.model.name
}

function errorOf(answer: Answer & { kind: 'streamed' }): string {
  return answer.end.kind === 'failed' ? answer.end.end : answer.end.kind
}

/** A stream that was cut is a partial result where the contract plans for one, and an error where it does not. */
function noteStreamEnd(step: Step, answer: Answer & { kind: 'streamed' }): void {
  if (answer.end.kind !== 'cut') return
  decide(step, { stage: 'settle', choice: 'cut', reason: `${answer.end.by} reached`, inputs: { deltas: answer.scanner.facts.deltas } })
  if (step.task.contract.degrade.includes('partial_result')) step.degraded.push('partial_result')
}

function noteAnswer(step: Step, answer: Answer): void {
  const { task } = step
  const reads = [...task.contract.success, ...task.contract.harm].some(({ reads: names }) => names.length > 0)
  const facts = reads ? answer.facts() : null
  task.answer = {
    text: facts?.text ?? '',
    finishReason: facts?.finishReason ?? finishOf(answer),
    toolCalls: facts?.toolCalls ?? [],
    jsonSchema: step.call.view.jsonSchema,
    refined: false,
  }
  if (answer.kind === 'streamed' && answer.end.kind !== 'complete' && answer.end.kind !== 'cut') task.answer = null
  task.signals = { ...step.signals }
}

function finishOf(answer: Answer): string | null {
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
  if (!(await close(step, { answer: null, error: null }))) return
  const model = task.release.models.get(made.cached?.model ?? '') ?? null
  const deployment = model?.deployments.find((each) => each.id === made.cached?.deployment) ?? null
  const simulated = deployment !== null && isSimulated(step, deployment)
  await deliverMade(step, given, { route: step.route ?? 'default', model, deployment, simulated })
}

async function finishRefusal(step: Step, refusal: Refusal): Promise<void> {
  if (!(await close(step, { answer: null, error: refusal.code }))) return
  sendRefusal(step.engine, step.call, { caller: step.caller, refusal, step })
}

/**
 * Writes the step and, for a one-step task, its outcome. false when the books cannot take it: then nobody is told
 * that there is an answer, because nobody could say later what it cost.
 */
async function close(step: Step, end: { readonly answer: Answer | null; readonly error: string | null }): Promise<boolean> {
  const { engine, task } = step
  task.degraded.push(...step.degraded)
  if (step.escalatedBy !== null) task.escalated = true
  writeStep(step, { kind: 'model', name: step.call.wire, ...end })
  if (task.oneStep) endTask(engine, task, { source: 'contract', verdict: null })
  try {
    await engine.books.durable()
    return true
  } catch {
    giveUp(step)
    return false
  }
}

function giveUp(step: Step): void {
  const refusal = refused('store.unavailable', 'The books cannot be written.', { task: step.task.id })
  const isBegun = step.caller.begun
  if (!isBegun) sendRefusal(step.engine, step.call, { caller: step.caller, refusal })
  else step.caller.end()
}

export function writeStep(
  step: Step,
  end: { kind: StepKind; name: string; answer: Answer | null; error: string | null },
): void {
  const { engine, task, call } = step
  const nowMs = engine.system.nowMs()
  task.lastStepEndedMs = nowMs
  const { answer } = end
  const last = step.attempts.at(-1)
  const entry: StepEnded = {
    kind: 'step-ended',
    task: task.id,
    id: step.id,
    number: step.number,
    step: end.kind,
    name: end.name,
    startedMs: step.startedMs,
    durationMs: nowMs - step.startedMs,
    firstByteMs: last?.firstByteMs ?? null,
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
    promptHash: keyOf(step),
    otherNanoUsd: 0,
    toolMs: 0,
    error: end.error,
    content: saveContent(step, answer),
    finishReason: answer === null ? null : finishOf(answer),
    traceparent: call.traceparent,
  }
  record(engine, entry)
}

const DAY_MS = 86_400_000

/** Prompts and answers are kept only where the contract says so, and no longer than it says. */
function saveContent(step: Step, answer: Answer | null): string | null {
  const { engine, task } = step
  if (task.contract.record !== 'content') return null
  const request = Buffer.from(step.call.body).toString('utf8')
  const text = JSON.stringify({ request: JSON.parse(request) as unknown, answer: answer === null ? null : answer.facts().text })
  const deleteAfterMs = engine.system.nowMs() + task.contract.retentionDays * DAY_MS
  return engine.books.saveContent({ task: task.id, text, deleteAfterMs })
}
