// Stage 5, hold: before anything is sent, what the attempt may use at worst is reserved on the task, its
// parents, the tenant and the product at once: all of them or none. What is asked for shrinks to what is left
// before it is refused.

import { type Amounts, type LimitName, NOTHING } from '../../core/budget/amounts.js'
import { type CallFit, fitCall } from '../../core/budget/fit-call.js'
import type { FittedHold } from '../../core/budget/memory-ledger.js'
import { remainingOf } from '../../core/budget/remaining.js'
import type { AttemptId, HoldId } from '../../core/ids.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../../core/money/bytes-per-token.js'
import type { Price } from '../../core/money/price.js'
import type { ModelEntry } from '../../core/release/release.js'
import { ceilingOf } from '../ceilings.js'
import type { Engine } from '../engine.js'
import { type Step, decide } from '../step-context.js'
import type { Task } from '../task-registry.js'
import type { RequestView } from '../../wire/format.js'
import { imagesWorth } from '../../wire/prompt-size.js'

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
  /** Less output than was wanted. */
  readonly shrunk: boolean
}

export type HoldEnd =
  | { readonly kind: 'held'; readonly reservation: Reservation }
  | (Shortage & { readonly kind: 'short' })

export interface Shortage {
  readonly limit: LimitName
  readonly shortBy: number
  /** Of a tenant, the product or the premium tier, not of the task itself. */
  readonly ceiling: 'premium' | 'other' | null
}

/** At once when the ledger is in this process; a promise when it is not. */
export function hold(step: Step, ask: HoldAsk): HoldEnd | Promise<HoldEnd> {
  const { engine, task } = step
  const nowMs = engine.system.nowMs()
  if (task.deadlineMs <= nowMs) return { kind: 'short', limit: 'latencyMs', shortBy: 1, ceiling: null }
  const accounts = accountsOf(engine, { task, model: ask.model, nowMs })
  const asked = {
    id: engine.system.newId('hold') as HoldId,
    accounts,
    estimatedInput: estimateInput(engine, ask),
    generates: ask.generates,
  }
  const fit = (left: Amounts) => sizeCall(task, ask, { estimatedInput: asked.estimatedInput, left })
  const held = engine.ledger.holdFitting(asked.id, accounts, fit)
  return held instanceof Promise ? heldLater(step, asked, held) : heldNow(step, asked, held)
}

interface Asked {
  readonly id: HoldId
  readonly accounts: readonly string[]
  readonly estimatedInput: number
  readonly generates: boolean
}

/** A promise whose answer was lost may have been made: it is taken back, or nobody ever would. */
async function heldLater(
  step: Step,
  asked: Asked,
  promised: Promise<FittedHold<SizedCall>>,
): Promise<HoldEnd> {
  try {
    return heldNow(step, asked, await promised)
  } catch (fault) {
    await step.engine.ledger.settle(asked.id, NOTHING)
    throw fault
  }
}

function heldNow(step: Step, asked: Asked, held: FittedHold<SizedCall>): HoldEnd {
  if (held.kind === 'short') {
    return shortage(step, { limit: held.limit, shortBy: held.shortBy, ceiling: ceilingOf(held.account) })
  }
  const { amounts, outputTokens, bears, shrunk } = held.fit
  const reservation = {
    hold: asked.id,
    id: step.engine.system.newId('attempt') as AttemptId,
    accounts: asked.accounts,
    amounts,
    estimatedInput: asked.estimatedInput,
    outputTokens: asked.generates && bears ? outputTokens : null,
    shrunk,
  }
  return { kind: 'held', reservation }
}

/** Would an answer by this model to this request fit what is left? Reserves nothing. */
export function sizeHold(
  step: Step,
  ask: { readonly model: ModelEntry; readonly request: Step['request'] },
): CallFit {
  const { engine, task } = step
  const states = accountsOf(engine, { task, model: ask.model, nowMs: engine.system.nowMs() }).map((account) =>
    engine.ledger.read(account),
  )
  const left = remainingOf(states.filter((state) => state !== null))
  const holdAsk = answerAsk(step, ask)
  return sizeCall(task, holdAsk, { estimatedInput: estimateInput(engine, holdAsk), left })
}

/** What the caller's own question asks for. */
export function answerAsk(
  step: Step,
  ask: { readonly model: ModelEntry; readonly request: Step['request'] },
): HoldAsk {
  const { view } = ask.request
  return {
    model: ask.model,
    size: sizeOf(view),
    wantedOutputTokens: view.maxOutputTokens,
    choices: view.choices,
    generates: step.call.wire !== 'openai-embeddings',
  }
}

function accountsOf(
  engine: Engine,
  ask: { readonly task: Task; readonly model: ModelEntry; readonly nowMs: number },
): readonly string[] {
  const { task, model, nowMs } = ask
  const ceilings = engine.ceilings.accountsFor(task, model.tier, nowMs)
  return ceilings.length === 0 ? task.accounts : [...task.accounts, ...ceilings]
}

export function sizeOf(view: RequestView): HoldAsk['size'] {
  return { promptBytes: view.promptBytes, images: imagesWorth(view) }
}

export function estimateInput(engine: Engine, { model, size }: Pick<HoldAsk, 'model' | 'size'>): number {
  const learned = engine.bytesPerToken.get(model.deployments[0]?.model ?? '') ?? NOTHING_LEARNED
  return estimateInputTokens(learned, { bytes: size.promptBytes, images: size.images, messages: 1 })
}

type SizedCall =
  | (Extract<CallFit, { kind: 'fits' }> & { readonly bears: boolean })
  | Extract<CallFit, { kind: 'short' }>

function sizeCall(
  task: Task,
  ask: HoldAsk,
  given: { readonly estimatedInput: number; readonly left: Amounts },
): SizedCall {
  const { left } = given
  const maxOutput = maxOutputOf(ask.model)
  const fit = fitCall({
    inputTokens: given.estimatedInput,
    wantedOutputTokens: ask.generates ? (ask.wantedOutputTokens ?? maxOutput) : 0,
    choices: ask.choices,
    price: dearestOf(ask.model),
    dearest: task.release.dearestPrice,
    left,
  })
  if (fit.kind === 'short') return fit
  // A limit on output or money makes the provider's own maximum too much to leave open.
  const isLimited = left.outputTokens !== Infinity || left.nanoUsd !== Infinity
  const bears = fit.shrunk || ask.wantedOutputTokens !== null || isLimited
  return { kind: 'fits', outputTokens: fit.outputTokens, amounts: fit.amounts, shrunk: fit.shrunk, bears }
}

/** The longest answer that any of its deployments can give, tokens. */
export function maxOutputOf(model: ModelEntry): number {
  let most = 0
  for (const deployment of model.deployments) most = Math.max(most, deployment.maxOutputTokens)
  return most
}

/**
 * Deployments of a model may differ in price, and which one serves is not known yet: hold for the dearest.
 */
function dearestOf(model: ModelEntry): Price | null {
  let dearest: Price | null = null
  for (const { price } of model.deployments) {
    if (price === null) return null
    if (dearest === null || price.rates.output > dearest.rates.output) dearest = price
  }
  return dearest
}

function shortage(step: Step, short: Shortage): HoldEnd {
  decide(step, {
    stage: 'hold',
    choice: 'refused',
    reason: `${short.limit} short by ${Math.ceil(short.shortBy)}`,
    inputs: { limit: short.limit, ceiling: short.ceiling },
  })
  return { kind: 'short', limit: short.limit, shortBy: short.shortBy, ceiling: short.ceiling }
}
