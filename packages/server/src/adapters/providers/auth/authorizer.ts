// How a call proves who sends it. A fixed key is a constant header; what runs out or depends on the bytes of
// the request is made for each call.

/** The part of a request that a signature covers. */
export interface Unsigned {
  readonly path: string
  readonly body: Uint8Array
}

export type HeaderMap = Readonly<Record<string, string>>

export interface Authorizer {
  /** Sent with every call. */
  readonly fixed: HeaderMap
  /**
   * Headers for this call, at once where that is possible. Rejects with a `CredentialError` when there are
   * none.
   */
  headersFor(request: Unsigned): HeaderMap | Promise<HeaderMap>
  /** Fetches what it will need, so that the first call does not wait. Failures are told to the calls. */
  prepare(): void
  /**
   * What the provider answered to a call that was proven at `provenMs`: a refused credential is renewed, a
   * wrong clock is set. true: the same call, sent again, is proven anew.
   */
  onHead(status: number, headers: HeaderMap, provenMs: number): boolean
  close(): void
}

const NONE: HeaderMap = {}
const none = (): void => undefined

export function fixedHeaders(fixed: HeaderMap): Authorizer {
  return { fixed, headersFor: () => NONE, prepare: none, onHead: () => false, close: none }
}
