import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { awsErrorType, meaningOf, retryInfoMs } from './refusal-signals.js'
import { RETRY_AFTER_MAX_MS } from './retry-after.js'

// As Google answers a spent quota, shortened.
const RESOURCE_EXHAUSTED = {
  error: {
    code: 429,
    message: 'You exceeded your current quota. Please retry in 34.074824224s.',
    status: 'RESOURCE_EXHAUSTED',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'x' }] },
      { '@type': 'type.googleapis.com/google.rpc.Help', links: [] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.074824224s' },
    ],
  },
}
const BAD_KEY = {
  error: {
    code: 400,
    message: 'API key not valid. Please pass a valid API key.',
    status: 'INVALID_ARGUMENT',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
      },
    ],
  },
}

const retryInfo = (retryDelay: unknown): string =>
  JSON.stringify({
    error: { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] },
  })

describe('the wait in the body', () => {
  test.each<[string, number | null]>([
    [JSON.stringify(RESOURCE_EXHAUSTED), 34_075],
    [JSON.stringify([RESOURCE_EXHAUSTED]), 34_075],
    [retryInfo('2s'), 2_000],
    [retryInfo('0s'), 0],
    [retryInfo('999999s'), RETRY_AFTER_MAX_MS],
    [retryInfo('-2s'), null],
    [retryInfo('2m'), null],
    [retryInfo(2), null],
    [retryInfo(null), null],
    ['{"error":{"details":"google.rpc.RetryInfo"}}', null],
    ['google.rpc.RetryInfo', null],
    ['{"error":"google.rpc"}', null],
    ['', null],
  ])('%s -> %s', (body, waitMs) => {
    expect(retryInfoMs(body)).toBe(waitMs)
  })

  test('any body gives a wait that can be meant, or none', () => {
    const waits = fc.sample(
      fc.json().map((body) => retryInfoMs(`${body}google.rpc`)),
      200,
    )
    expect(waits.every((wait) => wait === null)).toBe(true)
    fc.assert(
      fc.property(fc.string(), (delay) => {
        const wait = retryInfoMs(retryInfo(delay))
        expect(wait === null || (Number.isInteger(wait) && wait >= 0 && wait <= RETRY_AFTER_MAX_MS)).toBe(
          true,
        )
      }),
    )
  })
})

describe('the kind of error', () => {
  test.each([
    [{ 'x-amzn-errortype': 'ThrottlingException' }, 'ThrottlingException'],
    [{ 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/x/' }, 'ThrottlingException'],
    [{ 'x-amzn-errortype': '<b>' }, null],
    [{ 'x-amzn-errortype': '' }, null],
    [{}, null],
  ])('%j is %s', (headers, type) => {
    expect(awsErrorType(headers)).toBe(type)
  })
})

describe('what the words of a refusal mean', () => {
  test.each([
    [400, 'model_not_found', 'The requested model does not exist.', 'unknown_model'],
    [400, null, 'The provided model identifier is invalid.', 'unknown_model'],
    [400, null, 'Invocation of model ID x with on-demand throughput isn’t supported.', 'unknown_model'],
    [400, null, 'Your credit balance is too low to access the Anthropic API.', 'no_credit'],
    [400, 'context_length_exceeded', 'Too much.', 'context_length'],
    [400, null, 'prompt is too long: 210000 tokens > 200000 maximum', 'context_length'],
    [429, 'insufficient_quota', 'You exceeded your current quota.', 'no_credit'],
    [429, 'rate_limit_exceeded', 'Rate limit reached.', null],
    [500, 'model_not_found', 'prompt is too long', null],
    [400, null, 'Unknown parameter: x.', null],
  ] as const)('%i, %s and %j: %s', (status, code, message, meaning) => {
    expect(meaningOf({ status, headers: {}, body: '' }, { type: null, code, message })).toBe(meaning)
  })
})

describe('what a refusal means', () => {
  const aws = (type: string) => ({ 'x-amzn-errortype': type })
  test.each([
    [400, aws('ServiceQuotaExceededException'), '', 'throttled'],
    [400, aws('ThrottlingException:x'), '', 'throttled'],
    [400, aws('ValidationException'), '', null],
    [429, aws('ThrottlingException'), '', null],
    [400, {}, JSON.stringify(BAD_KEY), 'credentials'],
    [400, {}, JSON.stringify([BAD_KEY]), 'credentials'],
    [400, {}, '{"error":{"message":"API_KEY_INVALID google.rpc.ErrorInfo"}}', null],
    [400, {}, '{"error":{"code":"content_filter"}}', null],
    [403, {}, JSON.stringify(BAD_KEY), null],
  ] as const)('%i with %j and %s: %s', (status, headers, body, meaning) => {
    expect(meaningOf({ status, headers, body }, null)).toBe(meaning)
  })
})
