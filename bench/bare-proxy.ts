// The yardstick: the least a Node gateway can do. Buffer the request, send it on with its length, pass the
// answer through. node:http in front, undici's Pool.dispatch behind.
// Usage: bare-proxy.js <upstream origin> [<connections>]

import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { Pool } from 'undici'
import { endWithParent, portOf } from './processes.js'

const PASSED = ['content-type', 'content-length']
const pool = new Pool(process.argv[2] ?? '', { connections: Number(process.argv[3] ?? 256), pipelining: 1 })

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const headers = {
    'content-type': request.headers['content-type'] ?? 'application/json',
    authorization: request.headers.authorization ?? '',
    'content-length': String(body.length),
  }
  pool.dispatch(
    { path: request.url ?? '/', method: 'POST', headers, body },
    {
      onRequestStart: (controller) => {
        response.on('close', () => {
          if (!response.writableFinished) controller.abort(new Error('the caller left'))
        })
      },
      onResponseStart: (_controller, status, upstream) => {
        const passed: Record<string, string | string[]> = {}
        for (const name of PASSED) {
          const value = upstream[name]
          if (value !== undefined) passed[name] = value
        }
        response.writeHead(status, passed)
      },
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => response.destroy(),
    },
  )
}

endWithParent()
const server = createServer((request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => forward(request, response, Buffer.concat(pieces)))
})

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${portOf(server)}\n`)
})
