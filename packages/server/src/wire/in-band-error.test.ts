import { expect, test } from 'vitest'
import { inBandEnd } from './in-band-error.js'

test.each([
  ['throttlingException', null, 'throttled'],
  ['overloaded_error', null, 'throttled'],
  ['RESOURCE_EXHAUSTED', '429', 'throttled'],
  ['UNAVAILABLE', '503', 'throttled'],
  ['server_error', 'rate_limit_exceeded', 'throttled'],
  ['validationException', null, 'rejected'],
  ['BadRequestError', '400', 'rejected'],
  [null, '413', 'rejected'],
  ['invalid_request_error', 'context_length_exceeded', 'context_length'],
  ['PERMISSION_DENIED', '403', 'credentials'],
  ['authentication_error', null, 'credentials'],
  ['not_found_error', null, 'unknown_model'],
  ['internalServerException', null, null],
  ['INTERNAL', '500', null],
  ['api_error', null, null],
  ['server_error', 'server_error', null],
  [null, null, null],
  ['constructor', '__proto__', null],
] as const)('%s with code %s ends as %s', (type, code, end) => {
  expect(inBandEnd({ type, code, message: 'm' })).toBe(end)
})
