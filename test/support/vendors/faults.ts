// How every vendor refuses, as its documentation shows it: here those who host models themselves, and the
// servers that people host.

import { type Fault, type FaultRest, SECRETS } from './fault.js'
import { CLOUD_FAULTS } from './faults-of-clouds.js'
import { json } from './front.js'

const openai = (status: number, error: object, rest: FaultRest): Fault => ({
  vendor: 'openai',
  answer: json(status, { error }),
  ...rest,
})

const anthropic = (status: number, type: string, message: string, rest: Omit<FaultRest, 'says'>): Fault => ({
  vendor: 'anthropic',
  says: message,
  answer: json(status, {
    type: 'error',
    error: { type, message },
    request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
  }),
  ...rest,
})

const vllm = (status: number, body: unknown, rest: FaultRest): Fault => ({
  vendor: 'vllm',
  answer: json(status, body),
  ...rest,
})

const OPENAI: readonly Fault[] = [
  openai(
    401,
    {
      message: `Incorrect API key provided: ${SECRETS.openai}.`,
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    },
    { name: 'a wrong key', says: 'Incorrect API key provided', end: 'http_401', next: 'elsewhere' },
  ),
  openai(
    400,
    { message: `Unsupported value, sent with ${SECRETS.openai}.`, type: 'invalid_request_error', code: null },
    { name: 'a refusal that quotes the key', says: 'Unsupported value', end: 'http_400', next: 'rejected' },
  ),
  openai(
    400,
    {
      message: 'The requested model does not exist.',
      type: 'invalid_request_error',
      code: 'model_not_found',
    },
    { name: 'no such model', says: 'The requested model', end: 'unknown_model', next: 'elsewhere' },
  ),
  openai(
    429,
    { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 'insufficient_quota' },
    {
      name: 'nothing left to pay with',
      says: 'exceeded your current quota',
      end: 'no_credit',
      next: 'elsewhere',
    },
  ),
]

const ANTHROPIC: readonly Fault[] = [
  anthropic(401, 'authentication_error', 'invalid x-api-key', {
    name: 'a wrong key',
    end: 'http_401',
    next: 'elsewhere',
  }),
  anthropic(413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes.', {
    name: 'too many bytes',
    end: 'http_413',
    next: 'rejected',
  }),
  anthropic(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', {
    name: 'nothing left to pay with',
    end: 'no_credit',
    next: 'elsewhere',
  }),
  anthropic(529, 'overloaded_error', 'Overloaded', { name: 'overloaded', end: 'http_529', next: 'again' }),
]

const HTML = '<html><body>Network connection lost.</body></html>'

const VLLM: readonly Fault[] = [
  vllm(
    404,
    {
      object: 'error',
      message: 'The model `x` does not exist.',
      type: 'NotFoundError',
      param: null,
      code: 404,
    },
    { name: 'no such model', says: 'does not exist', end: 'http_404', next: 'elsewhere' },
  ),
  vllm(
    400,
    { object: 'error', message: 'At most 1 image(s) may be provided.', type: 'BadRequestError', code: 400 },
    { name: 'a mistake', says: 'At most 1 image(s)', end: 'http_400', next: 'rejected' },
  ),
  vllm(
    422,
    { detail: 'Input should be a valid string' },
    { name: 'a detail', says: 'valid string', end: 'http_422', next: 'rejected' },
  ),
  vllm(
    200,
    {
      object: 'error',
      message: `Engine is dead, token ${SECRETS.vllm}.`,
      type: 'InternalServerError',
      code: 500,
    },
    { name: 'an error that came with 200', says: 'Engine is dead', end: 'invalid_body', next: 'again' },
  ),
  {
    vendor: 'vllm',
    name: 'a page that came with 200',
    says: 'Every attempt failed (invalid_body)',
    answer: { status: 200, headers: { 'content-type': 'text/html' }, body: HTML },
    end: 'invalid_body',
    next: 'again',
  },
]

export const FAULTS: readonly Fault[] = [...CLOUD_FAULTS, ...OPENAI, ...ANTHROPIC, ...VLLM]
