import { expect, test } from 'vitest'
import { verdictOf } from './breaker-verdict.js'

const verdict = (end: string, durationMs = 5_000, usualMs = 800) => verdictOf({ end, durationMs, usualMs })

test('an answer is good', () => {
  expect(verdict('ok')).toBe('good')
})

const BAD = `connection broken broken_stream stream_error invalid_body stalled
  http_500 http_502 http_503 http_504 http_529
  credentials no_credit unknown_model http_401 http_402 http_403 http_404`
const SILENT = `http_400 http_408 http_409 http_413 http_422 http_424 http_429 http_5000
  rejected context_length throttled stale_credentials caller_left aborted cut fault`

test.each(BAD.split(/\s+/))('%s speaks against the deployment', (end) => {
  expect(verdict(end)).toBe('bad')
})

test.each(SILENT.split(/\s+/))('%s says nothing of it', (end) => {
  expect(verdict(end)).toBe('none')
})

test('a timeout counts when the call had as long as answers usually take, and at least a second', () => {
  expect([999, 1_000].map((ms) => verdict('timeout', ms, 0))).toEqual(['none', 'bad'])
  expect([7_999, 8_000].map((ms) => verdict('timeout', ms, 8_000))).toEqual(['none', 'bad'])
  expect([29_999, 30_000].map((ms) => verdict('timeout', ms, 90_000))).toEqual(['none', 'bad'])
})
