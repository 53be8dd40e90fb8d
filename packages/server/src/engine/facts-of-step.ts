// The facts rules read, gathered from a running call. Only what some rule of the route asks for is gathered.

import type { Amounts } from '../core/budget/amounts.js'
import { remainingOf } from '../core/budget/remaining.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../core/money/bytes-per-token.js'
import type { Contract, RouteRule } from '../core/release/release.js'
import type { Facts } from '../core/release/rule.js'
import { type BeforeCall, beforeFacts, signalFacts } from '../core/task/facts.js'
import { NO_FACTS } from './open-task.js'
import { type Step, timeLeftMs } from './step-context.js'
import { imagesWorth } from '../wire/prompt-size.js'

export function factsBefore(step: Step): Facts {
  const { rules } = step.task.contract.route
  return rules.length === 0 ? NO_FACTS : beforeFacts(beforeCall(step), readBefore(rules))
}

const NAMES = new WeakMap<readonly RouteRule[], readonly string[]>()

/** What the rules that are asked before the call read: computed once per release. */
function readBefore(rules: readonly RouteRule[]): readonly string[] {
  const known = NAMES.get(rules)
  if (known !== undefined) return known
  const asked = rules.filter((rule) => rule.phase === 'before')
  const names = [...new Set(asked.flatMap((rule) => rule.condition.reads))]
  NAMES.set(rules, names)
  return names
}

/** Signals that were made from the answer join the facts known before the call. */
export function factsAfter(step: Step): Facts {
  return signalFacts(beforeCall(step), step.signals)
}

function beforeCall(step: Step): BeforeCall {
  const { task, call } = step
  const { view } = step.request
  const size = { bytes: view.promptBytes, images: imagesWorth(view), messages: 1 }
  return {
    task: task.contract.name,
    tenant: task.tenant.name,
    model: view.model,
    priority: call.priority,
    session: task.session,
    stream: view.stream,
    inputTokens: estimateInputTokens(NOTHING_LEARNED, size),
    hasTools: view.hasTools,
    hasImages: view.hasImages,
    remaining: remaining(step),
    remainingMs: timeLeftMs(step),
    attributes: attributesOf(step),
  }
}

function remaining({ task, engine }: Step): Amounts | null {
  if (!task.contract.route.rules.some((rule) => rule.condition.reads.includes('remaining'))) return null
  const states = []
  for (const account of task.accounts) {
    const state = engine.ledger.read(account)
    if (state !== null) states.push(state)
  }
  return remainingOf(states)
}

/** A signal taken from an attribute is known before the call, under the signal's own name. */
export function attributesOf({ task, call }: Step): Facts {
  const { signals } = task.contract
  const isPlain = call.attributes === NO_FACTS && !hasAttributeSignal(signals)
  if (isPlain) return task.attributes
  const attributes: Record<string, unknown> = { ...task.attributes, ...call.attributes }
  for (const name in signals) {
    const source = signals[name]
    if (source?.from !== 'attribute') continue
    const value = attributes[source.name]
    if (value !== undefined) attributes[name] = value
  }
  return attributes
}

function hasAttributeSignal(signals: Contract['signals']): boolean {
  for (const name in signals) if (signals[name]?.from === 'attribute') return true
  return false
}
