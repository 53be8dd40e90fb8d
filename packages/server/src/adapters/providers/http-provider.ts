// Calls a provider over HTTP/1.1: one pool of connections per provider, callbacks all the way, no retries and
// no redirects (both are decisions, and decisions belong to the engine). Kinds differ in their address and in
// how a call proves who sends it; nothing else here knows them.

import type { Provider, System, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../engine/ports.js'
import type { Address } from './addresses/address.js'
import { addressOf, type HttpProviderConfig } from './addresses/address-of.js'
import type { Authorizer } from './auth/authorizer.js'
import { authorizerOf, type AuthorizerOptions } from './auth/authorizer-of.js'
import { HttpCall, type HttpCallOptions } from './http-call.js'
import { ConnectionPool, type PooledCall } from './http1/connection-pool.js'
import type { Origin } from './http1/connection.js'
import { askOver } from './inspect/ask.js'
import { inspectorOf } from './inspect/inspect-provider.js'
import { type HeadOptions, headWriter } from './request-head.js'
import { sendProven } from './send-proven.js'

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
  /** Default: what the kind of provider asks for. */
  readonly authorizerOf?: (config: HttpProviderConfig, options: AuthorizerOptions) => Authorizer
}

const CONNECTIONS_MAX = 256
const BODY_BYTES_MAX = 16 * 1024 * 1024
/** After the start, so that it is not slowed down by credentials that no call may need. */
const PREPARE_MS = 500

/**
 * A provider of any kind that is called over HTTP. Throws when its address is not an http(s) URL or a
 * configured header cannot be sent, so that a release with such a provider never serves.
 */
export function createHttpProvider(config: HttpProviderConfig, options: HttpProviderOptions): Provider {
  const address = addressOf(config)
  const { base, pathOf, speaks } = address
  const { name } = config
  if (!/^https?:$/.test(base.protocol))
    throw new Error(`provider ${name}: base_url must start with http:// or https://`)
  const { system, bodyBytesMax = BODY_BYTES_MAX, connections = CONNECTIONS_MAX } = options
  const { host } = base
  const authorizer = (options.authorizerOf ?? authorizerOf)(config, { system, host })
  const headOptions = headOptionsOf(config, address, authorizer)
  const writeHead = headWriter(headOptions)
  const pool = new ConnectionPool({ origin: originOf(base), system, connections })
  const preparing = system.after(PREPARE_MS, () => authorizer.prepare())
  const withdraw = (call: PooledCall): void => pool.withdraw(call)
  const onHead: HttpCallOptions['onHead'] = (...head) => authorizer.onHead(...head)
  const line = { system, pool, authorizer, host, withdraw, onHead }
  const ask = askOver({ ...line, writeHead: headWriter({ ...headOptions, method: 'GET' }) })

  function send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const path = pathOf(request)
    const call = new HttpCall(request, listener, { system, bodyBytesMax, host, withdraw, onHead })
    sendProven(call, authorizer.headersFor({ path, body: request.body }), (proof) => {
      call.prove(writeHead(request, path, proof))
      pool.send(call)
    })
    call.markSent()
    return call
  }

  // Waits for the calls under way: after a reload the old release's provider may still be answering.
  function close(): Promise<void> {
    preparing.cancel()
    authorizer.close()
    return pool.close()
  }

  return { name, simulated: false, speaks, send, inspect: inspectorOf(address, { system, ask }), close }
}

function headOptionsOf(config: HttpProviderConfig, address: Address, { fixed }: Authorizer): HeadOptions {
  const { base, defaults } = address
  return { name: config.name, host: base.host, fixed, configured: config.headers, defaults }
}

function originOf(base: URL): Origin {
  const isSecure = base.protocol === 'https:'
  const host = base.hostname.replace(/^\[(.*)\]$/, '$1')
  return { isSecure, host, port: base.port === '' ? (isSecure ? 443 : 80) : Number(base.port) }
}
