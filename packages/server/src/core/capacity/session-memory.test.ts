import { describe, expect, test } from 'vitest'
import { SESSIONS_MAX, SessionMemory } from './session-memory.js'

const MINUTE_MS = 60_000

describe('SessionMemory', () => {
  test('a conversation is where it was last sent, for the time to live', () => {
    const sessions = new SessionMemory()
    sessions.sent('acme 1', { deployment: 'a', promptTokens: 100, nowMs: 0 })
    sessions.sent('acme 1', { deployment: 'b', promptTokens: 200, nowMs: 10 })
    expect(sessions.seat('acme 1', MINUTE_MS, MINUTE_MS)).toMatchObject({
      deployment: 'b',
      promptTokens: 200,
    })
    expect(sessions.seat('acme 1', MINUTE_MS + 11, MINUTE_MS)).toBeNull()
    expect(sessions.seat('other 1', 0, MINUTE_MS)).toBeNull()
  })

  test('the longest unused goes when there are too many', () => {
    const sessions = new SessionMemory()
    for (let n = 0; n < SESSIONS_MAX; n += 1)
      sessions.sent(`s${n}`, { deployment: 'a', promptTokens: 1, nowMs: n })
    sessions.sent('s0', { deployment: 'a', promptTokens: 2, nowMs: SESSIONS_MAX })
    sessions.sent('new', { deployment: 'a', promptTokens: 1, nowMs: SESSIONS_MAX })
    expect(sessions.size).toBe(SESSIONS_MAX)
    expect(sessions.seat('s0', SESSIONS_MAX, Infinity)).not.toBeNull()
    expect(sessions.seat('s1', SESSIONS_MAX, Infinity)).toBeNull()
  })

  test('a clock that goes back makes no conversation younger', () => {
    const sessions = new SessionMemory()
    sessions.sent('old', { deployment: 'a', promptTokens: 1, nowMs: 0 })
    sessions.sent('new', { deployment: 'a', promptTokens: 1, nowMs: MINUTE_MS })
    expect(sessions.seat('old', 1, 1_000)).toBeNull()
  })
})
