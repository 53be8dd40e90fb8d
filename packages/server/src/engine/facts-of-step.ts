// The facts rules read, gathered from a running call. Only what some rule of the route asks for is gathered.

import type { Amounts } from '../core/budget/amounts.js'
import { remainingOf } from '../core/budget/remaining.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../core/money/bytes-per-token.js'
import type { Facts } from '../core/release/rule.js'
import { type BeforeCall, beforeFacts, signalFacts } from '../core/task/facts.js'
import { type Step, timeLeftMs } from './step-context.js'

export async function factsBefore(step: Step): Promise<Facts> {
  return step.task.contract.route.rules.length === 0 ? {} : beforeFacts(await beforeCall(step))
}

/** Signals that were made from the answer join the facts known before the call. */
export async function factsAfter(step: Step): Promise<Facts> {
  return signalFacts(await beforeCall(step), step.signals)
}

async function beforeCall(step: Step): Promise<BeforeCall> {
  const { task, call } = step
  const { view } = step.request
  const size = { bytes: view.promptBytes, images: view.imageCount, messages: 1 }
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
    remaining: await remaining(step),
    remainingMs: timeLeftMs(step),
    attributes: attributesOf(step),
  }
}

async function remaining({ task, engine }: Step): Promise<Amounts | null> {
  if (!task.contract.route.rules.some((rule) => rule.condition.reads.includes('remaining'))) return null
  const states = []
  for (const account of task.accounts) {
    const state = await engine.ledger.read(account)
    if (state !== null) states.push(state)
  }
  return remainingOf(states)
}

/** A signal taken from an attribute is known before the call, under the signal's own name. */
function attributesOf({ task, call }: Step): Facts {
  const attributes: Record<string, unknown> = { ...task.attributes, ...call.attributes }
  const { signals } = task.contract
  for (const name in signals) {
    const source = signals[name]
    if (source?.from !== 'attribute') continue
    const value = attributes[source.name]
    if (value !== undefined) attributes[name] = value
  }
  return attributes
}
