import { expect, test } from 'vitest'
import { retryDelayMs } from './sdk-retries.js'

const random = { next: () => 0 }
const delay = (status: number | null, headers = {}, retries = 0): number | null =>
  retryDelayMs({ status, headers }, retries, random)

test('twice, after half a second and a second', () => {
  expect([0, 1, 2].map((retries) => delay(503, {}, retries))).toEqual([500, 1_000, null])
})

test('after broken connections and the statuses the SDKs retry, and no others', () => {
  expect([null, 408, 409, 429, 500, 529].map((status) => delay(status) !== null)).not.toContain(false)
  expect([400, 401, 404, 422].map((status) => delay(status))).toEqual([null, null, null, null])
})

test('the server decides when it says so', () => {
  expect(delay(429, { 'x-should-retry': 'false', 'retry-after': '1' })).toBeNull()
  expect(delay(400, { 'x-should-retry': 'true' })).toBe(500)
  expect(delay(429, { 'retry-after': '3' })).toBe(3_000)
  expect(delay(429, { 'retry-after-ms': '120', 'retry-after': '3' })).toBe(120)
  expect(delay(429, { 'retry-after': '3600' })).toBe(500)
})
