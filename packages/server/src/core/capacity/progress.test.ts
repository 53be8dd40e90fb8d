import { expect, test } from 'vitest'
import { Progress } from './progress.js'

/** Two streams that have brought a token every 40 ms for two seconds. */
function steady(): { readonly progress: Progress; readonly atMs: number } {
  const progress = new Progress()
  progress.generated(true, 0)
  progress.generated(true, 1)
  for (let atMs = 40; atMs <= 2_000; atMs += 40) {
    progress.generated(false, atMs)
    progress.generated(false, atMs + 1)
  }
  return { progress, atMs: 2_001 }
}

test('a pause of many usual gaps is lagging, while it lasts and before any call ends', () => {
  const { progress, atMs } = steady()
  expect(progress.lags(atMs + 200)).toBe(false)
  expect(progress.lags(atMs + 201)).toBe(true)
})

test('slow tokens do not make it well, tokens at the old pace do', () => {
  const { progress, atMs } = steady()
  let nowMs = atMs
  for (let token = 0; token < 10; token++) progress.generated(false, (nowMs += 400))
  expect(progress.lags(nowMs)).toBe(true)
  for (let token = 0; token < 3; token++) progress.generated(false, (nowMs += 40))
  expect(progress.lags(nowMs)).toBe(true)
  progress.generated(false, (nowMs += 40))
  expect(progress.lags(nowMs)).toBe(false)
})

test('while it lags it is tried every two seconds', () => {
  const { progress, atMs } = steady()
  expect(progress.lags(atMs + 300)).toBe(true)
  expect(progress.mayTry(atMs + 300)).toBe(false)
  expect(progress.mayTry(atMs + 2_300)).toBe(true)
  progress.tried(atMs + 2_300)
  expect(progress.mayTry(atMs + 4_299)).toBe(false)
})

test('nothing that generates means nothing to be late with', () => {
  const { progress, atMs } = steady()
  progress.ended()
  progress.ended()
  expect(progress.lags(atMs + 60_000)).toBe(false)
  // The first token after the rest is no gap.
  progress.generated(true, atMs + 60_000)
  expect(progress.lags(atMs + 60_100)).toBe(false)
})

test('what paused from the beginning is its pace', () => {
  const progress = new Progress()
  for (let token = 0; token < 30; token++) progress.generated(token === 0, token * 500)
  expect(progress.lags(29 * 500 + 2_000)).toBe(false)
  expect(progress.lags(29 * 500 + 2_600)).toBe(true)
})

test('a clock that goes back is no pause', () => {
  const { progress, atMs } = steady()
  progress.generated(false, atMs - 5_000)
  expect(progress.lags(atMs - 5_000)).toBe(false)
  expect(progress.lags(atMs + 100)).toBe(false)
})
