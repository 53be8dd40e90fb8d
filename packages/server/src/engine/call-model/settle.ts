// Stage 9, settle: what an attempt really used replaces what was held for it. Runs for every attempt that was
// held, however it ended and whoever left; takes no signal, because money is settled even when nobody waits.

import type { Amounts } from '../../core/budget/amounts.js'
import type { Observation } from '../../core/capacity/demand.js'
import { learn, NOTHING_LEARNED } from '../../core/money/bytes-per-token.js'
import { type JudgedUsage, judgeUsage } from '../../core/money/judge-usage.js'
import { costOf, savedByCache } from '../../core/money/price.js'
import { NO_TOKENS, type ReportedUsage, inputTotal, outputTotal } from '../../core/money/token-counts.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { AttemptRecord, ChargeBasis } from '../../core/task/records.js'
import type { Place } from '../capacity/deployment-state.js'
import { record } from '../engine.js'
import { lowersOutput } from '../lower-output.js'
import type { Step } from '../step-context.js'
import { whenDone } from '../when-done.js'
import type { Reservation } from './hold.js'

/** A hold that was granted for one attempt. */
export interface HeldAttempt {
  readonly reservation: Reservation
  readonly number: number
  readonly purpose: AttemptRecord['purpose']
  readonly model: ModelEntry
  readonly deployment: Deployment
  readonly place: Place
  readonly simulated: boolean
  readonly startedMs: number
  /** Of the request that was held for: a judge's prompt is not the caller's. */
  readonly size: { readonly promptBytes: number; readonly images: number }
  /** Output tokens the deployment was allowed in all. */
  readonly outputTokensMax: number
}

/** What is known of an attempt when it is over. */
export interface AttemptEvidence {
  readonly end: string
  readonly status: number
  readonly firstByteMs: number | null
  readonly reported: ReportedUsage | null
  /** Generated frames seen, 0 for whole answers. */
  readonly deltas: number
  /** UTF-8 bytes of generated text seen, or of the whole body where the text is not known. */
  readonly textBytes: number
  readonly streamed: boolean
  /** Did the model run? `no`: nothing is owed. `maybe`: it was sent and never answered. */
  readonly ran: 'yes' | 'maybe' | 'no'
  /** Time to the first generated token, or to the head of a whole answer, ms; null: none came. */
  readonly firstTokenMs: number | null
  readonly retryAfterMs: number | null
  /** Of the provider's answer; empty when none came. */
  readonly headers: Readonly<Record<string, string>>
}

/** At once when the ledger is in this process. */
export function settle(step: Step, held: HeldAttempt, evidence: AttemptEvidence): void | Promise<void> {
  const attempt = attemptRecord(step, held, evidence)
  const actual: Amounts = {
    modelCalls: evidence.ran === 'no' && wasTurnedAway(evidence) ? 0 : 1,
    inputTokens: inputTotal(attempt.tokens),
    outputTokens: outputTotal(attempt.tokens),
    toolCalls: 0,
    toolMs: 0,
    nanoUsd: attempt.chargedNanoUsd,
  }
  const settled = step.engine.ledger.settle(held.reservation.hold, actual)
  return whenDone(settled, () => book(step, held, { attempt, actual, evidence }))
}

interface Used {
  readonly attempt: AttemptRecord
  readonly actual: Amounts
  readonly evidence: AttemptEvidence
}

function book(step: Step, held: HeldAttempt, { attempt, actual, evidence }: Used): void {
  const { engine, task } = step
  // The ledger may have taken its time: no clock of the capacity's may see time going back.
  const nowMs = engine.system.nowMs()
  task.nanoUsd += attempt.chargedNanoUsd
  task.modelCalls += actual.modelCalls
  if (attempt.nanoUsd === null && attempt.basis !== 'none') task.unpricedCalls += 1
  engine.capacity.used(task.tenant, actual.inputTokens + actual.outputTokens, nowMs)
  if (attempt.end === 'ok' && held.purpose === 'answer') learnLength(step, held.model, actual.outputTokens)
  engine.capacity.end(held.place, observationOf(attempt, evidence), nowMs)
  if (held.model.deployments.length > 1 && attempt.end !== 'hedge_lost')
    engine.capacity.hedging.spent(attempt.chargedNanoUsd)
  step.attempts.push(attempt)
  // Copies of a call end in any order.
  if (held.purpose === 'hedge' || step.attempts.length > 1) step.attempts.sort(byNumber)
  record(engine, {
    kind: 'hold-settled',
    id: held.reservation.hold,
    task: task.id,
    atMs: attempt.startedMs + attempt.durationMs,
    accounts: held.reservation.accounts,
    actual,
    stepNumber: step.number,
    attempt,
  })
}

function byNumber(a: AttemptRecord, b: AttemptRecord): number {
  return a.number - b.number
}

/** Answers that are cut shorter than they would be say nothing about how long answers are. */
function learnLength({ engine, task }: Step, model: ModelEntry, outputTokens: number): void {
  if (outputTokens > 0 && !lowersOutput(engine, model))
    engine.capacity.outputs.add(task.contract.name, model.name, outputTokens)
}

function observationOf(attempt: AttemptRecord, evidence: AttemptEvidence): Observation {
  const { tokens, end, status, durationMs } = attempt
  const { firstTokenMs, retryAfterMs, headers } = evidence
  return {
    end,
    status,
    durationMs,
    firstTokenMs,
    inputTokens: inputTotal(tokens),
    cachedTokens: tokens.cacheRead,
    outputTokens: outputTotal(tokens),
    frames: evidence.deltas,
    retryAfterMs,
    headers,
  }
}

/** Turned away at the door: no connection, throttled, or refused as a request. It used up no model call. */
function wasTurnedAway(evidence: AttemptEvidence): boolean {
  return (
    evidence.end === 'connection' ||
    evidence.end === 'credentials' ||
    evidence.end === 'stale_credentials' ||
    evidence.status === 429 ||
    evidence.status === 503 ||
    evidence.status === 529
  )
}

function attemptRecord(step: Step, held: HeldAttempt, evidence: AttemptEvidence): AttemptRecord {
  const { engine } = step
  const { reservation } = held
  const usage = usageOf(step, held, evidence)
  const price = held.deployment.price
  const nanoUsd = price === null ? null : costOf(price, usage.tokens)
  const isFree = usage.basis === 'none'
  const attempt: AttemptRecord = {
    id: reservation.id,
    number: held.number,
    purpose: held.purpose,
    model: held.model.name,
    deployment: held.deployment.id,
    provider: held.deployment.provider,
    tier: held.model.tier,
    startedMs: held.startedMs,
    durationMs: engine.system.nowMs() - held.startedMs,
    firstByteMs: evidence.firstByteMs,
    status: evidence.status,
    end: evidence.end,
    held: reservation.amounts,
    tokens: usage.tokens,
    nanoUsd: isFree ? 0 : nanoUsd,
    chargedNanoUsd: isFree ? 0 : (nanoUsd ?? reservation.amounts.nanoUsd),
    basis: usage.basis,
    priceBook: price?.book ?? null,
    simulated: held.simulated,
  }
  const { cacheRead, cacheWrite, cacheWrite1h } = usage.tokens
  const isCached = price !== null && cacheRead + cacheWrite + cacheWrite1h > 0
  const saved = isCached ? { cacheSavedNanoUsd: savedByCache(price, usage.tokens) } : null
  if (usage.disputed === undefined) return saved === null ? attempt : { ...attempt, ...saved }
  return { ...attempt, ...saved, disputed: usage.disputed }
}

type KnownUsage = Omit<JudgedUsage, 'basis'> & { readonly basis: ChargeBasis }

function usageOf(step: Step, held: HeldAttempt, evidence: AttemptEvidence): KnownUsage {
  const { promptBytes, images } = held.size
  if (evidence.ran === 'no') return { tokens: NO_TOKENS, basis: 'none' }
  if (evidence.ran === 'maybe') {
    return { tokens: { ...NO_TOKENS, input: held.reservation.estimatedInput }, basis: 'estimated' }
  }
  const usage = judgeUsage(evidence.reported, {
    requestBytes: promptBytes,
    images,
    estimatedInput: held.reservation.estimatedInput,
    maxOutputTokens: held.outputTokensMax,
    deltas: evidence.deltas,
    textBytes: evidence.textBytes,
    streamed: evidence.streamed,
    finished: evidence.end === 'ok',
  })
  if (usage.basis === 'reported' && images === 0) teach(step, held, inputTotal(usage.tokens))
  return usage
}

/** Settled usage teaches how many bytes a token of this model has: the next hold is sized by it. */
function teach(step: Step, held: HeldAttempt, tokens: number): void {
  const learned = step.engine.bytesPerToken
  const state = learned.get(held.deployment.model) ?? NOTHING_LEARNED
  learned.set(held.deployment.model, learn(state, { bytes: held.size.promptBytes, tokens }))
}
