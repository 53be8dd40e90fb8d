// What differs between kinds of provider: where a request goes, what stands in its head, and which formats
// they understand. How it gets there is the same for all of them.

import type { CallerWire, Wire } from '../../../core/release/release.js'
import type { UpstreamRequest } from '../../../engine/ports.js'

/** What a path depends on. */
export type Asked = Pick<UpstreamRequest, 'wire' | 'model' | 'stream' | 'countTokens'>

export interface Address {
  /** Scheme and host of the connections. */
  readonly base: URL
  /** Path and query, from `/` on; characters that mean something in a path are encoded. */
  readonly pathOf: (asked: Asked) => string
  /** The format in which `model` is asked for what a caller asked in `wire`; null: not at all. */
  readonly speaks: (wire: CallerWire, model: string) => Wire | null
  /** Sent unless the caller's own header of that name came along. */
  readonly defaults: Readonly<Record<string, string>>
  readonly modelList: ModelListAddress
  /** Path before `/health` and `/metrics`; null: not a server that people host themselves. */
  readonly serverRoot: string | null
}

export type ModelListAddress =
  | { readonly kind: 'none'; readonly reason: string }
  | {
      readonly kind: 'pages'
      /** Path and query of the page after `cursor`, of the first one for null. */
      readonly pathOf: (cursor: string | null) => string
      /** Its ids are what calls name. */
      readonly namesCalls: boolean
    }

/** A list at `path` whose pages are asked for by `parameter`. */
export function pagedList(path: string, parameter: string): ModelListAddress {
  const sign = path.includes('?') ? '&' : '?'
  const pathOf = (cursor: string | null): string =>
    cursor === null ? path : `${path}${sign}${parameter}=${segment(cursor)}`
  return { kind: 'pages', pathOf, namesCalls: true }
}

/** A call in a format this kind does not speak is a fault of ours, never a guess at a path. */
export function noPath(kind: string, { wire }: Asked): never {
  throw new Error(`a provider of kind ${kind} is not asked in ${wire}`)
}

/** One segment of a path: whatever is in it stays inside (RFC 3986, 2.3). */
export function segment(text: string): string {
  const encoded = encodeURIComponent(text)
  return encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A path of several segments, each encoded for itself. */
export function segments(path: string): string {
  return path.split('/').map(segment).join('/')
}

/** The part of a base address that comes before every path. */
export function prefixOf(base: URL): string {
  return base.pathname.replace(/\/+$/, '')
}
