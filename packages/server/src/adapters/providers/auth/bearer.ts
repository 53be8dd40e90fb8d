// A bearer token that runs out. In the steady state it is known when a call goes out.

import type { Authorizer, HeaderMap } from './authorizer.js'
import { CredentialError } from './credential-error.js'
import type { Credentials } from './credentials.js'

export function bearer(tokens: Credentials<string>): Authorizer {
  const header = (): HeaderMap | null => {
    const token = tokens.current()
    return token === null ? null : { authorization: `Bearer ${token}` }
  }
  async function later(): Promise<HeaderMap> {
    await tokens.ready()
    const known = header()
    if (known === null) throw new CredentialError('the token ended before it could be used')
    return known
  }
  return {
    fixed: {},
    headersFor: () => header() ?? later(),
    prepare: () => void tokens.ready().catch(() => undefined),
    onHead: (status, _headers, provenMs) => status === 401 && tokens.refused(provenMs),
    close: () => tokens.close(),
  }
}
