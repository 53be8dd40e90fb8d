import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProgressGuard, firstTokenLimitMs } from './stream-guard.js'

describe('firstTokenLimitMs', () => {
  test.each([
    { given: 'four times the p95', p95Ms: 600, leftMs: 60_000, limitMs: 2_400 },
    { given: 'never less than a second', p95Ms: 20, leftMs: 60_000, limitMs: 1_000 },
    {
      given: 'half of a short deadline, so that another has the rest',
      p95Ms: 600,
      leftMs: 3_000,
      limitMs: 1_500,
    },
    { given: 'more than half for one that is normally slow', p95Ms: 2_000, leftMs: 4_000, limitMs: 3_000 },
    { given: 'all of it when nothing less would do', p95Ms: 4_000, leftMs: 4_000, limitMs: null },
    { given: 'all of it without data', p95Ms: null, leftMs: 60_000, limitMs: null },
  ])('$given', ({ p95Ms, leftMs, limitMs }) => {
    expect(firstTokenLimitMs(p95Ms, leftMs)).toBe(limitMs)
  })

  test('a whole answer that may be long has its time, if the task has it', () => {
    expect(firstTokenLimitMs(600, 60_000, 10_000)).toBe(15_000)
    expect(firstTokenLimitMs(600, 8_000, 10_000)).toBe(4_000)
  })

  test('what is normal for a deployment never ends it, and a limit leaves time', () => {
    const times = fc.record({
      p95Ms: fc.integer({ min: 1, max: 600_000 }),
      leftMs: fc.integer({ min: 0, max: 600_000 }),
    })
    fc.assert(
      fc.property(times, ({ p95Ms, leftMs }) => {
        const limitMs = firstTokenLimitMs(p95Ms, leftMs)
        expect(limitMs ?? Infinity).toBeGreaterThanOrEqual(p95Ms)
        expect(limitMs ?? -Infinity).toBeLessThan(leftMs)
      }),
    )
  })
})

/** Looks when told to. The clock shows something else where `shown` says so. */
function watch(
  perFrameMs: number | null,
  framesAt: (elapsedMs: number) => number,
  shown: (elapsedMs: number) => number = (ms) => ms,
): { readonly kind: string; readonly atMs: number } {
  const guard = new ProgressGuard(perFrameMs, framesAt(0), shown(0))
  let atMs = 0
  while (atMs < 120_000) {
    const progress = guard.look(framesAt(atMs), shown(atMs))
    if (progress.kind !== 'fine') return { kind: progress.kind, atMs }
    atMs += progress.againMs
  }
  return { kind: 'fine', atMs }
}

describe('ProgressGuard', () => {
  test('ten seconds without a token are a stall', () => {
    expect(watch(null, () => 5)).toEqual({ kind: 'stalled', atMs: 10_000 })
    expect(watch(null, (ms) => 5 + Math.floor(ms / 9_000))).toMatchObject({ kind: 'fine' })
  })

  test('a fifth of the normal speed is slow, but not within the first three seconds', () => {
    expect(watch(20, (ms) => 1 + ms / 120)).toEqual({ kind: 'slow', atMs: 3_000 })
    expect(watch(20, (ms) => 1 + ms / 80)).toMatchObject({ kind: 'fine' })
  })

  test('a pause after the first tokens is not slow, and a stall when it lasts', () => {
    expect(watch(20, (ms) => (ms < 100 ? 2 : 3))).toEqual({ kind: 'stalled', atMs: 11_000 })
    expect(watch(20, (ms) => (ms < 8_000 ? 2 : ms / 20))).toMatchObject({ kind: 'fine' })
  })

  test('of a deployment that nothing is known of, slow is fine', () => {
    expect(watch(null, (ms) => 1 + ms / 5_000)).toMatchObject({ kind: 'fine' })
  })

  test('a clock that leaps or is set back ends no stream that goes on', () => {
    const steady = (ms: number) => 1 + ms / 25
    expect(watch(20, steady, (ms) => ms + (ms > 7_000 ? 3_600_000 : 0))).toMatchObject({ kind: 'fine' })
    expect(watch(20, steady, (ms) => ms - (ms > 7_000 ? 3_600_000 : 0))).toMatchObject({ kind: 'fine' })
  })

  test('whatever clocks and streams do, a look is due within a second, and verdicts need their time', () => {
    const look = fc.record({ frames: fc.nat(50), stepMs: fc.integer({ min: -100_000, max: 100_000 }) })
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        const guard = new ProgressGuard(20, 1, 0)
        let [nowMs, frames, worthMs] = [0, 1, 0]
        for (const { stepMs, frames: more } of looks) {
          nowMs += stepMs
          frames += more
          worthMs += Math.min(1_000, Math.max(0, stepMs))
          const progress = guard.look(frames, nowMs)
          const againMs = progress.kind === 'fine' ? progress.againMs : 1
          expect(againMs > 0 && againMs <= 1_000).toBe(true)
          expect(worthMs).toBeGreaterThanOrEqual({ fine: 0, slow: 3_000, stalled: 10_000 }[progress.kind])
          if (progress.kind !== 'fine') return
        }
      }),
    )
  })
})
