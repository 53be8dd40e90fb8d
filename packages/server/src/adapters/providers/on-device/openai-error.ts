// Refusals in OpenAI's shape.

export interface Refusal {
  readonly status: number
  readonly message: string
  readonly type: 'invalid_request_error' | 'server_error'
  readonly param: string | null
  readonly code: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** The request cannot be answered by this model, whoever sends it. */
export function unsupported(param: string, message: string): Refusal {
  return { status: 400, message, type: 'invalid_request_error', param, code: 'unsupported_parameter' }
}

export function invalidValue(param: string, message: string): Refusal {
  return { status: 400, message, type: 'invalid_request_error', param, code: 'invalid_value' }
}

export function contextOverflow(param: string, size: { tokens: number; contextTokens: number }): Refusal {
  const message =
    `This model's maximum context length is ${size.contextTokens} tokens. However, your ${param} ` +
    `resulted in ${size.tokens} tokens. Please reduce the length of the ${param}.`
  return {
    status: 400,
    message,
    type: 'invalid_request_error',
    param,
    code: 'context_length_exceeded',
  }
}

const server = { type: 'server_error', param: null } as const

/** Every sequence is taken and the line is full: worth another try in a moment. */
export function overloaded(message: string): Refusal {
  return { ...server, status: 503, message, code: 'overloaded', headers: { 'retry-after': '1' } }
}

/** Another try would read the same file: go elsewhere, and at once. */
export function notLoaded(message: string): Refusal {
  const headers = { 'x-should-retry': 'false' }
  return { ...server, status: 503, message, code: 'model_not_loaded', headers }
}

export function modelFailed(message: string): Refusal {
  return { ...server, status: 500, message, code: 'model_failed' }
}

export function refusalBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}
