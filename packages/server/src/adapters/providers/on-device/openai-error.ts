// Refusals in OpenAI's shape.

export interface Refusal {
  readonly status: number
  readonly message: string
  readonly type: 'invalid_request_error' | 'server_error'
  readonly param: string | null
  readonly code: string | null
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

export function serverError(status: 500 | 503, code: string, message: string): Refusal {
  return { status, message, type: 'server_error', param: null, code }
}

export function refusalBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}
