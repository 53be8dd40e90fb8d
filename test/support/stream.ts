// One streamed answer on a connection of its own, as it arrives: to look at what has come so far, and to hang up.

import { type Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { waitFor } from './wait-for.js'

export interface OpenStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What has come so far. */
  text(): string
  /** `ended`: the body came to its proper end. `broken`: the connection was lost before that. */
  readonly end: Promise<'ended' | 'broken'>
  /** Resolves when the text so far satisfies the condition; fails when it never does. */
  until(what: string, holds: (text: string) => boolean): Promise<void>
  /** Closes the connection from our side. */
  leave(): void
}

/** Resolves with the head of the answer. `agent` default: none, the connection is closed with the answer. */
export function openStream(
  url: string,
  sent: {
    readonly body: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly agent?: Agent
  },
): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...sent.headers }
    const outgoing = httpRequest(url, { method: 'POST', headers, agent: sent.agent ?? false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      const end = new Promise<'ended' | 'broken'>((finish) => {
        response.once('end', () => finish('ended'))
        response.once('error', () => finish('broken'))
        response.once('close', () => finish(response.complete ? 'ended' : 'broken'))
      })
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: () => text,
        end,
        until: async (what, holds) => void (await waitFor(what, () => holds(text))),
        leave: () => outgoing.destroy(),
      })
    })
    outgoing.once('error', reject)
    outgoing.end(JSON.stringify(sent.body))
  })
}
