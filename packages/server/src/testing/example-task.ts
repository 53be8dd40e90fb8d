// One task as the books keep it, with everything that can happen in it: an attempt that failed, one that was
// priced, a cache hit, a reported tool, an escalation. Tests of what is shown start from it.

import { NOTHING } from '../core/budget/amounts.js'
import type { AttemptId, HoldId, ReleaseId, StepId, TaskId } from '../core/ids.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import type {
  AttemptRecord,
  HoldSettled,
  OutcomeJudged,
  StepEnded,
  TaskOpened,
} from '../core/task/records.js'
import type { TaskTrace } from '../core/task/views.js'
import { attemptRecord, outcomeJudged, stepEnded, taskOpened } from './entries.js'

export const EXAMPLE_START_MS = Date.UTC(2026, 10, 24, 5, 41, 9)
const TASK = 'task_01example' as TaskId
const DEPLOYMENT = 'openai/gpt-4o-mini-2024-07-18'

export function exampleOpened(changes: Partial<TaskOpened> = {}): TaskOpened {
  return taskOpened(TASK, {
    atMs: EXAMPLE_START_MS,
    release: 'rel_0123456789abcdef' as ReleaseId,
    session: 'conversation-7',
    externalId: 'ticket-42',
    attributes: { account_tier: 'enterprise' },
    limits: {
      modelCalls: 5,
      inputTokens: 6_000,
      outputTokens: 700,
      toolCalls: 8,
      toolMs: null,
      nanoUsd: 50_000_000,
    },
    deadlineMs: EXAMPLE_START_MS + 8_000,
    oneStep: false,
    ...changes,
  })
}

export function exampleAttempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return attemptRecord('attempt_2', {
    number: 2,
    deployment: DEPLOYMENT,
    startedMs: EXAMPLE_START_MS + 260,
    durationMs: 840,
    held: { ...NOTHING, modelCalls: 1, inputTokens: 500, outputTokens: 700, nanoUsd: 495_000 },
    tokens: { ...NO_TOKENS, input: 300, cacheRead: 100, output: 90, reasoning: 10 },
    nanoUsd: 112_500,
    chargedNanoUsd: 112_500,
    ...changes,
  })
}

export function exampleStep(changes: Partial<StepEnded> = {}): StepEnded {
  return stepEnded(TASK, [failedAttempt(), exampleAttempt()], {
    id: 'step_1' as StepId,
    startedMs: EXAMPLE_START_MS + 2,
    durationMs: 1_100,
    firstByteMs: 570,
    deployment: DEPLOYMENT,
    decisions: [
      { stage: 'plan', choice: 'gpt-4o-mini', reason: 'no rule applies', inputs: { input_tokens: 400 } },
      { stage: 'judge', choice: 'accept', reason: 'confidence 0.91' },
    ],
    promptHash: 'ab12',
    ...changes,
  })
}

function failedAttempt(): AttemptRecord {
  const nothing = {
    tokens: NO_TOKENS,
    nanoUsd: 0,
    chargedNanoUsd: 0,
    basis: 'none',
    firstByteMs: null,
  } as const
  const failed = { status: 429, end: 'http_429', startedMs: EXAMPLE_START_MS + 2, durationMs: 12 }
  return exampleAttempt({ id: 'attempt_1' as AttemptId, number: 1, ...nothing, ...failed })
}

export function exampleTool(changes: Partial<StepEnded> = {}): StepEnded {
  return exampleStep({
    id: 'step_2' as StepId,
    number: 2,
    step: 'tool',
    name: 'lookup_order',
    startedMs: EXAMPLE_START_MS + 1_200,
    durationMs: 400,
    firstByteMs: null,
    route: null,
    model: null,
    deployment: null,
    tier: null,
    cache: 'off',
    unknownRules: [],
    attempts: [],
    decisions: [],
    promptHash: null,
    otherNanoUsd: 1_000_000,
    toolMs: 400,
    finishReason: null,
    ...changes,
  })
}

export function exampleSettled(attempt: AttemptRecord, changes: Partial<HoldSettled> = {}): HoldSettled {
  const { tokens, chargedNanoUsd: nanoUsd } = attempt
  const inputTokens = tokens.input + tokens.cacheRead
  const outputTokens = tokens.output + tokens.reasoning
  return {
    kind: 'hold-settled',
    id: `hold_${attempt.id}` as HoldId,
    task: TASK,
    atMs: attempt.startedMs + attempt.durationMs,
    accounts: [`task:${TASK}`, 'tenant:acme:day:2026-11-24'],
    actual: { ...NOTHING, modelCalls: 1, inputTokens, outputTokens, nanoUsd },
    stepNumber: 1,
    attempt,
    ...changes,
  }
}

export function exampleOutcome(changes: Partial<OutcomeJudged> = {}): OutcomeJudged {
  return outcomeJudged(TASK, {
    atMs: EXAMPLE_START_MS + 1_842,
    source: 'application',
    rules: {},
    evidence: ['doc-1'],
    latencyMs: 1_842,
    nanoUsd: 1_112_500,
    ...changes,
  })
}

export function exampleTrace(): TaskTrace {
  const steps = [exampleStep(), exampleTool()]
  const outcome = exampleOutcome()
  return {
    summary: {
      opened: exampleOpened(),
      status: 'succeeded',
      spent: {
        modelCalls: 2,
        inputTokens: 400,
        outputTokens: 100,
        toolCalls: 1,
        toolMs: 400,
        nanoUsd: 1_112_500,
      },
      unpricedCalls: 0,
      attempts: 2,
      steps: 2,
      outcome,
      degraded: false,
      lastStepEndedMs: EXAMPLE_START_MS + 1_600,
    },
    steps,
    charges: steps.flatMap((step) => step.attempts).map((attempt) => exampleSettled(attempt)),
    outcomes: [outcome],
    children: ['task_02child' as TaskId],
  }
}
