// When an answer that nobody has seen yet is given up because another deployment could give it sooner: no
// first token, none for a while, or far fewer than the deployment normally has. What the task has left bounds
// them all. Without data about the deployment there is no guard.

/** No first token within so many times the deployment's own p95. */
const FIRST_TOKEN_FACTOR = 4
/** A whole answer that is as long as it may be, at a slower pace than normal, is not late. */
const WORK_FACTOR = 1.5
/** Nor is it given up before this, ms: one collection of garbage is no reason. */
const FIRST_TOKEN_FLOOR_MS = 1_000
/** A slow deployment may have this share of the time left, so that another still has a chance. */
const FIRST_TOKEN_SHARE = 0.5
/** One that is normally so slow that it needs more gets this many times its p95. */
const FIRST_TOKEN_FACTOR_MIN = 1.5

/** No token for so long is a stall, ms: longer than any pause of one that is only busy. */
const STALL_MS = 10_000
/** Slower than normal by this: far below what the deployment normally does. */
const SLOW_FACTOR = 5
/** Speed is judged after this long: the first tokens come as they like. */
const SPEED_AFTER_MS = 3_000
/** Between two looks, ms. */
const LOOK_MS = 1_000

/**
 * How long to wait for the first token, or for the head of a whole answer, ms; null: as long as the task has.
 * `p95Ms`: of this deployment for calls like this one. `workMs`: what the longest answer takes that may come
 * before the head; 0, the default, of a stream.
 */
export function firstTokenLimitMs(p95Ms: number | null, leftMs: number, workMs = 0): number | null {
  if (p95Ms === null) return null
  const patient = Math.max(FIRST_TOKEN_FLOOR_MS, FIRST_TOKEN_FACTOR * p95Ms, WORK_FACTOR * workMs)
  const fair = Math.max(FIRST_TOKEN_SHARE * leftMs, FIRST_TOKEN_FACTOR_MIN * p95Ms)
  const limitMs = Math.ceil(Math.min(patient, fair))
  return limitMs < leftMs ? limitMs : null
}

export type Progress =
  /** Look again after this many ms. */
  | { readonly kind: 'fine'; readonly againMs: number }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'slow' }

/** From the first token on: does it go on coming? */
export class ProgressGuard {
  readonly #perFrameMs: number | null
  #seenMs: number
  #frames: number
  /** Since the first, and since the last that came. Neither grows by more than a look takes, ms. */
  #elapsedMs = 0
  #silentMs = 0

  /** `perFrameMs`: normal for this deployment; null: not known, then only a stall counts. */
  constructor(perFrameMs: number | null, frames: number, nowMs: number) {
    this.#perFrameMs = perFrameMs
    this.#seenMs = nowMs
    this.#frames = frames
  }

  /** `frames`: all generated ones so far. A clock that leaps, either way, says nothing about the stream. */
  look(frames: number, nowMs: number): Progress {
    const passedMs = Math.min(LOOK_MS, Math.max(0, nowMs - this.#seenMs))
    this.#seenMs = nowMs
    this.#elapsedMs += passedMs
    this.#silentMs = frames > this.#frames ? 0 : this.#silentMs + passedMs
    this.#frames = Math.max(this.#frames, frames)
    if (this.#silentMs >= STALL_MS) return { kind: 'stalled' }
    if (this.#isSlow()) return { kind: 'slow' }
    return { kind: 'fine', againMs: Math.min(LOOK_MS, STALL_MS - this.#silentMs) }
  }

  #isSlow(): boolean {
    // A pause is no pace: it is a stall, once it is long enough.
    const activeMs = this.#elapsedMs - this.#silentMs
    if (this.#perFrameMs === null || activeMs < SPEED_AFTER_MS) return false
    return activeMs > SLOW_FACTOR * this.#perFrameMs * this.#frames
  }
}
