// How much the model shall think: `thinking` and `output_config.effort` <-> our ask. Newer models take
// `adaptive` with an effort and refuse a budget, older ones take nothing but a budget (`BUDGET_TOKENS`).
// An ask is a hint: where the request asks for something that this format forbids beside thinking, or leaves
// no room for it, the ask gives way and `leftOut` says so.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, ReasoningAsk } from '../../core/model/message.js'
import { BUDGET_TOKENS, type Effort, effortFor } from '../../core/model/reasoning-effort.js'
import type { Problem } from '../../core/parsed.js'
import { countField } from '../fields.js'
import { makerOf } from '../reasoning-proof.js'
import { usesJsonTool } from './json-format.js'
import { knowsOnlyBudgets } from './older-models.js'

export interface SaidReasoning {
  readonly thinking: JsonObject | null
  readonly effort: string | null
  /** Places in the request of what could not be said. */
  readonly leftOut: readonly string[]
}

const BUDGET_TOKENS_MIN = 1_024
const TOP_P_MIN = 0.95

const EFFORTS: Readonly<Record<string, Effort>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  // Ours ends one step earlier; `unsaid` tells of it.
  max: 'xhigh',
}

export function decodeReasoning(body: Record<string, unknown>, problems: Problem[]): ReasoningAsk | null {
  const { thinking, output_config: config } = body
  const effort = effortOf(isObject(config) ? config['effort'] : null, problems)
  if (thinking === undefined || thinking === null) {
    return effort === null ? null : { effort, budgetTokens: null, visible: false }
  }
  const { type, budget_tokens: budget, display } = isObject(thinking) ? thinking : {}
  if (type === 'disabled') return { effort: 'none', budgetTokens: null, visible: false }
  const visible = display !== 'omitted'
  if (type === 'adaptive') return { effort, budgetTokens: null, visible }
  if (type !== 'enabled') {
    problems.push({ at: 'thinking.type', message: 'must be enabled, adaptive or disabled' })
    return null
  }
  return { effort, budgetTokens: countField(budget, 'thinking.budget_tokens', problems), visible }
}

function effortOf(value: unknown, problems: Problem[]): Effort | null {
  if (value === undefined || value === null) return null
  const effort = typeof value === 'string' && Object.hasOwn(EFFORTS, value) ? EFFORTS[value] : undefined
  if (effort !== undefined) return effort
  problems.push({ at: 'output_config.effort', message: 'must be low, medium, high, xhigh or max' })
  return null
}

const NOTHING: SaidReasoning = { thinking: null, effort: null, leftOut: [] }

export function sayReasoning(request: ModelRequest): SaidReasoning {
  const { reasoning: ask, model } = request
  if (ask === null) return NOTHING
  if (ask.effort === 'none') return { ...NOTHING, thinking: { type: 'disabled' } }
  if (knowsOnlyBudgets(model)) return sayBudget(request, ask)
  const wanted = ask.effort ?? (ask.budgetTokens === null ? null : effortFor(ask.budgetTokens))
  const effort = wanted === 'minimal' || wanted === 'none' ? 'low' : wanted
  if (forbidsThinking(request)) return { thinking: null, effort, leftOut: ['reasoning'] }
  // Said even where it is a model's default: it is not the default of all.
  const thinking = { type: 'adaptive', display: ask.visible ? 'summarized' : 'omitted' }
  const leftOut = [
    ...(ask.effort === 'minimal' ? ['reasoning.effort'] : []),
    ...(ask.budgetTokens === null ? [] : ['reasoning.budgetTokens']),
  ]
  return { thinking, effort, leftOut }
}

function sayBudget(request: ModelRequest, ask: ReasoningAsk): SaidReasoning {
  const wanted = ask.budgetTokens ?? BUDGET_TOKENS[ask.effort ?? 'medium']
  const limit = request.maxOutputTokens ?? 0
  // Thoughts count into the limit: half of it is left for the answer.
  const budget = wanted < limit ? wanted : Math.floor(limit / 2)
  if (budget < BUDGET_TOKENS_MIN || forbidsThinking(request) || endsInUnsignedCalls(request.messages)) {
    return { ...NOTHING, leftOut: ['reasoning'] }
  }
  const leftOut = [
    ...(ask.budgetTokens === null || budget === wanted ? [] : ['reasoning.budgetTokens']),
    ...(ask.budgetTokens === null || ask.effort === null ? [] : ['reasoning.effort']),
  ]
  return { thinking: { type: 'enabled', budget_tokens: budget }, effort: null, leftOut }
}

/** What the format refuses beside thinking: a forced call, and sampling other than its own. */
function forbidsThinking(request: ModelRequest): boolean {
  const { temperature, topP, topK, toolChoice, tools } = request
  const forced = tools.length > 0 && (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool')
  const sampled = (temperature ?? 1) !== 1 || (topP ?? 1) < TOP_P_MIN || topK !== null
  return forced || sampled || usesJsonTool(request)
}

/** Within a turn, budgeted thinking wants the signed thoughts back that led to the calls. */
function endsInUnsignedCalls(messages: readonly Message[]): boolean {
  const last = messages.at(-1)
  if (last?.parts.some((part) => part.kind === 'tool-result') !== true) return false
  const calls = messages.findLast((message) => message.role === 'assistant')?.parts ?? []
  return !calls.some((part) => part.kind === 'reasoning' && makerOf(part) === 'claude')
}
