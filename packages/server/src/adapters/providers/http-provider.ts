// Calls a provider over HTTP with undici's dispatch: one pool per provider, callbacks all the way, no retries
// and no redirects (both are decisions, and decisions belong to the engine).

import { Pool } from 'undici'
import type { ProviderConfig, Wire } from '../../core/release/release.js'
import type { Provider, System, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../engine/ports.js'
import { HttpCall } from './http-call.js'

export type HttpProviderConfig = Exclude<ProviderConfig, { readonly kind: 'simulated' }>

export interface HttpProviderOptions {
  readonly system: System
  /**
   * Connections to the provider at most. Default 256. Keep it at or above the deployments' concurrency
   * limits: beyond it calls wait in undici's own queue, which no scheduler sees (the head timeout still
   * covers that wait).
   */
  readonly connections?: number
  /** Largest answer that is not an event stream, bytes. Default 16 MiB. */
  readonly bodyBytesMax?: number
}

const CONNECTIONS_MAX = 256
const BODY_BYTES_MAX = 16 * 1024 * 1024
const CONNECT_TIMEOUT_MS = 10_000
// Shorter than what common load balancers keep idle connections, so that we close first and lose no request
// to the race.
const KEEP_ALIVE_MS = 30_000
const KEEP_ALIVE_MAX_MS = 120_000
const ANTHROPIC_VERSION = '2023-06-01'

// Set by us or by the connection: a caller's header or a configured one must not change them.
const RESERVED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-type',
  'accept-encoding',
])

/**
 * A provider of kind `openai`, `openai-compatible` or `anthropic`. Throws when `base_url` is not an http(s)
 * URL or a configured header cannot be sent, so that a release with such a provider never serves.
 */
export function createHttpProvider(config: HttpProviderConfig, options: HttpProviderOptions): Provider {
  const base = new URL(config.baseUrl)
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw new Error(`provider ${config.name}: base_url must start with http:// or https://`)
  }
  const pool = openPool(base.origin, options.connections ?? CONNECTIONS_MAX)
  const paths = pathsUnder(base.pathname.replace(/\/+$/, ''))
  const headersFor = headerWriter(config)
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX

  function send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const call = new HttpCall(request, listener, { system: options.system, bodyBytesMax, host: base.host })
    const path = request.countTokens === true ? `${paths[request.wire]}/count_tokens` : paths[request.wire]
    const { body } = request
    // Timeouts are the call's own: undici's start after the connection stands and are only half a second
    // exact.
    pool.dispatch(
      { path, method: 'POST', headers: headersFor(request.headers), body, headersTimeout: 0, bodyTimeout: 0 },
      call,
    )
    call.markSent()
    return call
  }

  return {
    name: config.name,
    simulated: false,
    chatWire: config.kind === 'anthropic' ? 'anthropic-messages' : 'openai-chat',
    send,
    // Waits for the calls under way: after a reload the old release's provider may still be answering.
    close: () => pool.close(),
  }
}

function openPool(origin: string, connections: number): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
  })
}

/** OpenAI's base URL ends in the version, Anthropic's does not; one that does is taken as meant. */
function pathsUnder(prefix: string): Readonly<Record<Wire, string>> {
  return {
    'openai-chat': `${prefix}/chat/completions`,
    'openai-embeddings': `${prefix}/embeddings`,
    'anthropic-messages': prefix.endsWith('/v1') ? `${prefix}/messages` : `${prefix}/v1/messages`,
  }
}

function authHeaders(config: HttpProviderConfig): Record<string, string> {
  if (config.kind === 'anthropic')
    return { 'x-api-key': config.apiKey, 'anthropic-version': ANTHROPIC_VERSION }
  return config.apiKey === null ? {} : { authorization: `Bearer ${config.apiKey}` }
}

/** Flat name-value lists, as undici wants them. The part that never changes is made, and checked, once. */
function headerWriter(config: HttpProviderConfig): (caller: Readonly<Record<string, string>>) => string[] {
  const fixed = new Map<string, string>([['content-type', 'application/json']])
  fixed.set('accept-encoding', 'identity')
  for (const [name, value] of Object.entries(authHeaders(config))) fixed.set(name, value)
  for (const [name, value] of Object.entries(config.headers)) {
    if (!RESERVED.has(name.toLowerCase())) fixed.set(name.toLowerCase(), value)
  }
  for (const [name, value] of fixed) assertSendable(config.name, name, value)
  const version = fixed.get('anthropic-version')
  fixed.delete('anthropic-version')
  const flat = [...fixed].flat()

  return (caller) => {
    const headers = flat.slice()
    const callersVersion = caller['anthropic-version'] ?? version
    if (callersVersion !== undefined) headers.push('anthropic-version', callersVersion)
    for (const name in caller) {
      const value = caller[name]
      if (value === undefined || name === 'anthropic-version' || RESERVED.has(name) || fixed.has(name))
        continue
      headers.push(name, value)
    }
    return headers
  }
}

// A key read from a file often ends in a newline. Saying so at start beats a failure on every call; the value
// stays out.
function assertSendable(provider: string, name: string, value: string): void {
  const nameOk = /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)
  const valueOk = /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  if (!nameOk || !valueOk)
    throw new Error(`provider ${provider}: the header "${name}" has characters that cannot be sent`)
}
