// One listening server: model routes go straight to the data plane, everything else to the control plane.
// Preflights of browsers are answered before either.

import { type Server as HttpServer, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CallerWire } from '../core/release/release.js'
import type { System } from '../engine/ports.js'
import { type ControlPlane, createControlPlane } from './control-plane.js'
import { answersPreflight } from './cross-origin.js'
import {
  type DataPlane,
  type ModelExchange,
  maxBodyBytesOf,
  modelRoute,
  serveModelCall,
} from './data-plane.js'
import { registerCountTokens } from './count-tokens.js'
import { HttpCaller } from './http-caller.js'
import { KEEP_ALIVE_MS } from './lane/lane.js'
import type { LaneCaller } from './lane/lane-caller.js'
import { Lanes } from './lane/lanes.js'
import { readBody } from './read-body.js'
import { registerResponseRoutes } from './response-routes.js'
import { registerOperatorRoutes } from './operator-routes.js'
import { registerDependencyRoutes } from './dependency-routes.js'
import { registerTaskRoutes } from './task-routes.js'

export interface ServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly data: DataPlane
  readonly control: ControlPlane
  /** A fault of ours while answering: for the log. */
  onFault(error: unknown): void
}

export interface Server extends AsyncDisposable {
  readonly url: string
  /** Stops listening, lets running requests end, closes idle connections. */
  close(graceMs: number): Promise<void>
}

/** While closing: how often connections that became idle are looked for. */
const IDLE_CHECK_MS = 50

export async function startServer(options: ServerOptions): Promise<Server> {
  const { control } = options
  let http: HttpServer | undefined
  const app = createControlPlane(control, (handler: (request: never, response: never) => void) => {
    const onRequest = requestListener(options, handler as RequestHandler)
    http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, onRequest)
    return http
  })
  if (http === undefined) throw new Error('fastify asks for its server when it is made')
  const lanes = createLanes(http, options)
  registerTaskRoutes(app, control.engine)
  registerDependencyRoutes(app, control.engine)
  registerOperatorRoutes(app, control)
  registerCountTokens(app, control.engine)
  registerResponseRoutes(app, control.engine)
  await app.listen({ host: options.host, port: options.port })
  const address = http.address() as AddressInfo
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  const parts = { app, lanes, system: control.engine.system }
  const close = (graceMs: number) => closeServer(parts, graceMs)
  return { url: `http://${host}:${address.port}`, close, [Symbol.asyncDispose]: () => close(0) }
}

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** What `node:http` reads: browsers, the control plane, and model calls that are not plain. */
function requestListener(options: ServerOptions, handler: RequestHandler): RequestHandler {
  const { data, control } = options
  return (request, response) => {
    if (answersPreflight(control.engine.release().server.allowedOrigins, { request, response })) return
    const wire = modelRoute(request.method, request.url)
    if (wire === undefined) return handler(request, response)
    const { headers } = request
    const { remoteAddress } = request.socket
    const caller = new HttpCaller(response)
    const body = readBody(request, maxBodyBytesOf(data))
    serve(options, wire, { headers, remoteAddress, body, caller })
  }
}

interface Exchange extends ModelExchange {
  readonly caller: HttpCaller | LaneCaller
}

function serve(options: ServerOptions, wire: CallerWire, exchange: Exchange): void {
  serveModelCall(options.data, wire, exchange).catch((error: unknown) => {
    options.onFault(error)
    // A caller that was answered keeps the answer; one that was not may not wait for ever.
    if (!exchange.caller.isDone) exchange.caller.destroy()
  })
}

function createLanes(http: HttpServer, options: ServerOptions): Lanes {
  const { data, control } = options
  return new Lanes(http, {
    system: control.engine.system,
    maxBodyBytes: () => maxBodyBytesOf(data),
    wireOf: (path) => modelRoute('POST', path),
    serve({ wire, head, body: bytes }, caller) {
      const { remoteAddress } = caller
      serve(options, wire, { headers: head.headers, remoteAddress, body: { kind: 'body', bytes }, caller })
    },
  })
}

interface ServerParts {
  readonly app: { close(): Promise<unknown> }
  readonly lanes: Lanes
  readonly system: System
}

async function closeServer({ app, lanes, system }: ServerParts, graceMs: number): Promise<void> {
  const timer = system.after(graceMs, () => lanes.closeAll())
  let isClosed = false
  // Running requests are waited for, not connections: Node would wait for one that is kept alive after its
  // last answer.
  const closeIdle = () => {
    if (isClosed) return
    lanes.closeIdle()
    system.after(IDLE_CHECK_MS, closeIdle)
  }
  closeIdle()
  await app.close()
  isClosed = true
  timer.cancel()
}
