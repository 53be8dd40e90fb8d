// Calls to AWS, signed one by one. AWS refuses a signature whose time is more than five minutes off, so the
// clock of the server that answers is believed once ours is shown to be wrong.

import type { System } from '../../../engine/ports.js'
import type { Authorizer, HeaderMap, Unsigned } from './authorizer.js'
import type { AwsKeys } from './aws-credentials.js'
import { CredentialError } from './credential-error.js'
import type { Credentials } from './credentials.js'
import { loadSigner, type SigningScope, type SignV4 } from './sign-v4.js'

export interface AwsSignatureOptions extends SigningScope {
  readonly host: string
  readonly system: Pick<System, 'nowMs'>
  /** Signed besides the host: what AWS reads. */
  readonly headers: HeaderMap
}

const SKEW_MS_MIN = 240_000
/** A token that ended, or keys that AWS does not know (any more). */
const STALE = /^(?:ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|InvalidToken)/

export function awsSignature(keys: Credentials<AwsKeys>, options: AwsSignatureOptions): Authorizer {
  const { system, host, headers } = options
  let loading: Promise<SignV4> | null = null
  let offsetMs = 0

  const load = (): Promise<SignV4> => (loading ??= loadSigner(options))

  async function sign({ path, body }: Unsigned): Promise<HeaderMap> {
    const signer = await load()
    if (keys.current() === null) await keys.ready()
    const known = keys.current()
    if (known === null) throw new CredentialError('the keys ended before they could be used')
    return signer({ method: 'POST', host, path, headers, body }, known, system.nowMs() + offsetMs)
  }

  return {
    fixed: {},
    headersFor: sign,
    prepare() {
      const ready = Promise.all([load(), keys.ready()])
      void ready.catch(() => undefined)
    },
    onHead(status, answered, provenMs) {
      const isStale = STALE.test(answered['x-amzn-errortype'] ?? '')
      if (status !== 401 && status !== 403 && !(status === 400 && isStale)) return false
      const skewMs = Date.parse(answered['date'] ?? '') - system.nowMs()
      if (Math.abs(skewMs - offsetMs) < SKEW_MS_MIN)
        return (status === 401 || isStale) && keys.refused(provenMs)
      offsetMs = skewMs
      return true
    },
    close: () => keys.close(),
  }
}
