// Records as arrays: every name would otherwise be in every line, and bytes are what writing costs. The order
// of the fields is the format. A new field goes to the end; a value that is not there reads as null.

import type { Amounts } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, StepId, TaskId } from '../../core/ids.js'
import type { TokenCounts } from '../../core/money/token-counts.js'
import type { AttemptRecord, HoldMade } from '../../core/task/records.js'

export type PackedAmounts = readonly [
  modelCalls: number,
  inputTokens: number,
  outputTokens: number,
  toolCalls: number,
  toolMs: number,
  nanoUsd: number,
]

/** What a hold is made on, without the task's own account: the same for many tasks. */
export type PackedTerms = readonly [
  accounts: readonly string[],
  model: string,
  deployment: string,
  provider: string,
  tier: HoldMade['tier'],
  priceBook: string | null,
  simulated: 0 | 1,
]

export type PackedTokens = readonly [number, number, number, number, number, number, number, number]

export type PackedAttempt = readonly [
  ...whoAndWhen: readonly [
    AttemptId,
    number,
    AttemptRecord['purpose'],
    string,
    string,
    string,
    AttemptRecord['tier'],
  ],
  ...times: readonly [startedMs: number, durationMs: number, firstByteMs: number | null],
  ...ending: readonly [status: number, end: string],
  ...sizes: readonly [held: PackedAmounts, tokens: PackedTokens],
  ...money: readonly [
    number | null,
    chargedNanoUsd: number,
    AttemptRecord['basis'],
    priceBook: string | null,
  ],
  ...notes: readonly [simulated: 0 | 1, disputed: AttemptRecord['disputed'] | null],
  cacheSavedNanoUsd?: number | null,
]

export function bit(value: boolean): 0 | 1 {
  return value ? 1 : 0
}

export function packAmounts(amounts: Amounts): PackedAmounts {
  const { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd } = amounts
  return [modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd]
}

export function unpackAmounts(packed: PackedAmounts): Amounts {
  const [modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd] = packed
  return { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd }
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  return (
    a === b ||
    (a.modelCalls === b.modelCalls &&
      a.inputTokens === b.inputTokens &&
      a.outputTokens === b.outputTokens &&
      a.toolCalls === b.toolCalls &&
      a.toolMs === b.toolMs &&
      a.nanoUsd === b.nanoUsd)
  )
}

export function packTokens(tokens: TokenCounts): PackedTokens {
  const { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput } = tokens
  return [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput]
}

export function unpackTokens(packed: PackedTokens): TokenCounts {
  const [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput] = packed
  return { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput }
}

export function packAttempt(attempt: AttemptRecord): PackedAttempt {
  const { cacheSavedNanoUsd: saved } = attempt
  const packed = [
    attempt.id,
    attempt.number,
    attempt.purpose,
    attempt.model,
    attempt.deployment,
    attempt.provider,
    attempt.tier,
    attempt.startedMs,
    attempt.durationMs,
    attempt.firstByteMs,
    attempt.status,
    attempt.end,
    packAmounts(attempt.held),
    packTokens(attempt.tokens),
    attempt.nanoUsd,
    attempt.chargedNanoUsd,
    attempt.basis,
    attempt.priceBook,
    bit(attempt.simulated),
    attempt.disputed ?? null,
  ] as const
  return saved === undefined ? packed : [...packed, saved]
}

export function unpackAttempt(packed: PackedAttempt): AttemptRecord {
  const [id, number, purpose, model, deployment, provider, tier, ...rest] = packed
  const [startedMs, durationMs, firstByteMs, status, end, held, tokens, ...money] = rest
  const [nanoUsd, chargedNanoUsd, basis, priceBook, simulated, disputed, cacheSavedNanoUsd = null] = money
  return {
    id,
    number,
    purpose,
    model,
    deployment,
    provider,
    tier,
    startedMs,
    durationMs,
    firstByteMs,
    status,
    end,
    held: unpackAmounts(held),
    tokens: unpackTokens(tokens),
    nanoUsd,
    chargedNanoUsd,
    basis,
    priceBook,
    simulated: simulated === 1,
    ...(cacheSavedNanoUsd === null ? {} : { cacheSavedNanoUsd }),
    ...(disputed ? { disputed } : {}),
  }
}

export type PackedHold = readonly [
  id: HoldId,
  atMs: number,
  task: TaskId,
  step: StepId,
  stepNumber: number,
  accounts: readonly string[],
  amounts: PackedAmounts,
  attempt: readonly [AttemptId, number, AttemptRecord['purpose']],
  model: string,
  deployment: string,
  provider: string,
  tier: HoldMade['tier'],
  priceBook: string | null,
  simulated: 0 | 1,
]

export function packHold(hold: HoldMade): PackedHold {
  const { id, atMs, task, step, stepNumber, accounts, amounts, attempt } = hold
  const packed = [attempt.id, attempt.number, attempt.purpose] as const
  const start = [id, atMs, task, step, stepNumber, accounts, packAmounts(amounts), packed] as const
  return [
    ...start,
    hold.model,
    hold.deployment,
    hold.provider,
    hold.tier,
    hold.priceBook,
    bit(hold.simulated),
  ]
}

export function unpackHold(packed: PackedHold): HoldMade {
  const [id, atMs, task, step, stepNumber, accounts, amounts, attempt, ...rest] = packed
  const [model, deployment, provider, tier, priceBook, simulated] = rest
  const [attemptId, number, purpose] = attempt
  return {
    kind: 'hold-made',
    id,
    atMs,
    task,
    step,
    stepNumber,
    accounts,
    amounts: unpackAmounts(amounts),
    attempt: { id: attemptId, number, purpose },
    model,
    deployment,
    provider,
    tier,
    priceBook,
    simulated: simulated === 1,
  }
}
