// One listening server: model routes go straight to the data plane, everything else to the control plane.
// Preflights of browsers are answered before either.

import { type Server as HttpServer, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type ControlPlane, createControlPlane } from './control-plane.js'
import { answersPreflight } from './cross-origin.js'
import { type DataPlane, modelRoute, serveModelCall } from './data-plane.js'
import { registerCountTokens } from './count-tokens.js'
import { registerOperatorRoutes } from './operator-routes.js'
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

/**
 * Longer than the usual load balancer's idle time, so that it never sends into a connection we just closed.
 */
const KEEP_ALIVE_MS = 65_000
/** While closing: how often connections that became idle are looked for. */
const IDLE_CHECK_MS = 50

export async function startServer(options: ServerOptions): Promise<Server> {
  const { data, control } = options
  let http: HttpServer | undefined
  const sockets = new Set<Socket>()
  const app = createControlPlane(control, (handler: (request: never, response: never) => void) => {
    http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (request, response) => {
      if (answersPreflight(control.engine.release().server.allowedOrigins, { request, response })) return
      const wire = modelRoute(request.method, request.url)
      if (wire === undefined) return handler(request as never, response as never)
      serveModelCall(data, wire, { request, response }).catch((error: unknown) => {
        options.onFault(error)
        // A caller that was answered keeps the answer; one that was not may not wait for ever.
        if (!response.writableEnded) response.destroy()
      })
    })
    http.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    return http
  })
  registerTaskRoutes(app, control.engine)
  registerOperatorRoutes(app, control)
  registerCountTokens(app, control.engine)
  await app.listen({ host: options.host, port: options.port })
  const address = http?.address() as AddressInfo
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  const close = (graceMs: number) => closeServer(http, app, { graceMs, control, sockets })
  return { url: `http://${host}:${address.port}`, close, [Symbol.asyncDispose]: () => close(0) }
}

async function closeServer(
  http: HttpServer | undefined,
  app: { close(): Promise<unknown> },
  how: { readonly graceMs: number; readonly control: ControlPlane; readonly sockets: ReadonlySet<Socket> },
): Promise<void> {
  const { system } = how.control.engine
  const timer = system.after(how.graceMs, () => http?.closeAllConnections())
  let isClosed = false
  // Running requests are waited for, not connections: Node would wait for one that is kept alive after its
  // last answer, and does not count one as idle that never asked anything.
  const closeIdle = () => {
    if (isClosed) return
    http?.closeIdleConnections()
    for (const socket of how.sockets) if (socket.bytesRead === 0) socket.destroy()
    system.after(IDLE_CHECK_MS, closeIdle)
  }
  closeIdle()
  await app.close()
  isClosed = true
  timer.cancel()
}
