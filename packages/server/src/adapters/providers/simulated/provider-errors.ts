// Errors as the real providers answer them: status, headers, body.

import type { SimRoute } from './sim-request.js'

export type Dialect = 'openai' | 'anthropic'

export function dialectOf(route: SimRoute): Dialect {
  return route === 'anthropic-messages' || route === 'anthropic-count-tokens' ? 'anthropic' : 'openai'
}

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ErrorDetail {
  readonly dialect: Dialect
  readonly status: number
  readonly requestId: string
  /** Overrides the provider's usual message. */
  readonly message?: string
  /** OpenAI's `param`. */
  readonly param?: string
  /** OpenAI's `code`. */
  readonly code?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

export function errorAnswer(detail: ErrorDetail): ErrorAnswer {
  const headers = detail.headers ?? {}
  return {
    status: detail.status,
    headers,
    body: detail.dialect === 'openai' ? openAiBody(detail) : anthropicBody(detail),
  }
}

interface OpenAiError {
  readonly message: string
  readonly type: string
  readonly code: string | null
}

const OPENAI: Readonly<Record<number, OpenAiError>> = {
  400: { message: 'The request is invalid.', type: 'invalid_request_error', code: null },
  401: {
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
      'Bearer auth (i.e. Authorization: Bearer YOUR_KEY).',
    type: 'invalid_request_error',
    code: null,
  },
  403: { message: 'You are not allowed to use this resource.', type: 'invalid_request_error', code: null },
  404: { message: 'The resource does not exist.', type: 'invalid_request_error', code: null },
  408: { message: 'Request timed out.', type: 'server_error', code: null },
  413: { message: 'The request body is too large.', type: 'invalid_request_error', code: null },
  429: { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded' },
  500: {
    message: 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
    code: null,
  },
  503: {
    message: 'The engine is currently overloaded, please try again later.',
    type: 'server_error',
    code: null,
  },
}

function openAiBody(detail: ErrorDetail): string {
  const known = OPENAI[detail.status] ?? OPENAI[detail.status < 500 ? 400 : 500]
  const { message, type, code } = known ?? { message: 'error', type: 'server_error', code: null }
  return JSON.stringify({
    error: {
      message: detail.message ?? message,
      type,
      param: detail.param ?? null,
      code: detail.code ?? code,
    },
  })
}

const ANTHROPIC: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['invalid_request_error', 'The request is invalid.'],
  401: ['authentication_error', 'x-api-key header is required'],
  402: ['billing_error', 'Your credit balance is too low.'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'Not found'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: [
    'rate_limit_error',
    "This request would exceed your organization's rate limit of requests per minute.",
  ],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'The request timed out'],
  529: ['overloaded_error', 'Overloaded'],
}

function anthropicBody(detail: ErrorDetail): string {
  const known = ANTHROPIC[detail.status] ?? (detail.status < 500 ? ANTHROPIC[400] : ANTHROPIC[500])
  const [type, message] = known ?? ['api_error', 'Internal server error']
  return JSON.stringify({
    type: 'error',
    error: { type, message: detail.message ?? message },
    request_id: detail.requestId,
  })
}
