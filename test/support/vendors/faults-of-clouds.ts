// How the clouds refuse, as their documentation shows it: status, headers and body. Some quote what they were
// sent, credentials included, because some do.

import { type Fault, type FaultRest, SECRETS } from './fault.js'
import { json } from './front.js'

type Headers = Readonly<Record<string, string>>

const azure = (status: number, error: object, rest: FaultRest, headers: Headers = {}): Fault => ({
  vendor: 'azure',
  answer: json(status, { error }, headers),
  ...rest,
})

/** The exception's name in a header, its words in the body. */
const aws = (
  status: number,
  type: string,
  message: string,
  rest: Omit<FaultRest, 'name' | 'says'>,
): Fault => ({
  vendor: 'bedrock',
  name: type,
  says: message,
  answer: json(status, { message }, { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` }),
  ...rest,
})

const google = (
  vendor: 'gemini' | 'vertex',
  error: { code: number; status: string; message: string; details?: readonly object[] },
  rest: Omit<FaultRest, 'name' | 'says'>,
): Fault => ({
  vendor,
  name: error.status,
  says: error.message,
  answer: json(error.code, { error }),
  ...rest,
})

const RETRY_INFO = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.05s' }
const BAD_KEY = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'API_KEY_INVALID',
  domain: 'googleapis.com',
}

const AZURE: readonly Fault[] = [
  azure(
    401,
    { code: '401', message: `Access denied due to invalid subscription key ${SECRETS.azure}.` },
    {
      name: 'a wrong key',
      says: 'Access denied due to invalid subscription key',
      end: 'http_401',
      next: 'elsewhere',
    },
  ),
  azure(
    404,
    { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
    { name: 'no such deployment', says: 'The API deployment', end: 'http_404', next: 'elsewhere' },
  ),
  azure(
    429,
    { code: '429', message: 'Requests have exceeded token rate limit of your current pricing tier.' },
    { name: 'throttled', says: 'exceeded token rate limit', end: 'http_429', next: 'again', waitMs: 40 },
    { 'retry-after-ms': '40', 'retry-after': '1' },
  ),
  azure(
    400,
    {
      message:
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: {
        code: 'ResponsibleAIPolicyViolation',
        content_filter_result: { violence: { filtered: true, severity: 'medium' } },
      },
    },
    { name: 'a filtered prompt', says: 'content management policy', end: 'http_400', next: 'rejected' },
  ),
]

const BEDROCK: readonly Fault[] = [
  aws(403, 'AccessDeniedException', "You don't have access to the model with the specified model ID.", {
    end: 'http_403',
    next: 'elsewhere',
  }),
  aws(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.', {
    end: 'http_403',
    next: 'elsewhere',
  }),
  aws(403, 'ExpiredTokenException', 'The security token included in the request is expired', {
    end: 'http_403',
    next: 'elsewhere',
  }),
  aws(404, 'ResourceNotFoundException', 'Could not resolve the foundation model from the model identifier.', {
    end: 'http_404',
    next: 'elsewhere',
  }),
  aws(400, 'ValidationException', 'The provided model identifier is invalid.', {
    end: 'unknown_model',
    next: 'elsewhere',
  }),
  aws(400, 'ValidationException', 'Image size exceeds the maximum of 3.75 MB.', {
    end: 'http_400',
    next: 'rejected',
  }),
  aws(429, 'ThrottlingException', 'Too many requests, please wait before trying again.', {
    end: 'http_429',
    next: 'again',
  }),
  aws(400, 'ServiceQuotaExceededException', 'Your request exceeds the service quota for your account.', {
    end: 'throttled',
    next: 'again',
  }),
  aws(429, 'ModelNotReadyException', 'The model specified in the request is not ready.', {
    end: 'http_429',
    next: 'again',
  }),
  aws(408, 'ModelTimeoutException', 'The request took too long to process.', {
    end: 'http_408',
    next: 'again',
  }),
  aws(424, 'ModelErrorException', 'The request failed due to an error while processing the model.', {
    end: 'http_424',
    next: 'again',
  }),
]

const GOOGLE: readonly Fault[] = [
  google(
    'gemini',
    { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid.', details: [BAD_KEY] },
    { end: 'credentials', next: 'elsewhere' },
  ),
  google(
    'gemini',
    { code: 400, status: 'INVALID_ARGUMENT', message: 'Unable to process input image.' },
    { end: 'http_400', next: 'rejected' },
  ),
  google(
    'gemini',
    { code: 404, status: 'NOT_FOUND', message: 'The model is not found for API version v1beta.' },
    { end: 'http_404', next: 'elsewhere' },
  ),
  google(
    'gemini',
    { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded.', details: [RETRY_INFO] },
    { end: 'http_429', next: 'again', waitMs: 50 },
  ),
  google(
    'vertex',
    { code: 401, status: 'UNAUTHENTICATED', message: 'Request had invalid authentication credentials.' },
    { end: 'http_401', next: 'elsewhere' },
  ),
  google(
    'vertex',
    { code: 403, status: 'PERMISSION_DENIED', message: 'Permission aiplatform.endpoints.predict denied.' },
    { end: 'http_403', next: 'elsewhere' },
  ),
  google(
    'vertex',
    { code: 503, status: 'UNAVAILABLE', message: 'The model is overloaded.', details: [RETRY_INFO] },
    { end: 'http_503', next: 'again', waitMs: 50 },
  ),
]

export const CLOUD_FAULTS: readonly Fault[] = [...AZURE, ...BEDROCK, ...GOOGLE]
