// Lays an answer out in time, and the vocabulary that answers and faults share.

import type { SimulatedBehaviour } from '../../../core/release/simulation.js'
import type { Directives } from './directives.js'
import type { RateState } from './rate-bucket.js'
import type { Piece, Script } from './script.js'
import type { SimRoute } from './sim-request.js'

export interface Circumstances {
  readonly route: SimRoute
  readonly behaviour: SimulatedBehaviour
  readonly directives: Directives
  readonly seed: number
  /** How often the same request came before. */
  readonly ordinal: number
  readonly nowMs: number
  /** State of the requests-per-minute bucket after this call; null when throttling is off. */
  readonly rate: { readonly granted: boolean; readonly state: RateState } | null
}

/** What faults and answers share: when and under which names. */
export interface ScriptBase {
  readonly model: string
  readonly stream: boolean
  readonly requestId: string
  readonly occasion: string
  readonly firstTokenMs: number
  readonly msPerToken: number
  readonly headers: Readonly<Record<string, string>>
}

export interface Generated {
  readonly pieces: readonly Piece[]
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A stream's head comes with its first token, a whole answer's with its last. */
export function answerScript(generated: Generated, base: ScriptBase): Script {
  const { firstTokenMs, msPerToken, stream } = base
  const dueMs = (tokens: number): number => firstTokenMs + Math.max(0, tokens - 1) * msPerToken
  return {
    model: base.model,
    stream,
    fault: null,
    status: 200,
    headers: {
      'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
      ...base.headers,
    },
    headAtMs: stream ? firstTokenMs : dueMs(generated.outputTokens),
    frames: generated.pieces.map((piece) => ({ ...piece, atMs: dueMs(piece.tokensSoFar) })),
    end: 'end',
    inputTokens: generated.inputTokens,
    outputTokens: generated.outputTokens,
    firstTokenMs,
    msPerToken,
  }
}
