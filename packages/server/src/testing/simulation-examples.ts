// A simulation that does nothing wrong, and requests to ask it.

import { DEFAULT_BEHAVIOUR, DEFAULT_SIMULATION } from '../config/read-simulation.js'
import type { SimulatedBehaviour, Simulation } from '../core/release/simulation.js'

export const BEHAVIOUR: SimulatedBehaviour = DEFAULT_BEHAVIOUR

export function simulationWith(more: Partial<Simulation> = {}): Simulation {
  return { ...DEFAULT_SIMULATION, seed: 7, ...more }
}

export const QUESTION = 'My replacement card has not arrived, and the transfer to my landlord failed twice.'

export function chatBody(more: Record<string, unknown> = {}, text = QUESTION): Record<string, unknown> {
  return { model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }], ...more }
}

export function messagesBody(more: Record<string, unknown> = {}, text = QUESTION): Record<string, unknown> {
  return { model: 'claude-3-5-sonnet', max_tokens: 500, messages: [{ role: 'user', content: text }], ...more }
}
