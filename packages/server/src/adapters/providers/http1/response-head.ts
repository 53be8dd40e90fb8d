// The head of a response (RFC 9112): status, headers, and how its body is framed. Whatever leaves two ways to
// read where the body ends is refused: the rest of the connection could not be trusted.

import type { Parsed } from '../../../core/parsed.js'
import { invalid, parsed } from '../../../core/parsed.js'
import { isFieldName, isFieldValue } from '../../../wire/http-field.js'

export type Framing =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

export interface ResponseHead {
  readonly status: number
  /** Lower-case names; repeated headers joined by a comma. Without those that concern the connection. */
  readonly headers: Readonly<Record<string, string>>
  readonly framing: Framing
  /** The connection may carry another request after this response. */
  readonly reusable: boolean
  /** The server closes an idle connection after so many seconds (`Keep-Alive: timeout=`), or null. */
  readonly idleSeconds: number | null
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const OK = 'HTTP/1.1 200 OK'
const OK_PARTS = ['', '1', '200'] as const
const DIGITS = /^\d{1,15}$/

// Of the connection, or nobody's business: the engine reads the rest. The date stays: a signature that was
// refused shows by it that our clock is wrong.
const DROPPED = new Set(['trailer', 'set-cookie', 'server'])

/** What the headers say of the connection. */
interface Hop {
  length: string | null
  encoding: string | null
  connection: string | null
  keepAlive: string | null
}

/** `head`: the bytes before the blank line as Latin-1, one character each. */
export function parseResponseHead(head: string): Parsed<ResponseHead> {
  const lineEnd = head.indexOf('\r\n')
  const line = lineEnd === -1 ? head : head.slice(0, lineEnd)
  const statusLine = line === OK ? OK_PARTS : STATUS_LINE.exec(line)
  if (statusLine === null) return invalid('status line', 'is not HTTP/1.x')
  const headers: Record<string, string> = {}
  const hop: Hop = { length: null, encoding: null, connection: null, keepAlive: null }
  let at = lineEnd === -1 ? head.length : lineEnd + 2
  while (at < head.length) {
    const next = head.indexOf('\r\n', at)
    const end = next === -1 ? head.length : next
    const colon = head.indexOf(':', at)
    if (colon === -1 || colon >= end) return invalid('header', 'has no colon')
    const name = head.slice(at, colon).toLowerCase()
    const value = head.slice(colon + 1, end).trim()
    if (!isFieldName(name) || !isFieldValue(value)) return invalid('header', 'has forbidden characters')
    if (!takeHop(hop, name, value) && !DROPPED.has(name)) {
      const before = headers[name]
      headers[name] = before === undefined ? value : `${before}, ${value}`
    }
    at = end + 2
  }
  return framed(Number(statusLine[2]), { headers, hop, isOld: statusLine[1] === '0' })
}

/** Also true for one that came before: what differs then is found by the readers of `Hop`. */
function takeHop(hop: Hop, name: string, value: string): boolean {
  switch (name) {
    case 'content-length':
      hop.length = hop.length === null || hop.length === value ? value : 'twice'
      return true
    case 'transfer-encoding':
      hop.encoding = joined(hop.encoding, value.toLowerCase())
      return true
    case 'connection':
      hop.connection = joined(hop.connection, value.toLowerCase())
      return true
    case 'keep-alive':
      hop.keepAlive = value.toLowerCase()
      return true
    default:
      return false
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

function framed(
  status: number,
  read: {
    readonly headers: Readonly<Record<string, string>>
    readonly hop: Hop
    readonly isOld: boolean
  },
): Parsed<ResponseHead> {
  const { headers, hop, isOld } = read
  const framing = framingOf(status, hop)
  if (framing === null) return invalid('header', 'says in two ways how long the body is')
  const asksToClose = hop.connection?.includes('close') === true
  const asksToStay = !isOld || hop.connection?.includes('keep-alive') === true
  // Both ways of framing at once is how responses are smuggled: read by the rule, and nothing after it.
  const isDoubtful = hop.length !== null && hop.encoding !== null
  const reusable = asksToStay && !asksToClose && !isDoubtful && framing.kind !== 'until-close'
  const seconds = /(?:^|[ ,])timeout=(\d{1,6})/.exec(hop.keepAlive ?? '')?.[1]
  return parsed({
    status,
    headers,
    framing,
    reusable,
    idleSeconds: seconds === undefined ? null : Number(seconds),
  })
}

/** RFC 9112 section 6.3, for answers to POST. */
function framingOf(status: number, { length, encoding }: Hop): Framing | null {
  if (status < 200 || status === 204 || status === 304) return NO_BODY
  if (encoding !== null) return encoding === 'chunked' ? CHUNKED : null
  if (length === null) return UNTIL_CLOSE
  return DIGITS.test(length) ? { kind: 'fixed', bytes: Number(length) } : null
}

const NO_BODY: Framing = { kind: 'fixed', bytes: 0 }
const CHUNKED: Framing = { kind: 'chunked' }
const UNTIL_CLOSE: Framing = { kind: 'until-close' }
