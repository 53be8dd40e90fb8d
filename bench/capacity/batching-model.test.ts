import { expect, test } from 'vitest'
import { BatchingModel, type BatchingOptions, capacityOf, steadyState } from './batching-model.js'

const OPTIONS: BatchingOptions = {
  stepMs: 20,
  perRunningMs: 0.5,
  prefillMs: 2,
  perPromptTokenMs: 0.01,
  runningMax: 2,
  promptTokensPerStep: 1_000,
  cacheBlocks: 0,
}
const job = (id: number, outputTokens: number, blocks: readonly string[] = []) => ({
  id,
  promptTokens: 100,
  outputTokens,
  blocks,
})

test('a step takes a + b * running, and reading a prompt takes time of the step', () => {
  const model = new BatchingModel(OPTIONS)
  expect(model.beginStep()).toBeNull()
  model.submit(job(1, 2))
  expect(model.beginStep()).toBeCloseTo(20 + 0.5 + 3)
  expect(model.endStep()).toEqual({ tokens: [1], finished: [] })
  model.submit(job(2, 1))
  expect(model.beginStep()).toBeCloseTo(20 + 1 + 3)
  expect(model.endStep()).toEqual({ tokens: [1, 2], finished: [1, 2] })
  expect(model.beginStep()).toBeNull()
})

test('what does not fit into the batch waits in line, and an abort frees its place', () => {
  const model = new BatchingModel(OPTIONS)
  for (const id of [1, 2, 3, 4]) model.submit(job(id, 5))
  model.beginStep()
  expect([model.running, model.waiting]).toEqual([2, 2])
  model.abort(1)
  model.abort(4)
  model.endStep()
  model.beginStep()
  expect(model.endStep().tokens).toEqual([2, 3])
  expect(model.waiting).toBe(0)
})

test('prompts are read in portions, one at least', () => {
  const model = new BatchingModel({ ...OPTIONS, runningMax: 10, promptTokensPerStep: 150 })
  for (const id of [1, 2, 3]) model.submit(job(id, 5))
  model.beginStep()
  expect([model.running, model.waiting]).toEqual([2, 1])
})

test('a known prefix is not computed again, and the oldest is forgotten first', () => {
  const model = new BatchingModel({ ...OPTIONS, cacheBlocks: 3 })
  const run = (id: number, blocks: readonly string[]): number => {
    model.submit(job(id, 1, blocks))
    model.beginStep()
    const cached = model.cachedOf(id)
    model.endStep()
    return cached
  }
  expect(run(1, ['a', 'ab'])).toBe(0)
  expect(run(2, ['a', 'ab', 'abc'])).toBe(32)
  expect(run(3, ['x'])).toBe(0)
  expect(run(4, ['a', 'ab', 'abc'])).toBe(32)
  expect(model.counters).toMatchObject({ promptTokens: 336, cachedTokens: 64, outputTokens: 4, steps: 4 })
})

test('the closed form agrees with the model itself', () => {
  const options = { ...OPTIONS, runningMax: 40, promptTokensPerStep: 100_000 }
  const model = new BatchingModel(options)
  let [id, ms, finished] = [0, 0, 0]
  // Staggered, so that they do not all end in the same step.
  for (; id < 40; id += 1) model.submit(job(id, 1 + (id % 20)))
  for (let step = 0; step < 2_000; step += 1) {
    ms += model.beginStep() ?? 0
    const ended = model.endStep().finished
    finished += ended.length
    for (let count = 0; count < ended.length; count += 1, id += 1) model.submit(job(id, 20))
  }
  const { perSecond } = steadyState(options, { running: 40, promptTokens: 100, outputTokens: 20 })
  expect((finished / ms) * 1_000).toBeCloseTo(perSecond, 0)
})

test('the capacity is where a token takes as long as it may', () => {
  const need = { promptTokens: 100, outputTokens: 20, tokenMsMax: 60 }
  const { running, perSecond } = capacityOf({ ...OPTIONS, runningMax: 400 }, need)
  const at = (count: number) => steadyState(OPTIONS, { ...need, running: count })
  expect(at(running).stepMs).toBeLessThanOrEqual(60)
  expect(at(running + 1).stepMs).toBeGreaterThan(60)
  expect(perSecond).toBe(at(running).perSecond)
})
