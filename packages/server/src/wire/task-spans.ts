// Tasks, steps and attempts written as spans. Prompts, answers, attributes of the caller and texts of the
// application's errors never leave by this way.

import type { Resource } from '../core/budget/amounts.js'
import { inputTotal, outputTotal } from '../core/money/token-counts.js'
import type { AttemptRecord, OutcomeJudged, StepEnded, TaskOpened } from '../core/task/records.js'
import {
  type AttemptKey,
  DECISION_EVENT,
  type DecisionKey,
  type ModelKey,
  NAMES,
  type StepKey,
  type TaskKey,
  asksModel,
  attemptConstants,
  decisionConstants,
  errorType,
  modelConstants,
  operationOf,
  stepConstants,
  taskConstants,
} from './otel-genai.js'
import {
  type SpanPlace,
  type SpanWriter,
  attributesTemplate,
  eventTemplate,
  spanTemplate,
} from './span-writer.js'
import { TemplateMemory } from './template-memory.js'
import { type TaskSpanContext, parseTraceparent, spanIdOf } from './trace-context.js'

/** What a task has used, summed over its steps. */
export type Used = Readonly<Record<Resource, number>>

export class TaskSpans {
  readonly #to: SpanWriter
  readonly #tasks = new TemplateMemory<TaskKey>((key) => spanTemplate(taskConstants(key)))
  readonly #steps = new TemplateMemory<StepKey>((key) => spanTemplate(stepConstants(key)))
  readonly #models = new TemplateMemory<ModelKey>((key) => attributesTemplate(modelConstants(key)))
  readonly #attempts = new TemplateMemory<AttemptKey>((key) => spanTemplate(attemptConstants(key)))
  readonly #decisions = new TemplateMemory<DecisionKey>((key) =>
    eventTemplate(DECISION_EVENT, decisionConstants(key)),
  )

  constructor(to: SpanWriter) {
    this.#to = to
  }

  task(
    task: { readonly opened: TaskOpened; readonly outcome: OutcomeJudged; readonly used: Used },
    context: TaskSpanContext,
  ): void {
    const { opened, outcome, used } = task
    const { contract, release, tenant, atMs: startMs } = opened
    const { status, source, success, harm, sloMet } = outcome
    const { traceId, spanId, parentSpanId } = context
    const endMs = startMs + outcome.latencyMs
    const to = this.#to
    to.begin({ traceId, spanId, parentSpanId, parentIsRemote: parentSpanId !== null, startMs, endMs })
    to.template(this.#tasks.of([contract, release, tenant, status, source, success, harm, sloMet]))
    to.text(NAMES.conversation, opened.session)
    to.text(NAMES.task.id, opened.id)
    to.text(NAMES.task.parent, opened.parent)
    to.number(NAMES.task.score, outcome.score)
    to.count(NAMES.task.unpricedCalls, outcome.unpricedCalls)
    to.number(NAMES.cost, outcome.nanoUsd)
    to.number(NAMES.task.price, outcome.priceNanoUsd)
    writeBudget(to, opened, used)
    to.end()
  }

  /** The span of a step and those of its attempts. `opened` is null when the task is not known any more. */
  step(
    step: StepEnded,
    task: { readonly context: TaskSpanContext; readonly opened: TaskOpened | null },
  ): void {
    const { context, opened } = task
    const { attempts, startedMs: startMs } = step
    const spanId = spanIdOf(step.id)
    const { traceId, spanId: parentSpanId } = context
    const endMs = startMs + step.durationMs
    const operation = operationOf(step)
    const model = asksModel(operation) ? requestModel(step) : null
    const subject = asksModel(operation) ? (model ?? '') : step.name
    const to = this.#to
    to.begin({ traceId, spanId, parentSpanId, parentIsRemote: false, startMs, endMs })
    to.template(
      this.#steps.of([
        operation,
        step.step,
        subject,
        errorType(step),
        opened?.contract ?? null,
        opened?.release ?? null,
      ]),
    )
    if (asksModel(operation)) this.#model(step, model)
    to.text(NAMES.conversation, opened?.session ?? null)
    to.text(NAMES.task.id, step.task)
    to.text(NAMES.step.id, step.id)
    to.number(NAMES.step.number, step.number)
    to.number(NAMES.cost, attempts.reduce(addCost, step.otherNanoUsd))
    const caller = parseTraceparent(step.traceparent)
    if (caller !== null && caller.spanId !== context.parent?.spanId) to.link(caller)
    for (const { stage, choice, reason } of step.decisions)
      to.event(this.#decisions.of([stage, choice, reason]), startMs)
    to.end()
    for (const attempt of attempts) this.#attempt(attempt, { traceId, parentSpanId: spanId })
  }

  #model(step: StepEnded, model: string | null): void {
    const { attempts } = step
    const last = tellingAttempt(attempts)
    const isUnpriced = attempts.some((attempt) => attempt.nanoUsd === null)
    const to = this.#to
    to.template(
      this.#models.of([
        last?.provider ?? null,
        model,
        step.deployment,
        step.route,
        step.tier,
        step.cache,
        step.finishReason,
        isUnpriced ? 'unknown' : (last?.basis ?? null),
        last?.priceBook ?? null,
        step.streamed,
        step.escalated,
        last?.simulated === true,
      ]),
    )
    if (step.streamed && step.firstByteMs !== null)
      to.number(NAMES.step.firstChunkSeconds, step.firstByteMs / 1_000)
    if (step.degraded.length > 0) to.texts(NAMES.step.degradeRungs, step.degraded)
    to.number(NAMES.step.cacheAgeMs, step.cacheAgeMs)
    to.count(NAMES.step.unknownRules, step.unknownRules.length)
    to.text(NAMES.step.promptHash, step.promptHash)
    if (attempts.length > 0) writeUsage(to, attempts)
  }

  #attempt(attempt: AttemptRecord, step: Pick<SpanPlace, 'traceId' | 'parentSpanId'>): void {
    const { startedMs: startMs, tokens, deployment, end, status, purpose, basis } = attempt
    const { traceId, parentSpanId } = step
    const spanId = spanIdOf(attempt.id)
    const endMs = startMs + attempt.durationMs
    const to = this.#to
    to.begin({ traceId, spanId, parentSpanId, parentIsRemote: false, startMs, endMs })
    const isDisputed = attempt.disputed !== undefined
    to.template(this.#attempts.of([deployment, end, status, purpose, basis, isDisputed]))
    to.text(NAMES.attempt.id, attempt.id)
    to.number(NAMES.attempt.number, attempt.number)
    to.number(NAMES.attempt.firstByteMs, attempt.firstByteMs)
    to.number(NAMES.attempt.input, inputTotal(tokens))
    to.number(NAMES.attempt.output, outputTotal(tokens))
    to.number(NAMES.cost, attempt.nanoUsd)
    if (attempt.nanoUsd === null) to.number(NAMES.attempt.charged, attempt.chargedNanoUsd)
    to.end()
  }
}

/** A step that failed has no model that answered; what it asked last is what it was about. */
function requestModel(step: StepEnded): string | null {
  return step.model ?? step.attempts.at(-1)?.model ?? null
}

const ANSWERING: ReadonlySet<AttemptRecord['purpose']> = new Set(['answer', 'hedge'])

/** The one that gave the answer, else the last. */
function tellingAttempt(attempts: readonly AttemptRecord[]): AttemptRecord | undefined {
  return attempts.findLast(({ end, purpose }) => end === 'ok' && ANSWERING.has(purpose)) ?? attempts.at(-1)
}

function addCost(sum: number, attempt: AttemptRecord): number {
  return sum + (attempt.nanoUsd ?? 0)
}

/**
 * Tokens billed, all attempts of the step together: input includes cached ones, output includes reasoning.
 */
function writeUsage(to: SpanWriter, attempts: readonly AttemptRecord[]): void {
  let input = 0
  let output = 0
  let cacheRead = 0
  let cacheCreation = 0
  let reasoning = 0
  for (const { tokens } of attempts) {
    input += inputTotal(tokens)
    output += outputTotal(tokens)
    cacheRead += tokens.cacheRead
    cacheCreation += tokens.cacheWrite + tokens.cacheWrite1h
    reasoning += tokens.reasoning
  }
  to.number(NAMES.usage.input, input)
  to.number(NAMES.usage.output, output)
  to.count(NAMES.usage.cacheRead, cacheRead)
  to.count(NAMES.usage.cacheCreation, cacheCreation)
  to.count(NAMES.usage.reasoning, reasoning)
}

function writeBudget(to: SpanWriter, { limits, deadlineMs, atMs }: TaskOpened, used: Used): void {
  const { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd, latencyMs } = NAMES.budget
  to.number(modelCalls.limit, limits.modelCalls)
  to.number(modelCalls.spent, used.modelCalls)
  to.number(inputTokens.limit, limits.inputTokens)
  to.number(inputTokens.spent, used.inputTokens)
  to.number(outputTokens.limit, limits.outputTokens)
  to.number(outputTokens.spent, used.outputTokens)
  to.number(toolCalls.limit, limits.toolCalls)
  to.count(toolCalls.spent, used.toolCalls)
  to.number(toolMs.limit, limits.toolMs)
  to.count(toolMs.spent, used.toolMs)
  to.number(nanoUsd.limit, limits.nanoUsd)
  to.number(nanoUsd.spent, used.nanoUsd)
  to.number(latencyMs.limit, deadlineMs - atMs)
}
