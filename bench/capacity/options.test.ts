import { expect, test } from 'vitest'
import { SCENARIOS, parseCapacityOptions } from './options.js'

const parse = (...flags: readonly string[]) => parseCapacityOptions(flags, undefined)

test('everything runs, a minute each, unless it is said otherwise', () => {
  expect(parse()).toEqual({
    kind: 'ok',
    options: {
      scenarios: [...SCENARIOS],
      seconds: 60,
      trace: null,
      beside: null,
      alone: false,
      concurrency: null,
    },
  })
  expect(parse('fairness', '--quick')).toMatchObject({ options: { scenarios: ['fairness'], seconds: 20 } })
  expect(parse('--quick', '--seconds', '30')).toMatchObject({ options: { seconds: 30 } })
})

test('the trace comes from the flag, else from the environment', () => {
  expect(parseCapacityOptions([], 'of-environment.csv')).toMatchObject({
    options: { trace: 'of-environment.csv' },
  })
  expect(parseCapacityOptions(['--trace', 'mine.csv'], 'other.csv')).toMatchObject({
    options: { trace: 'mine.csv' },
  })
})

test('what cannot be is told', () => {
  expect(parse('overlord')).toMatchObject({ message: 'no scenario is called overlord' })
  expect(parse('--seconds', '9')).toMatchObject({ kind: 'invalid' })
  expect(parse('--second', '9')).toMatchObject({ kind: 'invalid' })
})
