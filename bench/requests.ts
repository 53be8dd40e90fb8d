// The requests the bench sends: 2 KB of JSON, as an application's client would.

import type { LoadJob } from './load-generator.js'
import { TENANT_KEY } from './spillway-under-test.js'

const BODY_BYTES = 2048
const CONNECTIONS = 64
const PATH = '/v1/chat/completions'

export interface BodyOptions {
  readonly model: string
  readonly stream: boolean
}

/** A chat request of exactly 2 KB. */
export function chatBody({ model, stream }: BodyOptions): string {
  const render = (text: string): string =>
    JSON.stringify({
      model,
      messages: [
        { role: 'system', content: 'You answer customers kindly and briefly.' },
        { role: 'user', content: text },
      ],
      max_tokens: 200,
      stream,
      ...(stream ? { stream_options: { include_usage: true } } : {}),
    })
  const sentence = 'My parcel has not arrived and the tracking page shows nothing. '
  const room = BODY_BYTES - render('').length
  return render(sentence.repeat(Math.ceil(room / sentence.length)).slice(0, room))
}

export function chatJob(
  url: string,
  options: BodyOptions & { readonly requests: number; readonly headers?: Readonly<Record<string, string>> },
): LoadJob {
  return {
    url,
    path: PATH,
    headers: { authorization: `Bearer ${TENANT_KEY}`, ...options.headers },
    body: chatBody(options),
    connections: CONNECTIONS,
    requests: options.requests,
  }
}
