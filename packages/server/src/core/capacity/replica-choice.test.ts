import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Replica, WORK_BOUND, chooseReplica } from './replica-choice.js'

const IDLE: Replica = {
  matchedTokens: 0,
  queueWaitMs: 0,
  prefillMsPerToken: 0.1,
  perTokenMs: 20,
  perTokenWorkMs: 0.25,
  workMs: 0,
}
const ASK = { promptTokens: 10_000, outputTokens: 100, firstTokenTargetMs: null }

describe('chooseReplica', () => {
  test('the replica that has the prompt warm takes it', () => {
    expect(chooseReplica([IDLE, { ...IDLE, matchedTokens: 8_000 }], ASK)).toMatchObject({
      index: 1,
      reason: 'warm',
      prefillMs: 200,
    })
  })

  test('what nobody has goes where least was sent', () => {
    const busy = { ...IDLE, workMs: 500 }
    expect(chooseReplica([busy, IDLE, busy], ASK)).toMatchObject({ index: 1, reason: 'cold' })
  })

  test('of two that have the same, the one that waits less takes it', () => {
    const warm = { ...IDLE, matchedTokens: 8_000 }
    expect(chooseReplica([{ ...warm, queueWaitMs: 900 }, warm], ASK).index).toBe(1)
  })

  test('the warm one is kept while it is worse by 200 ms, and left beyond', () => {
    // 100 tokens of 100,000 are warm: 80 ms, with what the others lose by computing them again.
    const warm = { ...IDLE, matchedTokens: 100 }
    const waits = (queueWaitMs: number) => chooseReplica([{ ...warm, queueWaitMs }, IDLE], ASK)
    expect(waits(80 + 200)).toMatchObject({ index: 0, reason: 'warm' })
    expect(waits(80 + 201).index).toBe(0)
    expect(waits(80 + 600)).toMatchObject({ index: 1, reason: 'cheaper' })
  })

  test('a fifth of the target for the first token is allowed too', () => {
    const warm = { ...IDLE, matchedTokens: 100, queueWaitMs: 680 }
    const ask = { ...ASK, firstTokenTargetMs: 3_000 }
    expect(chooseReplica([warm, IDLE], ask)).toMatchObject({ index: 0, reason: 'warm' })
  })

  test('a warm one that would miss the target for the first token is left for one that keeps it', () => {
    const warm = { ...IDLE, matchedTokens: 9_000, queueWaitMs: 3_000 }
    const late = { ...ASK, firstTokenTargetMs: 3_000 }
    expect(chooseReplica([warm, IDLE], late)).toMatchObject({ index: 1, reason: 'cheaper' })
    expect(chooseReplica([warm, IDLE], { ...late, firstTokenTargetMs: 4_000 }).index).toBe(0)
  })

  test('nothing keeps a replica above its share of the work', () => {
    const hot = { ...IDLE, matchedTokens: 10_000, workMs: 60_000 }
    expect(chooseReplica([hot, { ...IDLE, workMs: 20_000 }], ASK)).toMatchObject({
      index: 1,
      reason: 'balance',
    })
  })

  test('where there is little work, sharing it evenly is worth nothing', () => {
    const hot = { ...IDLE, matchedTokens: 10_000, workMs: 24_000 }
    expect(chooseReplica([hot, IDLE], ASK)).toMatchObject({ index: 0, reason: 'warm' })
  })

  const replica = fc.record({
    matchedTokens: fc.nat(10_000),
    queueWaitMs: fc.nat(5_000),
    prefillMsPerToken: fc.double({ min: 0, max: 1, noNaN: true }),
    perTokenMs: fc.nat(100),
    perTokenWorkMs: fc.nat(5),
    workMs: fc.nat(200_000),
  })

  test('whatever is known, somebody takes it who has room under the bound', () => {
    fc.assert(
      fc.property(fc.array(replica, { minLength: 1, maxLength: 8 }), (replicas) => {
        const { index, workMs } = chooseReplica(replicas, ASK)
        const chosen = replicas[index]
        const mean = replicas.reduce((sum, each) => sum + each.workMs, 0) / replicas.length
        expect(chosen).toBeDefined()
        expect(chosen?.workMs ?? 0).toBeLessThanOrEqual(Math.max(25_000, WORK_BOUND * mean))
        expect(workMs).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
