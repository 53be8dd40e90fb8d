// Pages of other origins in a browser: which of them may call, with which headers, and what they may read of
// the answer (the CORS protocol of the Fetch standard). A key authenticates, an origin never does: this only
// tells browsers what to let through.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from '@spillway/protocol'

/** What our own client and the official SDKs send, besides the families below. Lower case. */
const ALLOWED_HEADERS: ReadonlySet<string> = new Set([
  ...Object.values(REQUEST_HEADERS),
  'accept',
  'authorization',
  'baggage',
  'content-type',
  'tracestate',
  'user-agent',
  'x-api-key',
  'x-goog-api-key',
])
const ALLOWED_FAMILIES = ['anthropic-', 'openai-', 'x-spillway-', 'x-stainless-'] as const

/** `date` sets the client's deadline by our clock, `retry-after` its next try. */
const EXPOSED = [...new Set(Object.values(RESPONSE_HEADERS)), 'date', 'retry-after'].join(', ')

const METHODS = 'GET, POST'

/** How long a browser need not ask again; Chromium keeps no answer for longer. */
const MAX_AGE_SECONDS = 7_200

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * Sets the headers that let a page of an allowed origin read the answer. true: it was a preflight and has
 * been answered, before anybody asks for a key, because browsers send none with it. An origin that is not
 * allowed gets no header and is served as any other client: its browser then keeps the answer from the page.
 */
export function answersPreflight(allowed: readonly string[], { request, response }: Exchange): boolean {
  if (allowed.length === 0) return false
  const { origin } = request.headers
  if (origin === undefined && request.method === 'POST') return false
  // Also where no page asks: else a cache would hand what it kept for nobody to a page, without the headers.
  response.setHeader('vary', 'Origin')
  if (origin === undefined || !allowed.includes(origin)) return false
  response.setHeader('access-control-allow-origin', origin)
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
    response.setHeader('access-control-expose-headers', EXPOSED)
    return false
  }
  response.writeHead(204, {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': allowedOf(request.headers['access-control-request-headers'] ?? ''),
    'access-control-max-age': String(MAX_AGE_SECONDS),
  })
  response.end()
  return true
}

/** A list cannot name families of headers, so it names those members of them that were asked for. */
function allowedOf(asked: string): string {
  const names = asked.split(',').map((name) => name.trim().toLowerCase())
  return names.filter(isAllowed).join(', ')
}

function isAllowed(name: string): boolean {
  return ALLOWED_HEADERS.has(name) || ALLOWED_FAMILIES.some((family) => name.startsWith(family))
}
