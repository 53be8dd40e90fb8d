// What the simulator served, counted by itself: the other side of a gateway's ledger.

import type { FaultName, Script } from './script.js'

/** Tokens told to the caller in a usage object that was fully written, and tokens it was never told of. */
export interface TokenTally {
  reported: number
  unreported: number
}

export interface ModelStats {
  requests: number
  /** Whole answers, faultless and fully written. */
  answered: number
  /** Calls the caller left before their end. */
  aborted: number
  faults: Partial<Record<FaultName, number>>
  input_tokens: TokenTally
  output_tokens: TokenTally
}

export interface SimStats {
  readonly models: Readonly<Record<string, ModelStats>>
}

/** How far a script got. */
export interface Played {
  /** Frames that were fully written. */
  readonly frames: number
  readonly elapsedMs: number
  /** The script was played to its end. */
  readonly whole: boolean
}

export class StatsBook {
  readonly #models = new Map<string, ModelStats>()

  opened(script: Script): void {
    const stats = this.#statsOf(script.model)
    stats.requests += 1
    if (script.fault !== null) stats.faults[script.fault] = (stats.faults[script.fault] ?? 0) + 1
  }

  closed(script: Script, played: Played): void {
    const stats = this.#statsOf(script.model)
    if (!played.whole) stats.aborted += 1
    else if (script.fault === null) stats.answered += 1
    const written = script.frames.slice(0, played.frames)
    const reportedInput = sumOf(written.map((frame) => frame.reports?.inputTokens ?? null))
    const reportedOutput = sumOf(written.map((frame) => frame.reports?.outputTokens ?? null))
    stats.input_tokens.reported += reportedInput ?? 0
    stats.output_tokens.reported += reportedOutput ?? 0
    if (reportedInput === null) stats.input_tokens.unreported += script.inputTokens
    if (reportedOutput === null) stats.output_tokens.unreported += generatedTokens(script, played)
  }

  snapshot(): SimStats {
    return {
      models: Object.fromEntries([...this.#models].map(([name, stats]) => [name, structuredClone(stats)])),
    }
  }

  /** Names come from callers: beyond a thousand of them they share one entry. */
  #statsOf(model: string): ModelStats {
    const name = this.#models.has(model) || this.#models.size < MODELS_MAX ? model : '(other)'
    const known = this.#models.get(name)
    if (known !== undefined) return known
    const stats: ModelStats = {
      requests: 0,
      answered: 0,
      aborted: 0,
      faults: {},
      input_tokens: { reported: 0, unreported: 0 },
      output_tokens: { reported: 0, unreported: 0 },
    }
    this.#models.set(name, stats)
    return stats
  }
}

const MODELS_MAX = 1_000

/** null: none of the frames says anything. */
function sumOf(counts: readonly (number | null)[]): number | null {
  const told = counts.filter((count) => count !== null)
  return told.length === 0 ? null : told.reduce((sum, count) => sum + count, 0)
}

/** Of a stream, what was written; of a whole answer, what the model had made by the time the caller left. */
function generatedTokens(script: Script, played: Played): number {
  if (played.whole) return script.outputTokens
  if (script.stream) return script.frames[played.frames - 1]?.tokensSoFar ?? 0
  if (played.elapsedMs < script.firstTokenMs || script.outputTokens === 0) return 0
  if (script.msPerToken === 0) return script.outputTokens
  return Math.min(
    script.outputTokens,
    1 + Math.floor((played.elapsedMs - script.firstTokenMs) / script.msPerToken),
  )
}
