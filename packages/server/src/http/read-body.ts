// The body of a request, bounded.

import type { IncomingMessage } from 'node:http'

export type Body =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'gone' }

export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      request.resume()
      resolve({ kind: 'too-large' })
      return
    }
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) chunks.push(chunk)
      else {
        chunks.length = 0
        resolve({ kind: 'too-large' })
      }
    })
    request.on('end', () => {
      const [first] = chunks
      resolve({
        kind: 'body',
        bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks),
      })
    })
    request.on('error', () => resolve({ kind: 'gone' }))
    request.on('close', () => resolve({ kind: 'gone' }))
  })
}
