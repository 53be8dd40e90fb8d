// Orders for one request, for tests: `error=500; latency_ms=200` in the header `x-sim`, or
// `[[sim:error=500]]` in the user's text, because a gateway does not forward headers it does not know.
// Unknown orders are ignored.

export interface Directives {
  /** Answer with this status and the provider's body for it. */
  readonly status: number | null
  readonly retryAfterSeconds: number | null
  readonly latencyMs: number | null
  readonly tokensPerSecond: number | null
  /** Cut the connection after this many tokens. */
  readonly brokenAfter: number | null
  /** Send an error inside the stream after this many tokens. */
  readonly inBandErrorAfter: number | null
  /** Go silent: 0 = before the head, else after this many tokens. */
  readonly stallAfter: number | null
  readonly html: boolean
  readonly garbage: boolean
  readonly noUsage: boolean
  readonly usageFactor: number | null
  readonly tokens: number | null
  readonly confidence: number | null
  readonly tool: string | null
  readonly text: string | null
}

const HEADER_BYTES_MAX = 4096

/** The header's orders win over the text's, which are at most 512 characters and hold no `]`. */
export function readDirectives(header: string | undefined, userText: string): Directives {
  const orders = new Map<string, string>()
  for (const match of userText.matchAll(/\[\[sim:([^\]]{0,512})\]\]/g)) readOrders(match[1] ?? '', orders)
  if (header !== undefined) readOrders(header.slice(0, HEADER_BYTES_MAX), orders)
  return {
    status: numberIn(orders, 'error', 500) ?? numberIn(orders, 'status'),
    retryAfterSeconds: numberIn(orders, 'retry_after'),
    latencyMs: numberIn(orders, 'latency_ms'),
    tokensPerSecond: numberIn(orders, 'tokens_per_second'),
    brokenAfter: numberIn(orders, 'broken_after', 1),
    inBandErrorAfter: numberIn(orders, 'in_band_error', 1),
    stallAfter: numberIn(orders, 'stall', 0),
    html: orders.has('html'),
    garbage: orders.has('garbage'),
    noUsage: orders.has('no_usage'),
    usageFactor: numberIn(orders, 'usage_factor'),
    tokens: numberIn(orders, 'tokens'),
    confidence: numberIn(orders, 'confidence'),
    tool: orders.get('tool') ?? null,
    text: orders.get('text') ?? null,
  }
}

/** `text=` takes the rest, semicolons and all: put it last. */
function readOrders(source: string, orders: Map<string, string>): void {
  let rest = source
  while (rest !== '') {
    const isText = /^\s*text=/.test(rest)
    const end = isText ? -1 : rest.indexOf(';')
    const order = end === -1 ? rest : rest.slice(0, end)
    rest = end === -1 ? '' : rest.slice(end + 1)
    const equals = order.indexOf('=')
    const name = (equals === -1 ? order : order.slice(0, equals)).trim()
    if (name !== '') orders.set(name, equals === -1 ? '' : order.slice(equals + 1).trim())
  }
}

/** `bare`: what an order without a number means. */
function numberIn(
  orders: ReadonlyMap<string, string>,
  name: string,
  bare: number | null = null,
): number | null {
  const text = orders.get(name)
  if (text === undefined) return null
  if (text === '') return bare
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : bare
}
