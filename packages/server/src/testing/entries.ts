// Entries of the books with every field filled in, for tests that care about one or two of them.

import { type Amounts, NOTHING } from '../core/budget/amounts.js'
import type { AttemptId, HoldId, ReleaseId, StepId, TaskId } from '../core/ids.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import type { ServedDeployment } from '../core/release/served-deployment.js'
import type {
  AttemptRecord,
  CallRefused,
  Decision,
  HoldMade,
  HoldSettled,
  OutcomeJudged,
  EventHappened,
  ReleaseServed,
  StepEnded,
  TaskOpened,
} from '../core/task/records.js'

/** 2026-11-24T00:00:00Z. */
export const START_MS = Date.UTC(2026, 10, 24)

export const ONE_CALL: Amounts = {
  ...NOTHING,
  modelCalls: 1,
  inputTokens: 420,
  outputTokens: 48,
  nanoUsd: 91_800,
}

export function taskOpened(id: string, changes: Partial<TaskOpened> = {}): TaskOpened {
  return {
    kind: 'task-opened',
    id: id as TaskId,
    atMs: START_MS,
    contract: 'support_reply',
    release: 'r1' as ReleaseId,
    tenant: 'acme',
    parent: null,
    session: null,
    externalId: null,
    attributes: { account_tier: 'enterprise', note: 'tab\t, newline\n, ü and 😀' },
    limits: {
      modelCalls: 5,
      inputTokens: 6000,
      outputTokens: 700,
      toolCalls: null,
      toolMs: null,
      nanoUsd: 50_000_000,
    },
    deadlineMs: START_MS + 6_000,
    oneStep: true,
    ...changes,
  }
}

export function attemptRecord(id: string, changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    id: id as AttemptId,
    number: 1,
    purpose: 'answer',
    model: 'gpt-4o-mini',
    deployment: 'openai/gpt-4o-mini',
    provider: 'openai',
    tier: 'small',
    startedMs: START_MS + 3,
    durationMs: 812,
    firstByteMs: 310,
    status: 200,
    end: 'ok',
    held: { ...ONE_CALL, outputTokens: 700, nanoUsd: 483_000 },
    tokens: { ...NO_TOKENS, input: 420, output: 48 },
    nanoUsd: 91_800,
    chargedNanoUsd: 91_800,
    basis: 'reported',
    priceBook: 'genai-prices-0.1.8',
    simulated: false,
    ...changes,
  }
}

export function holdMade(task: string, hold: string, changes: Partial<HoldMade> = {}): HoldMade {
  const attempt = attemptRecord(`attempt_of_${hold}`)
  return {
    kind: 'hold-made',
    id: hold as HoldId,
    atMs: START_MS + 2,
    task: task as TaskId,
    step: `${task}_step_1` as StepId,
    stepNumber: 1,
    accounts: [`task:${task}`, 'tenant:acme:day:2026-11-24', 'product:day:2026-11-24'],
    amounts: attempt.held,
    attempt: { id: attempt.id, number: attempt.number, purpose: attempt.purpose },
    model: attempt.model,
    deployment: attempt.deployment,
    provider: attempt.provider,
    tier: attempt.tier,
    priceBook: attempt.priceBook,
    simulated: attempt.simulated,
    ...changes,
  }
}

export function holdSettled(hold: HoldMade, changes: Partial<HoldSettled> = {}): HoldSettled {
  return {
    kind: 'hold-settled',
    id: hold.id,
    task: hold.task,
    atMs: hold.atMs + 900,
    accounts: hold.accounts,
    actual: ONE_CALL,
    stepNumber: hold.stepNumber,
    attempt: attemptRecord(hold.attempt.id, {
      number: hold.attempt.number,
      tier: hold.tier,
      model: hold.model,
      deployment: hold.deployment,
      provider: hold.provider,
    }),
    ...changes,
  }
}

const DECISIONS: readonly Decision[] = [
  { stage: 'admit', choice: 'one-step', reason: 'no task id', inputs: { tenant: 'acme' } },
  {
    stage: 'plan',
    choice: 'gpt-4o-mini',
    reason: 'default route',
    inputs: { rules: 1, account_tier: 'pro' },
  },
  { stage: 'recall', choice: 'miss', reason: 'not in the exact cache' },
  { stage: 'hold', choice: 'granted', reason: 'fits', inputs: { inputTokens: 420, outputTokens: 700 } },
  { stage: 'attempt', choice: 'openai/gpt-4o-mini', reason: 'first deployment', inputs: { attempt: 1 } },
  { stage: 'judge', choice: 'accept', reason: 'no rule needs a signal' },
  { stage: 'settle', choice: 'reported', reason: 'usage agrees with what was seen' },
]

export function stepEnded(
  task: string,
  attempts: readonly AttemptRecord[],
  changes: Partial<StepEnded> = {},
): StepEnded {
  return {
    kind: 'step-ended',
    task: task as TaskId,
    id: `${task}_step_1` as StepId,
    number: 1,
    step: 'model',
    name: 'chat.completions',
    startedMs: START_MS + 1,
    durationMs: 830,
    firstByteMs: 312,
    route: 'default',
    model: 'gpt-4o-mini',
    deployment: 'openai/gpt-4o-mini',
    tier: 'small',
    cache: 'miss',
    cacheAgeMs: null,
    degraded: [],
    escalated: false,
    streamed: false,
    unknownRules: ["sentiment == 'high_risk'"],
    attempts,
    decisions: DECISIONS,
    promptHash: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    otherNanoUsd: 0,
    toolMs: 0,
    error: null,
    content: null,
    finishReason: 'stop',
    traceparent: null,
    ...changes,
  }
}

export function outcomeJudged(task: string, changes: Partial<OutcomeJudged> = {}): OutcomeJudged {
  return {
    kind: 'outcome-judged',
    task: task as TaskId,
    atMs: START_MS + 903,
    status: 'succeeded',
    source: 'contract',
    success: true,
    harm: false,
    reasons: [],
    rules: { "output.text != ''": 'yes', 'checks.schema_valid': 'yes', 'checks.leaked_secret': 'no' },
    score: null,
    evidence: [],
    latencyMs: 832,
    sloMet: true,
    nanoUsd: 91_800,
    unpricedCalls: 0,
    priceNanoUsd: 100_000_000,
    ...changes,
  }
}

/** By default the deployment of the entries above, and one of our own. */
export function releaseServed(changes: Partial<ReleaseServed> = {}): ReleaseServed {
  return {
    kind: 'release-served',
    atMs: START_MS - 1_000,
    release: 'r1' as ReleaseId,
    deployments: [OWN_DEPLOYMENT, HOSTED_DEPLOYMENT],
    ...changes,
  }
}

export const HOSTED_DEPLOYMENT: ServedDeployment = {
  deployment: 'openai/gpt-4o-mini',
  provider: 'openai',
  hosting: 'hosted',
  nanoUsdPerHour: null,
  concurrency: null,
}

/** 3.60 USD an hour: a thousand nano-dollars a millisecond. */
export const OWN_DEPLOYMENT: ServedDeployment = {
  deployment: 'gpu-a/llama',
  provider: 'gpu-a',
  hosting: 'self-hosted',
  nanoUsdPerHour: 3_600_000_000,
  concurrency: null,
}

export function callRefused(changes: Partial<CallRefused> = {}): CallRefused {
  return {
    kind: 'call-refused',
    atMs: START_MS,
    tenant: 'acme',
    contract: 'support_reply',
    task: null,
    code: 'budget.exhausted',
    ...changes,
  }
}

export function eventHappened(changes: Partial<EventHappened> = {}): EventHappened {
  return {
    kind: 'event',
    atMs: START_MS,
    event: 'breaker',
    subject: 'openai/gpt-4o-mini',
    detail: { from: 'closed', to: 'open', note: 'tab\tand\nline' },
    ...changes,
  }
}
