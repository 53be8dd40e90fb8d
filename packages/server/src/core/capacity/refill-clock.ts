// Time as a deployment's buckets refill by it. It stands still while the provider wants to be left alone,
// runs at half speed after a refusal and recovers by 5 % of full speed per second: all buckets of the
// deployment follow one clock, and each stays exact. Real clocks that jump give no present and lose no day.

/** Speed is counted in these: gaining one per ms is 5 % per second. */
const FULL_SPEED = 20_000
/** Many refusals in a row slow down no further than this: 1/32. */
const SPEED_MIN = FULL_SPEED / 32
/** A real clock that is this far behind has been set back, and is believed from there on. */
const BEHIND_MAX_MS = 60_000
/** More than this between two looks is not counted. */
const ELAPSED_MAX_MS = 86_400_000

export class RefillClock {
  #seenMs: number
  /** Accepted real time since the start. */
  #realMs = 0
  /** In real time since the start. */
  #restsUntilMs = 0
  #heldUntilMs = 0
  #speed = FULL_SPEED
  /** Time by which to refill: whole ms, and the rest in units of speed. */
  #ms = 0
  #part = 0

  constructor(nowMs: number) {
    this.#seenMs = nowMs
  }

  /** By which buckets refill, ms since the start. As of the last `advance`. */
  get ms(): number {
    return this.#ms
  }

  /** Accepted real time, ms since the start. As of the last `advance`. */
  get realMs(): number {
    return this.#realMs
  }

  get isResting(): boolean {
    return this.#restsUntilMs > this.#realMs
  }

  /** Share of full speed, 0..1. */
  get speed(): number {
    return this.#speed / FULL_SPEED
  }

  advance(nowMs: number): void {
    const beforeMs = this.#realMs
    this.#realMs += this.#accepted(nowMs)
    const ranMs = this.#realMs - Math.max(beforeMs, Math.min(this.#restsUntilMs, this.#realMs))
    if (ranMs === 0) return
    const recoveringMs = Math.min(ranMs, FULL_SPEED - this.#speed)
    const gained = this.#part + unitsOf(this.#speed, recoveringMs) + FULL_SPEED * (ranMs - recoveringMs)
    this.#speed += recoveringMs
    this.#ms += Math.floor(gained / FULL_SPEED)
    this.#part = gained % FULL_SPEED
  }

  /** Stands still for so long, from the last `advance` on. Never shortened by a later refusal. */
  rest(forMs: number): void {
    this.#restsUntilMs = Math.max(this.#restsUntilMs, this.#realMs + Math.min(forMs, ELAPSED_MAX_MS))
  }

  /** Nothing is sent for so long, and buckets go on refilling: the quota is not what is short. */
  hold(forMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#realMs + Math.min(forMs, ELAPSED_MAX_MS))
  }

  /** Half the speed of now. */
  slowDown(): void {
    this.#speed = Math.max(SPEED_MIN, Math.floor(this.#speed / 2))
  }

  /** Real ms from `nowMs` until it has gone on by `refillMs` and nothing stops sending any more. */
  waitMs(refillMs: number, nowMs: number): number {
    const behindMs = Math.max(0, this.#seenMs - nowMs)
    const restMs = Math.max(0, this.#restsUntilMs - this.#realMs)
    const waitMs = Math.max(restMs + this.#runMs(refillMs), this.#heldUntilMs - this.#realMs)
    return waitMs <= 0 ? 0 : behindMs + waitMs
  }

  #runMs(refillMs: number): number {
    const units = refillMs * FULL_SPEED - this.#part
    if (refillMs <= 0) return 0
    const toFullMs = FULL_SPEED - this.#speed
    const untilFull = unitsOf(this.#speed, toFullMs)
    if (units > untilFull) return toFullMs + Math.ceil((units - untilFull) / FULL_SPEED)
    const twice = 2 * this.#speed - 1
    const guess = Math.max(1, Math.floor((Math.sqrt(twice * twice + 8 * units) - twice) / 2))
    return unitsOf(this.#speed, guess) >= units ? guess : guess + 1
  }

  #accepted(nowMs: number): number {
    const elapsedMs = nowMs - this.#seenMs
    if (elapsedMs >= 0 || elapsedMs < -BEHIND_MAX_MS) this.#seenMs = nowMs
    return Math.min(ELAPSED_MAX_MS, Math.max(0, elapsedMs))
  }
}

/** What runs in so many ms that begin at this speed, each faster by one unit than the last. */
function unitsOf(speed: number, ms: number): number {
  return speed * ms + (ms * (ms - 1)) / 2
}
