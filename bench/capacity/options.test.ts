import { expect, test } from 'vitest'
import { SCENARIOS, parseCapacityOptions } from './options.js'

const parse = (...flags: readonly string[]) => parseCapacityOptions(flags, {})

test('everything runs, a minute each, unless it is said otherwise', () => {
  expect(parse()).toEqual({
    kind: 'ok',
    options: {
      scenarios: [...SCENARIOS],
      seconds: 60,
      trace: null,
      conversations: null,
      beside: null,
      alone: false,
      concurrency: null,
    },
  })
  expect(parse('fairness', '--quick')).toMatchObject({ options: { scenarios: ['fairness'], seconds: 20 } })
  expect(parse('--quick', '--seconds', '30')).toMatchObject({ options: { seconds: 30 } })
})

test('the traces come from the flags, else from the environment', () => {
  const environment = { SPILLWAY_BENCH_TRACE: 'azure.csv', SPILLWAY_BENCH_MOONCAKE: 'mooncake.csv' }
  const of = (...flags: readonly string[]) => parseCapacityOptions(flags, environment)
  expect(of()).toMatchObject({ options: { trace: 'azure.csv', conversations: 'mooncake.csv' } })
  expect(of('--trace', 'mine.csv')).toMatchObject({ options: { trace: 'mine.csv' } })
  expect(of('--conversations', 'mine.csv')).toMatchObject({ options: { conversations: 'mine.csv' } })
})

test('what cannot be is told', () => {
  expect(parse('overlord')).toMatchObject({ message: 'no scenario is called overlord' })
  expect(parse('--seconds', '9')).toMatchObject({ kind: 'invalid' })
  expect(parse('--second', '9')).toMatchObject({ kind: 'invalid' })
})
