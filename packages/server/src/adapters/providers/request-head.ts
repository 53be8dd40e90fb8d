// Request line and headers of a call. The part that never changes is made, and checked, once.

import type { UpstreamRequest } from '../../engine/ports.js'
import { isFieldName, isFieldValue } from '../../wire/http-field.js'

// Set by us or by the connection: a caller's header or a configured one must not change them.
const RESERVED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-type',
  'accept-encoding',
])

export interface HeadOptions {
  /** Default POST. A GET says nothing about a body. */
  readonly method?: 'GET' | 'POST'
  /** Of the provider, for messages. */
  readonly name: string
  /** Host and port. */
  readonly host: string
  /** Who sends it; beaten by nothing but a configured header. */
  readonly fixed: Readonly<Record<string, string>>
  readonly configured: Readonly<Record<string, string>>
  /** Sent unless the caller's own header of that name came along. */
  readonly defaults: Readonly<Record<string, string>>
}

/** `proof`: headers made for this call alone; lower case. */
export type WriteHead = (
  request: Pick<UpstreamRequest, 'headers' | 'body'>,
  path: string,
  proof: Readonly<Record<string, string>>,
) => string

/** Throws when a header cannot be sent, so that a release with such a provider never serves. */
export function headWriter(options: HeadOptions): WriteHead {
  const { method = 'POST', name, host, fixed, configured, defaults } = options
  const constant = new Map<string, string>([['accept-encoding', 'identity']])
  if (method === 'POST') constant.set('content-type', 'application/json')
  const chosen = new Map<string, string>()
  for (const [header, value] of Object.entries(fixed)) constant.set(header, value)
  for (const [header, value] of Object.entries(defaults)) chosen.set(header, value)
  for (const [header, value] of Object.entries(configured)) {
    const lower = header.toLowerCase()
    if (RESERVED.has(lower)) continue
    if (chosen.has(lower)) chosen.set(lower, value)
    else constant.set(lower, value)
  }
  for (const [header, value] of [...constant, ...chosen]) assertSendable(name, header, value)
  const lines = [...constant].map(([header, value]) => `${header}: ${value}\r\n`).join('')
  const start = `host: ${host}\r\nconnection: keep-alive\r\n${lines}`

  return ({ headers, body }, path, proof) => {
    let head = `${method} ${path} HTTP/1.1\r\n${start}`
    if (method === 'POST') head += `content-length: ${body.length}\r\n`
    for (const [header, value] of chosen) head += line(name, header, headers[header] ?? value)
    for (const header in headers) {
      const value = headers[header]
      const isOurs = RESERVED.has(header) || constant.has(header) || chosen.has(header)
      if (value === undefined || isOurs || Object.hasOwn(proof, header)) continue
      head += line(name, header, value)
    }
    for (const header in proof) {
      // What is configured beats everything, as it does for keys: never two of a name.
      if (!constant.has(header)) head += line(name, header, proof[header] ?? '')
    }
    return `${head}\r\n`
  }
}

function line(provider: string, name: string, value: string): string {
  assertSendable(provider, name, value)
  return `${name}: ${value}\r\n`
}

// A key read from a file often ends in a newline. Saying so at start beats a failure on every call; the value
// stays out.
function assertSendable(provider: string, name: string, value: string): void {
  if (!isFieldName(name) || !isFieldValue(value))
    throw new Error(`provider ${provider}: the header "${name}" has characters that cannot be sent`)
}
