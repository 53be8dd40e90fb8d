// Calls a provider over HTTP/1.1: one pool of connections per provider, callbacks all the way, no retries and
// no redirects (both are decisions, and decisions belong to the engine).

import type { CallerWire, ProviderConfig, Wire } from '../../core/release/release.js'
import type { Provider, System, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../engine/ports.js'
import { isFieldName, isFieldValue } from '../../wire/http-field.js'
import { HttpCall } from './http-call.js'
import { ConnectionPool, type PooledCall } from './http1/connection-pool.js'
import type { Origin } from './http1/connection.js'

export type HttpProviderConfig = Exclude<ProviderConfig, { readonly kind: 'simulated' }>

export interface HttpProviderOptions {
  readonly system: System
  /**
   * Connections to the provider at most. Default 256. Keep it at or above the deployments' concurrency
   * limits: beyond it calls wait in the pool's own queue, which no scheduler sees (the head timeout still
   * covers that wait).
   */
  readonly connections?: number
  /** Largest answer that is not an event stream, bytes. Default 16 MiB. */
  readonly bodyBytesMax?: number
}

const CONNECTIONS_MAX = 256
const BODY_BYTES_MAX = 16 * 1024 * 1024
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
  const { system } = options
  const connections = options.connections ?? CONNECTIONS_MAX
  const pool = new ConnectionPool({ origin: originOf(base), system, connections })
  const headFor = headWriter(config, base)
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX
  const withdraw = (call: PooledCall): void => pool.withdraw(call)

  function send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const head = headFor(request)
    const call = new HttpCall(request, listener, { system, bodyBytesMax, host: base.host, head, withdraw })
    pool.send(call)
    call.markSent()
    return call
  }

  return {
    name: config.name,
    simulated: false,
    speaks: config.kind === 'anthropic' ? speaksAnthropic : speaksOpenAi,
    send,
    // Waits for the calls under way: after a reload the old release's provider may still be answering.
    close: () => pool.close(),
  }
}

function speaksAnthropic(wire: CallerWire): Wire | null {
  return wire === 'openai-embeddings' ? null : 'anthropic-messages'
}

function speaksOpenAi(wire: CallerWire): Wire {
  return wire === 'openai-embeddings' ? wire : 'openai-chat'
}

function originOf(base: URL): Origin {
  const isSecure = base.protocol === 'https:'
  const host = base.hostname.replace(/^\[(.*)\]$/, '$1')
  return { isSecure, host, port: base.port === '' ? (isSecure ? 443 : 80) : Number(base.port) }
}

/** OpenAI's base URL ends in the version, Anthropic's does not; one that does is taken as meant. */
function pathsUnder(prefix: string): Readonly<Partial<Record<Wire, string>>> {
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

/** Request line and headers. The part that never changes is made, and checked, once. */
function headWriter(config: HttpProviderConfig, base: URL): (request: UpstreamRequest) => string {
  const fixed = new Map<string, string>([['content-type', 'application/json']])
  fixed.set('accept-encoding', 'identity')
  for (const [name, value] of Object.entries(authHeaders(config))) fixed.set(name, value)
  for (const [name, value] of Object.entries(config.headers)) {
    if (!RESERVED.has(name.toLowerCase())) fixed.set(name.toLowerCase(), value)
  }
  for (const [name, value] of fixed) assertSendable(config.name, name, value)
  const version = fixed.get('anthropic-version')
  fixed.delete('anthropic-version')
  const lines = [...fixed].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const constant = `host: ${base.host}\r\nconnection: keep-alive\r\n${lines}`
  const paths = pathsUnder(base.pathname.replace(/\/+$/, ''))

  return ({ wire, countTokens, headers, body }) => {
    const path = paths[wire]
    if (path === undefined) throw new Error(`${config.name} does not speak ${wire}`)
    let head = `POST ${path}${countTokens === true ? '/count_tokens' : ''} HTTP/1.1\r\n${constant}content-length: ${body.length}\r\n`
    const callersVersion = headers['anthropic-version'] ?? version
    if (callersVersion !== undefined) head += line(config.name, 'anthropic-version', callersVersion)
    for (const name in headers) {
      const value = headers[name]
      if (value === undefined || name === 'anthropic-version' || RESERVED.has(name) || fixed.has(name))
        continue
      head += line(config.name, name, value)
    }
    return `${head}\r\n`
  }
}

function line(provider: string, name: string, value: string): string {
  assertSendable(provider, name, value)
  return `${name}: ${value}\r\n`
}

// A key read from a file often ends in a newline. Saying so at start beats a failure on every call; the value
// stays out.
function assertSendable(provider: string, name: string, value: string): void {
  if (!isFieldName(name) || !isFieldValue(value))
    throw new Error(`provider ${provider}: the header "${name}" has characters that cannot be sent`)
}
