import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadBody } from '../testing/told-bodies.js'
import { parseServerLoad } from './server-load.js'

test.each([
  [
    'vllm.txt',
    'two engines behind one address are added up, and the fuller cache counts',
    { server: 'vllm', running: 12, waiting: 3, cacheUsedShare: 0.4213 },
  ],
  [
    'vllm-v0.txt',
    'the older name of the cache is known',
    { server: 'vllm', running: 2, waiting: 0, cacheUsedShare: 0.125 },
  ],
  [
    'sglang.txt',
    'ranks that share the work of the same requests are counted once',
    { server: 'sglang', running: 162, waiting: 2826, cacheUsedShare: 0.28 },
  ],
  [
    'llama-cpp.txt',
    'gauges without labels are read',
    { server: 'llama.cpp', running: 2, waiting: 1, cacheUsedShare: 0.0625 },
  ],
  [
    'tensorrt-llm.json',
    'the last iteration is now',
    { server: 'tensorrt-llm', running: 3, waiting: 1, cacheUsedShare: 0.25 },
  ],
] as const)('%s: %s', (name, _, load) => {
  expect(parseServerLoad(loadBody(name))).toEqual({ kind: 'ok', value: load })
})

test('what is not said is null, not zero', () => {
  const read = parseServerLoad('vllm:num_requests_running 4\n')
  expect(read).toEqual({
    kind: 'ok',
    value: { server: 'vllm', running: 4, waiting: null, cacheUsedShare: null },
  })
})

test.each([
  ['not a number', 'NaN', null],
  ['infinite', '+Inf', null],
  ['negative', '-1', null],
  ['more than all', '1.5', null],
  ['with its time', '0.5 1732406400000', 0.5],
])('a cache that is %s', (_, value, share) => {
  const text = `sglang:num_running_reqs 1\nsglang:token_usage{model_name="a } b"} ${value}\n`
  expect(parseServerLoad(text)).toMatchObject({ kind: 'ok', value: { cacheUsedShare: share } })
})

test.each([
  ['nothing', ''],
  ['other metrics', 'process_cpu_seconds_total 1\nvllm:num_requests_running_ever 9\n'],
  ['an object', '{"status":"ok"}'],
  ['a list of something else', '[1, {"iter": 2}]'],
  ['half a list', '[{"numActiveRequests": 1}'],
])('%s is no load', (_, text) => {
  expect(parseServerLoad(text).kind).toBe('invalid')
})

test('a TensorRT-LLM that did nothing since it was last asked is idle, which is said', () => {
  expect(parseServerLoad('[]')).toMatchObject({
    problems: [{ message: expect.stringContaining('idle') as string }],
  })
})

test('requests of any number of engines add up, in any order', () => {
  const engines = fc.uniqueArray(fc.record({ engine: fc.nat(99), running: fc.nat(1_000) }), {
    selector: ({ engine }) => engine,
    minLength: 1,
  })
  fc.assert(
    fc.property(engines, (all) => {
      const text = all.map(
        ({ engine, running }) => `vllm:num_requests_running{engine="${engine}"} ${running}.0`,
      )
      const running = all.reduce((sum, one) => sum + one.running, 0)
      expect(parseServerLoad(text.join('\n'))).toMatchObject({ value: { running } })
    }),
  )
})

test('whatever comes is read or refused, never thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(['ok', 'invalid']).toContain(parseServerLoad(text).kind)
    }),
  )
})
