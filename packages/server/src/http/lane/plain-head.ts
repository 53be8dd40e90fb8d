// The heads the lane understands: a POST with a length, every header once, nothing that asks for more than an
// answer. The reader is stricter than the standard: what it does not take goes to `node:http`, so a doubt
// costs time and never safety.

import type { IncomingHttpHeaders } from 'node:http'
import { isFieldName, isFieldValue } from '../../wire/http-field.js'

export interface PlainHead {
  readonly path: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  readonly contentLength: number
}

const REQUEST_LINE = /^POST (\/[!-~]*) HTTP\/1\.1$/
const LENGTH = /^\d{1,12}$/
const HEADERS_MAX = 100

/** Names seen in valid heads, as they came and in lower case: clients send the same few again and again. */
const NAMES = new Map<string, string>()
const NAMES_MAX = 1_000

/** Each changes how the message is read or answered. (`origin`: pages in browsers want CORS headers.) */
const NOT_PLAIN = new Set(['transfer-encoding', 'expect', 'upgrade', 'trailer', 'te', 'origin'])

/** null: not plain. `head`: the bytes before the blank line as Latin-1, one character each. */
export function readPlainHead(head: string): PlainHead | null {
  const lineEnd = head.indexOf('\r\n')
  const path = lineEnd === -1 ? undefined : REQUEST_LINE.exec(head.slice(0, lineEnd))?.[1]
  if (path === undefined) return null
  const headers: Record<string, string> = {}
  let count = 0
  for (let at = lineEnd + 2; at < head.length;) {
    const next = head.indexOf('\r\n', at)
    const end = next === -1 ? head.length : next
    const colon = head.indexOf(':', at)
    if (colon === -1 || colon >= end || ++count > HEADERS_MAX) return null
    const name = nameOf(head.slice(at, colon))
    if (name === null || headers[name] !== undefined || NOT_PLAIN.has(name)) return null
    const value = trimmed(head, colon + 1, end)
    if (!isFieldValue(value)) return null
    headers[name] = value
    at = end + 2
  }
  return checked(path, headers)
}

function checked(path: string, headers: Readonly<Record<string, string>>): PlainHead | null {
  const { host, connection, 'content-length': length } = headers
  if (host === undefined || length === undefined || !LENGTH.test(length)) return null
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null
  return { path, headers, contentLength: Number(length) }
}

function nameOf(raw: string): string | null {
  const known = NAMES.get(raw)
  if (known !== undefined) return known
  const name = raw.toLowerCase()
  // Of an object's own members: none is a header.
  if (!isFieldName(name) || name in Object.prototype) return null
  if (NAMES.size < NAMES_MAX) NAMES.set(raw, name)
  return name
}

/** Without the blanks around it, and without making a string for each side. */
function trimmed(head: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(head.charCodeAt(start))) start += 1
  while (end > start && isBlank(head.charCodeAt(end - 1))) end -= 1
  return head.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
