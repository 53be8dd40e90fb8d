// The facts rules read, gathered from a running call and from a task that ends.

import { remainingOf } from '../core/budget/remaining.js'
import { isObject } from '../core/json.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../core/money/bytes-per-token.js'
import type { Facts } from '../core/release/rule.js'
import { type BeforeCall, beforeFacts, signalFacts } from '../core/task/facts.js'
import type { AnswerFacts } from '../wire/format.js'
import { type Step, timeLeftMs } from './step-context.js'

export async function factsBefore(step: Step): Promise<Facts> {
  return reads(step) ? beforeFacts(await beforeCall(step)) : {}
}

/** Signals that were made from the answer join the facts known before the call. */
export async function factsAfter(step: Step, answer: AnswerFacts): Promise<Facts> {
  const facts = signalFacts(await beforeCall(step), step.signals)
  const output = { text: answer.text, json: parseJson(answer.text), finish_reason: answer.finishReason }
  return { ...facts, output: Object.fromEntries(Object.entries(output).filter(([, value]) => value !== undefined)) }
}

/** No rule, no facts: most contracts route by default, and gathering costs more than the decision. */
function reads({ task }: Step): boolean {
  return task.contract.route.rules.length > 0
}

async function beforeCall(step: Step): Promise<BeforeCall> {
  const { task, call, engine } = step
  const { view } = step.request
  const states = []
  for (const account of task.accounts) {
    const state = await engine.ledger.read(account)
    if (state !== null) states.push(state)
  }
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
    remaining: remainingOf(states),
    remainingMs: timeLeftMs(step),
    attributes: { ...task.attributes, ...call.attributes, ...attributeSignals(step) },
  }
}

/** A signal taken from an attribute is known before the call, under the signal's own name. */
function attributeSignals({ task, call }: Step): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, source] of Object.entries(task.contract.signals)) {
    if (source.from !== 'attribute') continue
    const value = call.attributes[source.name] ?? task.attributes[source.name]
    if (value !== undefined) values[name] = value
  }
  return values
}

export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) || Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
