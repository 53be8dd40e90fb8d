// A permit to use a dependency once: a place there, the task's budget held, and how long it may take. Ends
// once, by whoever took it or by its time.

import { NO_HEADERS, type Observation } from '../../core/capacity/demand.js'
import { type Amounts, NOTHING } from '../../core/budget/amounts.js'
import type { Fit } from '../../core/budget/memory-ledger.js'
import type { HoldId } from '../../core/ids.js'
import type { Dependency } from '../../core/release/release.js'
import { ceilingOf } from '../ceilings.js'
import type { Engine } from '../engine.js'
import type { Caller } from '../ports.js'
import { type Refusal, refused } from '../refusal.js'
import type { Task } from '../task-registry.js'
import { type DependencyPlace, acquireDependency } from './acquire-dependency.js'
import type { Permit } from './permit-table.js'

/** How a use ended. */
export interface DependencyUse {
  /** `ok`, or the stable name of how it failed. */
  readonly end: string
  /** 0: no answer came, or it is no HTTP service. */
  readonly status: number
  readonly retryAfterMs: number | null
}

export interface PermitAsk {
  readonly dependency: Dependency
  readonly caller: Pick<Caller, 'gone' | 'onGone'>
  /** A repetition within one step: it counts as no tool call of its own. */
  readonly isRetry: boolean
}

/** Held and placed when this resolves: all of it, or a refusal and nothing. */
export async function takePermit(engine: Engine, task: Task, ask: PermitAsk): Promise<Permit | Refusal> {
  const { dependency } = ask
  const { system, ledger } = engine
  const nowMs = system.nowMs()
  const leftMs = task.deadlineMs - nowMs
  if (leftMs <= 0) return refused('deadline.exceeded', "The task's time is up.", { task: task.id })
  const id = system.newId('hold') as HoldId
  const accounts = [...task.accounts, ...engine.ceilings.accountsFor(task, null, nowMs)]
  const use = { dependency, isRetry: ask.isRetry, timeoutMs: Math.min(dependency.timeoutMs, leftMs) }
  const held = await ledger.holdFitting(id, accounts, (left) => fitUse(use, left))
  if (held.kind === 'short') return overBudget(task, held)
  const { timeoutMs } = held.fit
  const acquired = await placeOrNothing(engine, task, { ...ask, id })
  if (acquired.kind === 'refused') return acquired
  const startedMs = system.nowMs()
  const limitMs = Math.min(timeoutMs, task.deadlineMs - startedMs)
  const toolCalls = held.fit.amounts.toolCalls
  const rest = { id, task, dependency, startedMs, timeoutMs: Math.max(1, limitMs), toolCalls, accounts }
  return { kind: 'permit', ...rest, place: acquired.place, isOver: false }
}

/** What was held is given back where there is no place, also when something of ours throws. */
async function placeOrNothing(
  engine: Engine,
  task: Task,
  ask: PermitAsk & { readonly id: HoldId },
): Promise<DependencyPlace> {
  let isPlaced = false
  try {
    const acquired = await acquireDependency(engine, task, ask)
    isPlaced = acquired.kind === 'place'
    return acquired
  } finally {
    if (!isPlaced) await engine.ledger.settle(ask.id, NOTHING)
  }
}

interface Use {
  readonly dependency: Dependency
  readonly isRetry: boolean
  readonly timeoutMs: number
}

type UseFit =
  | (Extract<Fit, { kind: 'fits' }> & { readonly timeoutMs: number })
  | Extract<Fit, { kind: 'short' }>

/** A tool may take as long as tool time is left. */
function fitUse({ dependency, isRetry, timeoutMs }: Use, left: Amounts): UseFit {
  const { kind, costNanoUsd } = dependency
  if (costNanoUsd > left.nanoUsd)
    return { kind: 'short', limit: 'nanoUsd', shortBy: costNanoUsd - left.nanoUsd }
  if (kind !== 'tool') {
    return { kind: 'fits', amounts: { ...NOTHING, nanoUsd: costNanoUsd }, timeoutMs: Math.ceil(timeoutMs) }
  }
  const toolCalls = isRetry ? 0 : 1
  if (toolCalls > left.toolCalls) return { kind: 'short', limit: 'toolCalls', shortBy: 1 }
  const toolMs = Math.min(Math.ceil(timeoutMs), Math.floor(left.toolMs))
  if (toolMs < 1) return { kind: 'short', limit: 'toolMs', shortBy: 1 }
  return { kind: 'fits', amounts: { ...NOTHING, toolCalls, toolMs, nanoUsd: costNanoUsd }, timeoutMs: toolMs }
}

function overBudget(task: Task, short: { readonly account: string; readonly limit: string }): Refusal {
  const code = ceilingOf(short.account) === null ? 'budget.exhausted' : 'ceiling.reached'
  return refused(code, `The use of a dependency is refused: ${short.limit} is used up.`, { task: task.id })
}

/** What it used replaces what was held, and its place is free. Returns what is charged. */
export async function endPermit(engine: Engine, permit: Permit, use: DependencyUse): Promise<Amounts> {
  if (permit.isOver) return NOTHING
  permit.isOver = true
  const { dependency, startedMs, timeoutMs, place, id } = permit
  const nowMs = engine.system.nowMs()
  const durationMs = Math.max(0, nowMs - startedMs)
  engine.capacity.end(place, observed(use, durationMs), nowMs)
  const isTool = dependency.kind === 'tool'
  const used: Amounts = {
    ...NOTHING,
    toolCalls: permit.toolCalls,
    toolMs: isTool ? Math.min(Math.ceil(durationMs), timeoutMs) : 0,
    nanoUsd: use.end === 'connection' ? 0 : dependency.costNanoUsd,
  }
  await engine.ledger.settle(id, used)
  return used
}

function observed({ end, status, retryAfterMs }: DependencyUse, durationMs: number): Observation {
  const tokens = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 }
  const firstTokenMs = end === 'ok' ? durationMs : null
  return { end, status, durationMs, firstTokenMs, ...tokens, retryAfterMs, headers: NO_HEADERS }
}
