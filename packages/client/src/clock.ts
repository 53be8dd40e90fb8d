// Time, as the client sees it. The only file here that touches the real clock, so that tests can move it by
// hand.

export interface Clock {
  /** Wall-clock time, ms since 1970. */
  now(): number
  /** Runs once after `delayMs`, unless the function it returns is called first. */
  after(delayMs: number, run: () => void): () => void
}

// Timers of browsers and Node count in 32 bits; more would fire at once.
const TIMER_MAX_MS = 2 ** 31 - 1

export const liveClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMER_MAX_MS))
    return () => clearTimeout(timer)
  },
}
