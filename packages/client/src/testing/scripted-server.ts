// A real HTTP server that answers what a test tells it to: for the client's tests only.

import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface Reply {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Written one by one, each in its own turn of the event loop. */
  readonly chunks?: readonly (string | Uint8Array)[]
  /**
   * How the answer ends. `drop`: without any answer. `cut`: connection closed in the middle. `hang`: never.
   */
  readonly end?: 'drop' | 'cut' | 'hang'
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string
  readonly received: Received[]
  /** Resolves when a client has closed a connection whose answer was hanging. */
  readonly hungUp: Promise<void>
}

export type Script = (request: Received, count: number) => Reply

/** `count` is how many requests for that method and path came before. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const received: Received[] = []
  const { promise: hungUp, resolve: onHangUp } = signalled()
  const server = createServer((incoming, response) => {
    readAll(incoming)
      .then((text) => {
        const { method = '', url: path = '', headers } = incoming
        const count = received.filter((earlier) => earlier.method === method && earlier.path === path).length
        const request = {
          method,
          path,
          headers,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        }
        received.push(request)
        return reply(response, script(request, count), onHangUp)
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    hungUp,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function signalled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString('utf8')
}

async function reply(response: ServerResponse, answer: Reply, onHangUp: () => void): Promise<void> {
  if (answer.end === 'drop') {
    response.destroy()
    return
  }
  const type = answer.chunks === undefined ? 'application/json' : 'text/event-stream'
  response.writeHead(answer.status ?? 200, { 'content-type': type, ...answer.headers })
  response.flushHeaders()
  for (const chunk of answer.chunks ?? []) {
    response.write(chunk)
    await nextTurn()
  }
  if (answer.end === 'hang') response.on('close', onHangUp)
  else if (answer.end === 'cut') response.destroy()
  else response.end(answer.json === undefined ? undefined : JSON.stringify(answer.json))
}
