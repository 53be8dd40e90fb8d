// What the simulated model says, before any wire format: the shape between `simulate-answer.ts` and the
// encoders.

import type { SimulatedBehaviour } from '../../../core/release/simulation.js'
import type { Directives } from './directives.js'

export type SimFinish = 'stop' | 'stop-sequence' | 'length' | 'tool-calls'

export interface SimToolCall {
  readonly id: string
  readonly name: string
  /** Tokens of the arguments; joined they are JSON, unless the limit cut them. */
  readonly pieces: readonly string[]
}

export interface SimChoice {
  readonly tokens: readonly string[]
  /** One per token; their mean is the logarithm of the confidence. */
  readonly logprobs: readonly number[]
  readonly toolCalls: readonly SimToolCall[]
  readonly finish: SimFinish
  readonly stopSequence: string | null
  readonly outputTokens: number
}

export const NO_CHOICE: SimChoice = {
  tokens: [],
  logprobs: [],
  toolCalls: [],
  finish: 'stop',
  stopSequence: null,
  outputTokens: 0,
}

export interface SimAnswer {
  /** Names this answer, for ids. */
  readonly id: string
  readonly confidence: number
  readonly choices: readonly SimChoice[]
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface SimOptions {
  readonly behaviour: SimulatedBehaviour
  readonly directives: Directives
  readonly seed: number
  /** How many times the same request came before: a model asked again need not say the same. */
  readonly ordinal: number
}
