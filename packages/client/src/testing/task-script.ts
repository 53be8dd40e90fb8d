// What a Spillway answers on the routes of tasks, for tests that care about something else: for the client's
// tests only.

import type { Clock } from '../clock.js'
import type { Reply, Script } from './scripted-server.js'

export const LIMITS = {
  model_calls: 5,
  input_tokens: 6000,
  output_tokens: 700,
  tool_calls: 2,
  tool_ms: 4000,
  cost_usd: 0.05,
}
export const SPENT = {
  model_calls: 0,
  input_tokens: 0,
  output_tokens: 0,
  tool_calls: 0,
  tool_ms: 0,
  cost_usd: 0,
}
export const JUDGED = {
  success: true,
  harm: false,
  reasons: [],
  cost_usd: 0.0002,
  price_usd: 0.1,
  margin_usd: 0.0998,
  latency_ms: 120,
  slo_met: true,
}

export function balance(id: string, toolCallsLeft: number) {
  return { id, spent: SPENT, remaining: { ...LIMITS, tool_calls: toolCallsLeft } }
}

/**
 * Answers the control API by the book; `models` answers everything else. Tasks live 8 s by the given clock.
 */
export function taskScript(clock: Clock, models: Script = () => ({ status: 404, json: {} })): Script {
  const headers = { date: new Date(clock.now()).toUTCString() }
  let tasks = 0
  return (request, count): Reply => {
    if (request.method === 'POST' && request.path === '/v1/tasks') {
      tasks += 1
      const deadline = new Date(clock.now() + 8_000).toISOString()
      const budget = { limits: LIMITS, spent: SPENT, remaining: LIMITS }
      const json = { id: `task_${tasks}`, contract: 'support_reply', release: 'rel_1', deadline, budget }
      return { status: 201, headers, json }
    }
    const [, id = '', what] = /^\/v1\/tasks\/([^/]+)\/(steps|outcome)$/.exec(request.path) ?? []
    if (what === 'steps')
      return {
        status: 201,
        headers,
        json: { id: 'step_1', task: balance(id, LIMITS.tool_calls - 1 - count) },
      }
    if (what === 'outcome') return { headers, json: JUDGED }
    return models(request, count)
  }
}
