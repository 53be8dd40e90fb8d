// Plain requests to a running server, for what the official clients would not send.

export interface Answered {
  readonly status: number
  readonly headers: Headers
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown
}

export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent as it is, everything else as JSON. */
  readonly body?: unknown
}

export async function request(url: string, sent: Sent = {}): Promise<Answered> {
  const { body, headers = {} } = sent
  const response = await fetch(url, {
    method: sent.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The `error` member of a refusal in either shape. */
export function errorOf(answered: Answered): Record<string, unknown> {
  const { body } = answered
  if (typeof body !== 'object' || body === null || !('error' in body)) {
    throw new Error(`not an error body: ${JSON.stringify(body)}`)
  }
  return body.error as Record<string, unknown>
}

/** A `fetch` that counts, to see whether an SDK sent a request again. */
export function countingFetch(): { readonly fetch: typeof globalThis.fetch; readonly calls: () => number } {
  let calls = 0
  return {
    calls: () => calls,
    fetch: (input, init) => {
      calls += 1
      return fetch(input, init)
    },
  }
}
