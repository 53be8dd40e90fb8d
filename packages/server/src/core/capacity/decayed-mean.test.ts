import { expect, test } from 'vitest'
import { DecayedMean } from './decayed-mean.js'

test('begins as a plain mean, once enough is seen, and then follows what comes', () => {
  const mean = new DecayedMean({ newest: 0.25, countMin: 3 })
  mean.add(10)
  mean.add(20)
  expect(mean.value()).toBeNull()
  mean.add(30)
  expect(mean.value()).toBe(20)
  mean.add(100)
  mean.add(40)
  expect(mean.value()).toBe(40)
  for (let n = 0; n < 40; n++) mean.add(1_000)
  expect(mean.value()).toBeGreaterThan(999)
})
