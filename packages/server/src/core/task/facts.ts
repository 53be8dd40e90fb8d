// The facts that rules read, by name. What is not known yet is left out, so that a rule on it is `unknown`.
// Spillway's own names always win over a caller's attributes: nobody talks a rule into another tenant.

import type { Amounts } from '../budget/amounts.js'
import { usdFromNano } from '../money/nano.js'
import type { Facts } from '../release/rule.js'
import type { Checks } from './checks.js'

export interface BeforeCall {
  readonly task: string
  readonly tenant: string
  /** The model as the caller asked for it. */
  readonly model: string
  readonly priority: string
  /** null is the empty text for rules: a caller without a session is known to have none. */
  readonly session: string | null
  readonly stream: boolean
  /** Estimated. */
  readonly inputTokens: number
  readonly hasTools: boolean
  readonly hasImages: boolean
  /** null: no rule asks. */
  readonly remaining: Amounts | null
  /** Until the task's deadline. */
  readonly remainingMs: number
  /** The tenant's with the caller's merged over them. */
  readonly attributes: Readonly<Record<string, unknown>>
}

const BEFORE: Readonly<Record<string, (call: BeforeCall) => unknown>> = {
  task: (call) => call.task,
  tenant: (call) => call.tenant,
  model: (call) => call.model,
  priority: (call) => call.priority,
  session: (call) => call.session ?? '',
  stream: (call) => call.stream,
  input_tokens: (call) => call.inputTokens,
  has_tools: (call) => call.hasTools,
  has_images: (call) => call.hasImages,
  remaining: ({ remaining, remainingMs }) =>
    remaining === null ? undefined : remainingFacts(remaining, remainingMs),
}
const BEFORE_NAMES = Object.keys(BEFORE)

/**
 * Facts for rules that choose the model before it is called. `names`: what some rule reads; nothing else is
 * gathered, since this runs on every call. Default: everything.
 */
export function beforeFacts(call: BeforeCall, names?: readonly string[]): Facts {
  return gather(names ?? [...Object.keys(call.attributes), ...BEFORE_NAMES], (name) =>
    Object.hasOwn(BEFORE, name) ? BEFORE[name]?.(call) : ownOf(call.attributes, name),
  )
}

function gather(names: readonly string[], factOf: (name: string) => unknown): Facts {
  const facts: Record<string, unknown> = {}
  for (const name of names) {
    const value = factOf(name)
    if (value !== undefined && name !== PROTOTYPE) facts[name] = value
  }
  return facts
}

/** Attributes come from callers: `constructor` is no attribute unless somebody sent one. */
function ownOf(attributes: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined
}

/**
 * The signals that arrived, over the facts known before: a signal replaces an attribute of its name, no
 * built-in.
 */
export function signalFacts(before: BeforeCall, signals: Readonly<Record<string, unknown>>): Facts {
  return beforeFacts({ ...before, attributes: { ...before.attributes, ...present(signals) } })
}

export interface AtEnd {
  readonly task: string
  readonly tenant: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly signals: Readonly<Record<string, unknown>>
  /** The last answer; null when none was delivered. */
  readonly output: {
    readonly text: string
    readonly finishReason: string | null
    readonly toolCalls: readonly { readonly name: string; readonly argumentsJson: string }[]
  } | null
  /** null: nothing to check. */
  readonly checks: Checks | null
  readonly evidence: readonly unknown[]
  /** The application's own, null until it comes. */
  readonly verdict: {
    readonly status: 'succeeded' | 'failed' | 'abandoned'
    readonly score: number | null
    readonly reason: string | null
  } | null
  readonly costNanoUsd: number
  readonly latencyMs: number
  readonly degraded: readonly string[]
  readonly escalated: boolean
  readonly modelCalls: number
}

const AT_END: Readonly<Record<string, (end: AtEnd) => unknown>> = {
  task: (end) => end.task,
  tenant: (end) => end.tenant,
  output: (end) => (end.output === null ? undefined : outputFacts(end.output)),
  checks: (end) => (end.checks === null ? undefined : present({ ...end.checks })),
  evidence: (end) => end.evidence,
  verdict: (end) => present(end.verdict ?? {}),
  cost_usd: (end) => usdFromNano(end.costNanoUsd),
  latency_ms: (end) => end.latencyMs,
  degraded: (end) => end.degraded,
  escalated: (end) => end.escalated,
  model_calls: (end) => end.modelCalls,
}
const END_NAMES = Object.keys(AT_END)

/** Facts for `success` and `harm`, when the task ends. `names` as in `beforeFacts`. */
export function endFacts(end: AtEnd, names?: readonly string[]): Facts {
  const all = () => [...Object.keys(end.attributes), ...Object.keys(end.signals), ...END_NAMES]
  return gather(names ?? all(), (name) =>
    Object.hasOwn(AT_END, name)
      ? AT_END[name]?.(end)
      : (ownOf(end.signals, name) ?? ownOf(end.attributes, name)),
  )
}

/** No limit is no fact: a rule on what is left of nothing in particular cannot be judged. */
function remainingFacts(left: Amounts, ms: number): Facts {
  return finite({
    cost_usd: usdFromNano(left.nanoUsd),
    model_calls: left.modelCalls,
    input_tokens: left.inputTokens,
    output_tokens: left.outputTokens,
    ms,
  })
}

function finite(amounts: Readonly<Record<string, number>>): Facts {
  const facts: Record<string, unknown> = {}
  for (const name in amounts) if (amounts[name] !== Infinity) facts[name] = amounts[name]
  return facts
}

function outputFacts({ text, finishReason, toolCalls }: NonNullable<AtEnd['output']>): Facts {
  const calls = toolCalls.map(({ name, argumentsJson }) =>
    present({ name, arguments: parseJson(argumentsJson) }),
  )
  const facts: Record<string, unknown> = { text, tool_calls: calls }
  const json = parseJson(text)
  if (json !== undefined) facts['json'] = json
  if (finishReason !== null) facts['finish_reason'] = finishReason
  return facts
}

/** Without the members that are not there. */
function present(members: Readonly<Record<string, unknown>>): Facts {
  const facts: Record<string, unknown> = {}
  for (const name in members) {
    const value = members[name]
    if (value !== undefined && value !== null && name !== PROTOTYPE) facts[name] = value
  }
  return facts
}

// Assigned, this name would not add a fact but replace where all others are looked up.
const PROTOTYPE = '__proto__'

/** Objects and lists only. Nearly every answer is prose, and finding that out by an exception is dear. */
function parseJson(text: string): unknown {
  const first = text.trimStart()[0]
  if (first !== '{' && first !== '[') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
