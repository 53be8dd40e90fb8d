// How long a deployment normally takes to begin, at its slow end, and how fast its streams go on. Hedges and
// guards ask; while too little is known the answer is null and nothing is done.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { LatencyQuantile } from '../../core/capacity/latency-quantile.js'

/** A prompt, or a whole answer, takes its time by its size, tokens: up to here, up to there, and more. */
const PROMPT_CLASSES = [1_000, 8_000]
const ANSWER_CLASSES = [64, 512]
const SHARE = 0.95
/** As round-trip times are smoothed (RFC 6298). */
const PACE_WEIGHT = 1 / 8
/** Streams that must have been seen. */
const PACE_COUNT_MIN = 20
/** Shorter streams say nothing about a pace, frames. */
const PACE_FRAMES_MIN = 8

/** Ended before there was a first token because it had taken too long: it would have taken longer still. */
const CUT_SHORT: ReadonlySet<string> = new Set(['hedge_lost', 'slow_start', 'timeout'])
/** The provider did its part. */
const TELLING: ReadonlySet<string> = new Set(['ok', 'cut', 'caller_left', 'hedge_lost', 'stalled', 'slow'])

export class Tail {
  /** By class: streams by their prompts, then whole answers by their limits. */
  readonly #classes: (LatencyQuantile | undefined)[] = []
  #perFrameMs = 0
  #paced = 0

  learn(demand: Demand, seen: Observation): void {
    const beganMs = beganAfter(seen)
    if (beganMs === null) return
    const index = classOf(demand)
    const known = (this.#classes[index] ??= new LatencyQuantile(SHARE))
    known.add(beganMs)
    this.#pace(seen)
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
    return this.#paced < PACE_COUNT_MIN ? null : this.#perFrameMs
  }

  #pace({ end, frames = 0, firstTokenMs, durationMs }: Observation): void {
    if (end !== 'ok' || firstTokenMs === null || frames < PACE_FRAMES_MIN) return
    const perFrameMs = (durationMs - firstTokenMs) / (frames - 1)
    if (!(perFrameMs >= 0)) return
    const weight = Math.max(PACE_WEIGHT, 1 / (this.#paced + 1))
    this.#perFrameMs += weight * (perFrameMs - this.#perFrameMs)
    this.#paced = Math.min(PACE_COUNT_MIN, this.#paced + 1)
  }
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
