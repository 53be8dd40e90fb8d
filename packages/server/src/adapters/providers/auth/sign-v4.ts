// AWS Signature Version 4 over exactly the bytes that are sent. The signer is loaded when it is first needed;
// hashing is Node's own, which is many times faster on a long prompt than one in JavaScript.

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import type { AwsKeys } from './aws-credentials.js'

export interface SignedRequest {
  readonly method: string
  /** Host and port, as in the header. */
  readonly host: string
  /** Path and query as in the request line. */
  readonly path: string
  /** The headers to sign besides `host`; lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface SigningScope {
  readonly service: string
  readonly region: string
}

export type SignV4 = (request: SignedRequest, keys: AwsKeys, atMs: number) => Promise<Record<string, string>>

const ADDED = ['authorization', 'x-amz-date', 'x-amz-security-token']

/** Gives what has to be added to the headers: the signature, its date, the token of the session. */
export async function loadSigner({ service, region }: SigningScope): Promise<SignV4> {
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const common = { service, region, sha256: Sha256, applyChecksum: false }
  return async function sign({ method, host, path, headers, body }, keys, atMs) {
    const { sessionToken, ...pair } = keys
    const credentials = sessionToken === null ? pair : { ...pair, sessionToken }
    const signer = new SignatureV4({ ...common, credentials })
    const { pathname, query } = splitPath(path)
    const signed = await signer.sign(
      // Everything that is signed is here: the name of the host is in the headers.
      {
        method,
        protocol: 'https:',
        hostname: host,
        path: pathname,
        query,
        headers: { host, ...headers },
        body,
      },
      { signingDate: new Date(atMs) },
    )
    return Object.fromEntries(ADDED.flatMap((name) => [[name, signed.headers[name]]]).filter(isPresent))
  }
}

function isPresent(pair: (string | undefined)[]): pair is [string, string] {
  return pair[1] !== undefined
}

function splitPath(path: string): { readonly pathname: string; readonly query: Record<string, string> } {
  const at = path.indexOf('?')
  if (at === -1) return { pathname: path, query: {} }
  return { pathname: path.slice(0, at), query: Object.fromEntries(new URLSearchParams(path.slice(at + 1))) }
}

type Source = string | ArrayBuffer | ArrayBufferView

class Sha256 {
  readonly #secret: Source | undefined
  #hash: Hash | Hmac

  constructor(secret?: Source) {
    this.#secret = secret
    this.#hash = this.#fresh()
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    this.#hash = this.#fresh()
  }

  #fresh(): Hash | Hmac {
    const secret = this.#secret
    return secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
}

function bytesOf(source: Source): Uint8Array {
  if (typeof source === 'string') return Buffer.from(source)
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}
