// A simulation that does nothing wrong, and requests to ask it.

import type { SimulatedBehaviour, Simulation } from '../core/release/release.js'

export const BEHAVIOUR: SimulatedBehaviour = {
  latencyMs: 0,
  jitter: 0,
  tokensPerSecond: 0,
  errorRate: 0,
  throttleRate: 0,
  requestsPerMinute: 0,
  brokenStreamRate: 0,
  stallRate: 0,
  outage: false,
  usageFactor: 1,
  confidence: 0.9,
  outputTokens: 48,
}

export function simulationWith(more: Partial<Simulation> = {}): Simulation {
  return { seed: 7, models: {}, ...BEHAVIOUR, ...more }
}

export const QUESTION = 'My replacement card has not arrived, and the transfer to my landlord failed twice.'

export function chatBody(more: Record<string, unknown> = {}, text = QUESTION): Record<string, unknown> {
  return { model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }], ...more }
}

export function messagesBody(more: Record<string, unknown> = {}, text = QUESTION): Record<string, unknown> {
  return { model: 'claude-3-5-sonnet', max_tokens: 500, messages: [{ role: 'user', content: text }], ...more }
}
