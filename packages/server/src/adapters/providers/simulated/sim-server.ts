// The simulated provider as an HTTP server of its own: OpenAI's and Anthropic's routes on one port, its books
// under `/sim/stats`, its knobs under `/sim/behaviour`.

import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import type { Simulation } from '../../../core/release/simulation.js'
import type { System } from '../../../engine/ports.js'
import { performOverHttp } from './perform-over-http.js'
import { errorAnswer, dialectOf } from './provider-errors.js'
import { errorScript } from './fault-script.js'
import { answerControl } from './sim-control.js'
import { answerModels } from './sim-models.js'
import type { SimRoute } from './sim-request.js'
import type { SimStats } from './sim-stats.js'
import { SimWorld } from './sim-world.js'

export interface SimServerOptions {
  /** 0 picks one. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  readonly simulation: Simulation
  readonly system: System
}

export interface SimServer extends AsyncDisposable {
  /** `http://host:port`, without `/v1`. */
  readonly url: string
  stats(): SimStats
  /** Cuts what is still open. */
  close(): Promise<void>
}

const BODY_BYTES_MAX = 32 * 1024 * 1024
// Longer than clients keep idle connections, so that no request meets one that is just being closed.
const KEEP_ALIVE_MS = 75_000

const ROUTES: Readonly<Record<string, SimRoute>> = {
  '/v1/chat/completions': 'openai-chat',
  '/v1/responses': 'openai-responses',
  '/v1/embeddings': 'openai-embeddings',
  '/v1/messages': 'anthropic-messages',
  '/v1/messages/count_tokens': 'anthropic-count-tokens',
}

export async function startSimServer(options: SimServerOptions): Promise<SimServer> {
  const world = new SimWorld(options.simulation, options.system)
  const server = createServer((request, response) => {
    answer(request, response, { world, system: options.system })
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  const host = options.host ?? '127.0.0.1'
  const address = await listen(server, options.port, host)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    stats: () => world.stats(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the server has no port'))
      else resolve(address)
    })
  })
}

interface Room {
  readonly world: SimWorld
  readonly system: System
}

function answer(request: IncomingMessage, response: ServerResponse, room: Room): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const route = request.method === 'POST' ? ROUTES[path] : undefined
  if (path.startsWith('/sim/')) {
    readBody(request, response, (body) =>
      answerControl({ method: request.method ?? 'GET', path, body }, response, room.world),
    )
    return
  }
  if (request.method === 'GET' && (path === '/v1/models' || path.startsWith('/v1/models/'))) {
    answerModels(path, request.headers, { response, simulation: room.world.simulation })
    return
  }
  if (route === undefined) {
    request.resume()
    refuse(
      response,
      { ...room, route: 'openai-chat' },
      { status: 404, message: `Invalid URL (${request.method} ${path})` },
    )
    return
  }
  if (!hasKey(request, route)) {
    request.resume()
    refuse(response, { ...room, route }, { status: 401 })
    return
  }
  const orders = request.headers['x-sim']
  readBody(request, response, (body) => {
    const script = room.world.open({ route, body, orders: typeof orders === 'string' ? orders : undefined })
    performOverHttp(script, response, {
      system: room.system,
      close: (played) => room.world.close(script, played),
    })
  })
}

/** Any key is accepted; none is not. */
function hasKey(request: IncomingMessage, route: SimRoute): boolean {
  const bearer = /^Bearer\s+\S/.test(request.headers.authorization ?? '')
  return bearer || (dialectOf(route) === 'anthropic' && (request.headers['x-api-key'] ?? '') !== '')
}

function refuse(
  response: ServerResponse,
  at: Room & { readonly route: SimRoute },
  detail: { readonly status: number; readonly message?: string },
): void {
  const error = errorAnswer({ dialect: dialectOf(at.route), requestId: 'req_refused', ...detail })
  const script = errorScript(detail.status === 401 ? 'unauthorized' : 'invalid', '(refused)', error)
  at.world.note(script)
  performOverHttp(script, response, { system: at.system, close: (played) => at.world.close(script, played) })
}

function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  done: (body: Uint8Array) => void,
): void {
  const chunks: Uint8Array[] = []
  let bytes = 0
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    if (bytes <= BODY_BYTES_MAX) {
      chunks.push(chunk)
      return
    }
    request.removeAllListeners('data').removeAllListeners('end')
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
    response.end(errorAnswer({ dialect: 'openai', status: 413, requestId: 'req_refused' }).body)
  })
  request.on('end', () => done(Buffer.concat(chunks)))
}
