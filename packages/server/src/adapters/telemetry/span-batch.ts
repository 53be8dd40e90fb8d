// Entries on their way to the export thread, as one flat list of plain values. Cloning the objects themselves
// would cost the two threads together as much as making and encoding the spans. Only what spans are made of
// is written; what is read back is empty in everything else. Writer and reader name the same fields in the
// same order.

import { NOTHING } from '../../core/budget/amounts.js'
import type { AttemptId, ReleaseId, StepId, TaskId } from '../../core/ids.js'
import { NO_TOKENS, TOKEN_CLASSES, type TokenClass } from '../../core/money/token-counts.js'
import type { Tier } from '../../core/release/release.js'
import type {
  AttemptRecord,
  Decision,
  OutcomeJudged,
  StepEnded,
  StepKind,
  TaskOpened,
} from '../../core/task/records.js'
import type { SpanEntry } from './span-assembler.js'

export type FlatValue = string | number | boolean | null

const OPENED = 0
const STEP = 1
const OUTCOME = 2

export function writeEntry(to: FlatValue[], entry: SpanEntry): void {
  switch (entry.kind) {
    case 'task-opened':
      return writeOpened(to, entry)
    case 'step-ended':
      return writeStep(to, entry)
    case 'outcome-judged':
      return writeOutcome(to, entry)
  }
}

export function readEntries(values: readonly FlatValue[]): SpanEntry[] {
  const from = new FlatReader(values)
  const entries: SpanEntry[] = []
  while (!from.isAtEnd()) {
    const kind = from.number()
    entries.push(kind === OPENED ? readOpened(from) : kind === STEP ? readStep(from) : readOutcome(from))
  }
  return entries
}

function writeOpened(to: FlatValue[], opened: TaskOpened): void {
  const { limits } = opened
  to.push(OPENED, opened.id, opened.atMs, opened.contract, opened.release, opened.tenant)
  to.push(opened.parent, opened.session, opened.deadlineMs, opened.traceparent ?? null)
  to.push(
    limits.modelCalls,
    limits.inputTokens,
    limits.outputTokens,
    limits.toolCalls,
    limits.toolMs,
    limits.nanoUsd,
  )
}

function readOpened(from: FlatReader): TaskOpened {
  return {
    kind: 'task-opened',
    id: from.text() as TaskId,
    atMs: from.number(),
    contract: from.text(),
    release: from.text() as ReleaseId,
    tenant: from.text(),
    parent: from.textOrNull() as TaskId | null,
    session: from.textOrNull(),
    deadlineMs: from.number(),
    ...traceparent(from.textOrNull()),
    limits: {
      modelCalls: from.numberOrNull(),
      inputTokens: from.numberOrNull(),
      outputTokens: from.numberOrNull(),
      toolCalls: from.numberOrNull(),
      toolMs: from.numberOrNull(),
      nanoUsd: from.numberOrNull(),
    },
    externalId: null,
    attributes: {},
    oneStep: false,
  }
}

function traceparent(text: string | null): Pick<TaskOpened, 'traceparent'> {
  return text === null ? {} : { traceparent: text }
}

function writeStep(to: FlatValue[], step: StepEnded): void {
  to.push(STEP, step.task, step.id, step.number, step.step, step.name, step.startedMs, step.durationMs)
  to.push(step.firstByteMs, step.route, step.model, step.deployment, step.tier, step.cache, step.cacheAgeMs)
  to.push(
    step.escalated,
    step.streamed,
    step.unknownRules.length,
    step.promptHash,
    step.otherNanoUsd,
    step.toolMs,
  )
  to.push(step.error, step.finishReason, step.traceparent)
  to.push(step.degraded.length, ...step.degraded)
  to.push(step.decisions.length)
  for (const { stage, choice, reason } of step.decisions) to.push(stage, choice, reason)
  to.push(step.attempts.length)
  for (const attempt of step.attempts) writeAttempt(to, attempt)
}

function readStep(from: FlatReader): StepEnded {
  return {
    kind: 'step-ended',
    task: from.text() as TaskId,
    id: from.text() as StepId,
    number: from.number(),
    step: from.text() as StepKind,
    name: from.text(),
    startedMs: from.number(),
    durationMs: from.number(),
    firstByteMs: from.numberOrNull(),
    route: from.textOrNull(),
    model: from.textOrNull(),
    deployment: from.textOrNull(),
    tier: from.textOrNull() as Tier | null,
    cache: from.text() as StepEnded['cache'],
    cacheAgeMs: from.numberOrNull(),
    escalated: from.flag(),
    streamed: from.flag(),
    // Their number is told, their text is not.
    unknownRules: from.list(() => '', from.number()),
    promptHash: from.textOrNull(),
    otherNanoUsd: from.number(),
    toolMs: from.number(),
    error: from.textOrNull(),
    finishReason: from.textOrNull(),
    traceparent: from.textOrNull(),
    degraded: from.list(() => from.text(), from.number()),
    decisions: from.list(() => readDecision(from), from.number()),
    attempts: from.list(() => readAttempt(from), from.number()),
    content: null,
  }
}

function readDecision(from: FlatReader): Decision {
  return { stage: from.text() as Decision['stage'], choice: from.text(), reason: from.text() }
}

function writeAttempt(to: FlatValue[], attempt: AttemptRecord): void {
  to.push(attempt.id, attempt.number, attempt.purpose, attempt.model, attempt.deployment, attempt.provider)
  to.push(
    attempt.tier,
    attempt.startedMs,
    attempt.durationMs,
    attempt.firstByteMs,
    attempt.status,
    attempt.end,
  )
  to.push(attempt.nanoUsd, attempt.chargedNanoUsd, attempt.basis, attempt.priceBook)
  to.push(attempt.disputed !== undefined, attempt.simulated)
  for (const name of TOKEN_CLASSES) to.push(attempt.tokens[name])
}

function readAttempt(from: FlatReader): AttemptRecord {
  const attempt = {
    id: from.text() as AttemptId,
    number: from.number(),
    purpose: from.text() as AttemptRecord['purpose'],
    model: from.text(),
    deployment: from.text(),
    provider: from.text(),
    tier: from.text() as Tier,
    startedMs: from.number(),
    durationMs: from.number(),
    firstByteMs: from.numberOrNull(),
    status: from.number(),
    end: from.text(),
    nanoUsd: from.numberOrNull(),
    chargedNanoUsd: from.number(),
    basis: from.text() as AttemptRecord['basis'],
    priceBook: from.textOrNull(),
  }
  const disputed = from.flag() ? { disputed: { input: null, output: null, total: null } } : {}
  const simulated = from.flag()
  const tokens: Record<TokenClass, number> = { ...NO_TOKENS }
  for (const name of TOKEN_CLASSES) tokens[name] = from.number()
  return { ...attempt, ...disputed, simulated, tokens, held: NOTHING }
}

function writeOutcome(to: FlatValue[], outcome: OutcomeJudged): void {
  to.push(OUTCOME, outcome.task, outcome.atMs, outcome.status, outcome.source, outcome.success, outcome.harm)
  to.push(outcome.score, outcome.latencyMs, outcome.sloMet, outcome.nanoUsd, outcome.unpricedCalls)
  to.push(outcome.priceNanoUsd)
}

function readOutcome(from: FlatReader): OutcomeJudged {
  return {
    kind: 'outcome-judged',
    task: from.text() as TaskId,
    atMs: from.number(),
    status: from.text() as OutcomeJudged['status'],
    source: from.text() as OutcomeJudged['source'],
    success: from.flag(),
    harm: from.flag(),
    score: from.numberOrNull(),
    latencyMs: from.number(),
    sloMet: from.flagOrNull(),
    nanoUsd: from.number(),
    unpricedCalls: from.number(),
    priceNanoUsd: from.numberOrNull(),
    reasons: [],
    evidence: [],
  }
}

/** Takes the values in order. Both ends are this file, so a value of another kind is a bug here. */
class FlatReader {
  readonly #values: readonly FlatValue[]
  #at = 0

  constructor(values: readonly FlatValue[]) {
    this.#values = values
  }

  isAtEnd(): boolean {
    return this.#at >= this.#values.length
  }

  textOrNull(): string | null {
    return this.#values[this.#at++] as string | null
  }

  text(): string {
    return this.#values[this.#at++] as string
  }

  numberOrNull(): number | null {
    return this.#values[this.#at++] as number | null
  }

  number(): number {
    return this.#values[this.#at++] as number
  }

  flagOrNull(): boolean | null {
    return this.#values[this.#at++] as boolean | null
  }

  flag(): boolean {
    return this.#values[this.#at++] as boolean
  }

  list<Item>(item: () => Item, length: number): Item[] {
    const items: Item[] = []
    while (items.length < length) items.push(item())
    return items
  }
}
