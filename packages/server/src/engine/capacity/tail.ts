// How long a deployment normally takes to begin, at its slow end, and how fast its streams go on. Hedges and
// guards ask; while too little is known the answer is null and nothing is done.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { DecayedMean } from '../../core/capacity/decayed-mean.js'
import { LatencyQuantile } from '../../core/capacity/latency-quantile.js'

/** A prompt, or a whole answer, takes its time by its size, tokens: up to here, up to there, and more. */
const PROMPT_CLASSES = [1_000, 8_000]
const ANSWER_CLASSES = [64, 512]
const SHARE = 0.95
/** Times per piece, smoothed as round-trip times are (RFC 6298). */
const PACE = { newest: 1 / 8, countMin: 20 }
/** Shorter answers say nothing about a pace: frames, tokens. */
const PIECES_MIN = 8

/** Ended before there was a first token because it had taken too long: it would have taken longer still. */
const CUT_SHORT: ReadonlySet<string> = new Set(['hedge_lost', 'slow_start', 'timeout'])
/** The provider did its part. */
const TELLING: ReadonlySet<string> = new Set(['ok', 'cut', 'caller_left', 'hedge_lost', 'stalled', 'slow'])

export class Tail {
  /** By class: streams by their prompts, then whole answers by their limits. */
  readonly #classes: (LatencyQuantile | undefined)[] = []
  readonly #frames = new DecayedMean(PACE)
  /** Output tokens of whole answers. */
  readonly #tokens = new DecayedMean(PACE)

  learn(demand: Demand, seen: Observation): void {
    const beganMs = beganAfter(seen)
    if (beganMs === null) return
    const index = classOf(demand)
    const known = (this.#classes[index] ??= new LatencyQuantile(SHARE))
    known.add(beganMs)
    const { end, frames = 0, firstTokenMs, durationMs, outputTokens } = seen
    if (end !== 'ok' || firstTokenMs === null) return
    if (demand.stream) learnPace(this.#frames, durationMs - firstTokenMs, frames - 1)
    else learnPace(this.#tokens, firstTokenMs, outputTokens)
  }

  /** Of calls like this one: the time to the first token, or to the head of a whole answer, ms. */
  firstTokenP95(demand: Demand): number | null {
    return this.#classes[classOf(demand)]?.value() ?? null
  }

  /** Of streams with short prompts, for people. */
  streamP95(): number | null {
    return this.#classes[0]?.value() ?? null
  }

  /** Between two generated frames of a stream, ms. */
  perFrameMs(): number | null {
    return this.#frames.value()
  }

  /** What the longest answer to such a call takes before its head comes, ms. 0: a stream, or not known. */
  workMs({ stream, outputTokensMax }: Demand): number {
    return stream ? 0 : (this.#tokens.value() ?? 0) * outputTokensMax
  }
}

function learnPace(pace: DecayedMean, ms: number, pieces: number): void {
  if (ms >= 0 && pieces >= PIECES_MIN) pace.add(ms / pieces)
}

function beganAfter({ end, firstTokenMs, durationMs }: Observation): number | null {
  if (firstTokenMs !== null) return TELLING.has(end) ? firstTokenMs : null
  return CUT_SHORT.has(end) ? durationMs : null
}

function classOf({ stream, inputTokens, outputTokensMax }: Demand): number {
  if (stream) return place(inputTokens, PROMPT_CLASSES)
  return PROMPT_CLASSES.length + 1 + place(outputTokensMax, ANSWER_CLASSES)
}

function place(size: number, bounds: readonly number[]): number {
  let index = 0
  for (const bound of bounds) if (size > bound) index += 1
  return index
}
