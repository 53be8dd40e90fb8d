import { describe, expect, test } from 'vitest'
import { ReplicaLoad } from './replica-load.js'

describe('ReplicaLoad', () => {
  test('work halves every minute', () => {
    const load = new ReplicaLoad()
    load.sent({ prefillMs: 0, workMs: 800 }, 0)
    expect(load.workMs(60_000)).toBeCloseTo(400)
    load.sent({ prefillMs: 0, workMs: 100 }, 60_000)
    expect(load.workMs(60_000)).toBeCloseTo(500)
  })

  test('prompts stand in line, and the line moves', () => {
    const load = new ReplicaLoad()
    load.sent({ prefillMs: 100, workMs: 0 }, 0)
    load.sent({ prefillMs: 200, workMs: 0 }, 50)
    expect(load.queueWaitMs(50)).toBe(250)
    expect(load.queueWaitMs(299)).toBe(1)
    expect(load.queueWaitMs(400)).toBe(0)
  })

  test('nothing waits where nothing runs', () => {
    const load = new ReplicaLoad()
    load.sent({ prefillMs: 10_000, workMs: 0 }, 0)
    load.rest()
    expect(load.queueWaitMs(1)).toBe(0)
  })

  test('a line is never longer than a minute, whatever is sent and however the clock jumps', () => {
    const load = new ReplicaLoad()
    for (const nowMs of [0, 1e12, 5, 1e12, 0]) {
      load.sent({ prefillMs: 1e9, workMs: 1e6 }, nowMs)
      expect(load.queueWaitMs(nowMs)).toBeLessThanOrEqual(60_000)
      expect(load.workMs(nowMs)).toBeGreaterThanOrEqual(1e6)
    }
  })

  test('a clock that goes back fades nothing', () => {
    const load = new ReplicaLoad()
    load.sent({ prefillMs: 0, workMs: 100 }, 60_000)
    expect(load.workMs(0)).toBe(100)
    expect(load.workMs(60_000)).toBe(100)
  })
})
