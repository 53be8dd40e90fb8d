// One place that talks HTTP: keys, JSON, errors, and the few retries that are safe.

import { REQUEST_HEADERS } from '@spillway/protocol'
import type { Clock } from './clock.js'
import { randomKey } from './random-key.js'
import { CLIENT_CODES, SpillwayError, errorOfResponse } from './spillway-error.js'
import { untilAborted } from './until-aborted.js'

export interface Transport {
  /** Without a trailing slash and without `/v1`. */
  readonly origin: string
  readonly apiKey: string | null
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly clock: Clock
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  /** From `/v1` on, query included. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Waits before the second and the third try of a control call, ms. There is no fourth. */
export const RETRY_WAITS_MS = [100, 400] as const

/** The longest a control call may take, its retries included, ms. */
export const CONTROL_TIMEOUT_MS = 10_000

/**
 * Sends once. Resolves with the head of a 2xx answer, else throws `SpillwayError`, or the signal's reason.
 */
export async function send(transport: Transport, request: ApiRequest): Promise<Response> {
  const headers: Record<string, string> = { ...request.headers }
  if (transport.apiKey !== null) headers['authorization'] = `Bearer ${transport.apiKey}`
  const init: RequestInit = { method: request.method, headers }
  if (request.body !== undefined) {
    headers['content-type'] = 'application/json'
    init.body = JSON.stringify(request.body)
  }
  if (request.signal !== undefined) init.signal = request.signal
  const response = await reached(request.signal, () => transport.fetch(transport.origin + request.path, init))
  if (response.ok) return response
  throw errorOfResponse(response, await reached(request.signal, () => response.text()))
}

/** Sends once and reads the JSON answer. */
export async function sendForJson(
  transport: Transport,
  request: ApiRequest,
): Promise<{ readonly body: unknown; readonly headers: Headers }> {
  const response = await send(transport, request)
  const text = await reached(request.signal, () => response.text())
  try {
    const body: unknown = JSON.parse(text)
    return { body, headers: response.headers }
  } catch (cause) {
    throw new SpillwayError({
      code: CLIENT_CODES.badAnswer,
      status: response.status,
      message: `${request.method} ${request.path.split('?')[0]} answered something that is not JSON`,
      cause,
    })
  }
}

/**
 * A POST of the control API. All tries carry one idempotency key, so a try whose answer got lost is not done
 * twice. Only a failed connection is tried again: whatever answered has decided.
 */
export async function sendControl(
  transport: Transport,
  request: Omit<ApiRequest, 'method'>,
  idempotencyKey: string = randomKey(),
): Promise<{ readonly body: unknown; readonly headers: Headers }> {
  const late = new AbortController()
  const stopTimer = transport.clock.after(CONTROL_TIMEOUT_MS, () => late.abort(unreachable(undefined)))
  const signal = request.signal === undefined ? late.signal : AbortSignal.any([request.signal, late.signal])
  const headers = { ...request.headers, [REQUEST_HEADERS.idempotencyKey]: idempotencyKey }
  const attempt = () => sendForJson(transport, { ...request, method: 'POST', headers, signal })
  try {
    for (const [tries, waitMs] of RETRY_WAITS_MS.entries()) {
      try {
        return await attempt()
      } catch (error) {
        if (!isLost(error, tries)) throw error
      }
      await wait(transport.clock, waitMs, signal)
    }
    return await attempt()
  } finally {
    stopTimer()
  }
}

// The key is ours alone, so a conflict on a second try means that the first, whose answer got lost, still
// runs.
function isLost(error: unknown, earlierTries: number): boolean {
  if (!(error instanceof SpillwayError)) return false
  return error.code === CLIENT_CODES.unreachable || (earlierTries > 0 && error.code === 'request.conflict')
}

// An abort keeps its own reason; everything else that goes wrong below HTTP is "unreachable".
async function reached<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    signal?.throwIfAborted()
    throw unreachable(cause)
  }
}

function unreachable(cause: unknown): SpillwayError {
  const message = 'No answer from Spillway: the connection failed or took too long.'
  return new SpillwayError({ code: CLIENT_CODES.unreachable, message, shouldRetry: true, cause })
}

async function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  let cancel = () => {}
  const elapsed = () => new Promise<void>((resolve) => (cancel = clock.after(delayMs, resolve)))
  await untilAborted(signal, elapsed).finally(() => cancel())
}
