// The one error class of the client: what Spillway refused or failed with, and failures on the way to it.

import { ERRORS, type FailedAttempt, type Problem, RESPONSE_HEADERS, isErrorCode } from '@spillway/protocol'

export interface SpillwayErrorDetail {
  /** A code of Spillway's registry (`budget.exhausted`), a provider's own code, or one of `CLIENT_CODES`. */
  readonly code: string
  readonly message: string
  /** HTTP status; 0 when there was no answer. */
  readonly status?: number
  readonly hint?: string | null
  readonly taskId?: string | null
  readonly requestId?: string | null
  readonly shouldRetry?: boolean
  /** How long to wait before trying again, ms. */
  readonly retryAfterMs?: number | null
  readonly problems?: readonly Problem[]
  readonly attempts?: readonly FailedAttempt[]
  readonly cause?: unknown
}

/** Codes that the client itself gives, next to those of the server. */
export const CLIENT_CODES = {
  /** No answer: refused, reset, name not found. */
  unreachable: 'client.unreachable',
  /** An answer that is not JSON, or not of the shape that was asked for. */
  badAnswer: 'client.bad_answer',
  /** The stream ended or broke before its end marker: what arrived is not the whole answer. */
  streamUnfinished: 'client.stream_unfinished',
} as const

export class SpillwayError extends Error {
  override readonly name = 'SpillwayError'
  readonly code: string
  readonly status: number
  readonly hint: string | null
  readonly taskId: string | null
  readonly requestId: string | null
  readonly shouldRetry: boolean
  readonly retryAfterMs: number | null
  readonly problems: readonly Problem[]
  readonly attempts: readonly FailedAttempt[]

  constructor(detail: SpillwayErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = detail.code
    this.status = detail.status ?? 0
    this.hint = detail.hint ?? (isErrorCode(detail.code) ? ERRORS[detail.code].hint : null)
    this.taskId = detail.taskId ?? null
    this.requestId = detail.requestId ?? null
    this.shouldRetry = detail.shouldRetry ?? false
    this.retryAfterMs = detail.retryAfterMs ?? null
    this.problems = detail.problems ?? []
    this.attempts = detail.attempts ?? []
  }
}

/** Reads the `error` member that both shapes of refusals have. null: the body is not one. */
export function readErrorDetail(body: unknown): Partial<Record<string, unknown>> | null {
  if (!isRecord(body) || !isRecord(body['error'])) return null
  return { request_id: body['request_id'], ...body['error'] }
}

/** An error frame inside a stream: the head said 200, so the status is the registry's, or 502. */
export function errorInBand(body: unknown, headers: Headers): SpillwayError {
  return new SpillwayError(describe({ body, headers, status: null }))
}

export function errorOfResponse(response: Response, bodyText: string): SpillwayError {
  let body: unknown = null
  try {
    body = JSON.parse(bodyText)
  } catch {
    // A proxy in between answered with a page of its own; status and headers still say something.
  }
  return new SpillwayError(describe({ body, headers: response.headers, status: response.status }))
}

interface Answered {
  readonly body: unknown
  readonly headers: Headers
  readonly status: number | null
}

function describe({ body, headers, status: httpStatus }: Answered): SpillwayErrorDetail {
  const detail = readErrorDetail(body) ?? {}
  const code = textOf(detail['code']) ?? textOf(detail['type']) ?? `http.${httpStatus ?? 'error'}`
  const status = httpStatus ?? (isErrorCode(code) ? ERRORS[code].status : 502)
  return {
    code,
    status,
    message: textOf(detail['message']) ?? `Spillway answered ${status}`,
    hint: textOf(detail['hint']),
    taskId: textOf(detail['task_id']) ?? headers.get(RESPONSE_HEADERS.taskId),
    requestId: textOf(detail['request_id']) ?? headers.get(RESPONSE_HEADERS.requestId),
    shouldRetry: httpStatus !== null && retryAdvised(headers, code, status),
    retryAfterMs: retryAfterMs(headers),
    problems: listOf(detail['problems']).filter(isProblem),
    attempts: listOf(detail['attempts']).filter(isFailedAttempt),
  }
}

function retryAdvised(headers: Headers, code: string, status: number): boolean {
  const advice = headers.get(RESPONSE_HEADERS.shouldRetry)
  if (advice !== null) return advice === 'true'
  return isErrorCode(code) ? ERRORS[code].retry === 'later' : status === 429 || status >= 500
}

function retryAfterMs(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isProblem(item: unknown): item is Problem {
  return isRecord(item) && typeof item['at'] === 'string' && typeof item['message'] === 'string'
}

function isFailedAttempt(item: unknown): item is FailedAttempt {
  return isRecord(item) && typeof item['deployment'] === 'string' && typeof item['end'] === 'string'
}
