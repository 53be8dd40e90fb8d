// Stage 5, hold: before anything is sent, what the attempt may use at worst is reserved on the task, its parents,
// the tenant and the product at once: all of them or none.

import { fitCall } from '../../core/budget/fit-call.js'
import type { Amounts, LimitName } from '../../core/budget/amounts.js'
import { remainingOf } from '../../core/budget/remaining.js'
import type { AttemptId, HoldId } from '../../core/ids.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../../core/money/bytes-per-token.js'
import type { Price } from '../../core/money/price.js'
import type { ModelEntry } from '../../core/release/release.js'
import { isCeiling } from '../ceilings.js'
import type { Engine } from '../engine.js'
import type { AccountState } from '../ports.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import type { Task } from '../task-registry.js'

export interface HoldAsk {
  readonly model: ModelEntry
  readonly size: { readonly promptBytes: number; readonly images: number }
  /** The caller's own limit per choice, or null. */
  readonly wantedOutputTokens: number | null
  readonly choices: number
  /** Embeddings generate nothing. */
  readonly generates: boolean
}

export interface Reservation {
  readonly hold: HoldId
  readonly id: AttemptId
  readonly accounts: readonly string[]
  readonly amounts: Amounts
  readonly estimatedInput: number
  /** Per choice. null: no limit of the budget bears on it, so the caller's own (or none) stands. */
  readonly outputTokens: number | null
}

export type HoldEnd =
  | { readonly kind: 'held'; readonly reservation: Reservation }
  | { readonly kind: 'short'; readonly limit: LimitName; readonly shortBy: number; readonly ceiling: boolean }

/** A ledger outside the process may refuse what was read as free a moment ago: read again, a few times. */
const TRIES_MAX = 3

export async function hold(step: Step, ask: HoldAsk): Promise<HoldEnd> {
  const { engine, task } = step
  if (timeLeftMs(step) <= 0) return { kind: 'short', limit: 'latencyMs', shortBy: 1, ceiling: false }
  const accounts = await accountsOf(engine, task, ask.model)
  for (let tries = 1; ; tries++) {
    const sized = await size(step, ask, accounts)
    if (sized.kind === 'short') return shortage(step, sized)
    const hold = engine.system.newId('hold') as HoldId
    const result = await engine.ledger.hold(hold, accounts, sized.amounts)
    if (result.kind === 'granted') return { kind: 'held', reservation: { ...sized.reservation, hold, accounts } }
    if (tries === TRIES_MAX) return shortage(step, { ...result, ceiling: isCeiling(result.account) })
  }
}

async function accountsOf(engine: Engine, task: Task, model: ModelEntry): Promise<readonly string[]> {
  const ceilings = await engine.ceilings.accountsFor(task, model.tier, engine.system.nowMs())
  return ceilings.length === 0 ? task.accounts : [...task.accounts, ...ceilings]
}

/** Would an answer by this model to this request fit what is left? Reserves nothing. */
export async function sizeHold(
  step: Step,
  ask: { readonly model: ModelEntry; readonly request: Step['request'] },
): Promise<{ readonly kind: 'fits' | 'short' }> {
  const accounts = await accountsOf(step.engine, step.task, ask.model)
  return size(step, answerAsk(step, ask), accounts)
}

/** What the caller's own question asks for. */
export function answerAsk(step: Step, ask: { readonly model: ModelEntry; readonly request: Step['request'] }): HoldAsk {
  const { view } = ask.request
  return {
    model: ask.model,
    size: { promptBytes: view.promptBytes, images: view.imageCount },
    wantedOutputTokens: view.maxOutputTokens,
    choices: view.choices,
    generates: step.call.wire !== 'openai-embeddings',
  }
}

async function size(step: Step, ask: HoldAsk, accounts: readonly string[]) {
  const { engine, task } = step
  const states = await readAll(engine, accounts)
  const deployment = ask.model.deployments[0]
  const learned = engine.bytesPerToken.get(deployment?.model ?? '') ?? NOTHING_LEARNED
  const estimatedInput = estimateInputTokens(learned, {
    bytes: ask.size.promptBytes,
    images: ask.size.images,
    messages: 1,
  })
  const maxOutput = Math.max(...ask.model.deployments.map((each) => each.maxOutputTokens))
  const wanted = ask.generates ? (ask.wantedOutputTokens ?? maxOutput) : 0
  const fit = fitCall({
    inputTokens: estimatedInput,
    wantedOutputTokens: wanted,
    choices: ask.choices,
    price: dearestOf(ask.model),
    dearest: task.release.dearestPrice,
    left: remainingOf(states.map((each) => each.state)),
  })
  if (fit.kind === 'short') return { ...fit, ceiling: isTightestCeiling(states, fit.limit) }
  const bears = fit.shrunk || ask.wantedOutputTokens !== null || isLimited(states)
  const reservation = {
    id: engine.system.newId('attempt') as AttemptId,
    amounts: fit.amounts,
    estimatedInput,
    outputTokens: ask.generates && bears ? fit.outputTokens : null,
  }
  return { kind: 'fits' as const, amounts: fit.amounts, reservation }
}

interface NamedState {
  readonly account: string
  readonly state: AccountState
}

async function readAll(engine: Engine, accounts: readonly string[]): Promise<NamedState[]> {
  const states: NamedState[] = []
  for (const account of accounts) {
    const state = await engine.ledger.read(account)
    if (state !== null) states.push({ account, state })
  }
  return states
}

/** A limit on output or money makes the provider's own maximum too much to leave open. */
function isLimited(states: readonly NamedState[]): boolean {
  return states.some(({ state }) => state.limits.outputTokens !== Infinity || state.limits.nanoUsd !== Infinity)
}

function isTightestCeiling(states: readonly NamedState[], limit: LimitName): boolean {
  if (limit === 'latencyMs') return false
  const left = ({ state }: NamedState) => state.limits[limit] - state.settled[limit] - state.held[limit]
  const tightest = states.reduce<NamedState | null>((a, b) => (a === null || left(b) < left(a) ? b : a), null)
  return tightest !== null && isCeiling(tightest.account)
}

/** Deployments of a model may differ in price, and which one serves is not known yet: hold for the dearest. */
function dearestOf(model: ModelEntry): Price | null {
  let dearest: Price | null = null
  for (const { price } of model.deployments) {
    if (price === null) return null
    if (dearest === null || price.rates.output > dearest.rates.output) dearest = price
  }
  return dearest
}

function shortage(step: Step, short: { limit: LimitName; shortBy: number; ceiling: boolean }): HoldEnd {
  decide(step, {
    stage: 'hold',
    choice: 'refused',
    reason: `${short.limit} short by ${Math.ceil(short.shortBy)}`,
    inputs: { limit: short.limit, ceiling: short.ceiling },
  })
  return { kind: 'short', limit: short.limit, shortBy: short.shortBy, ceiling: short.ceiling }
}
