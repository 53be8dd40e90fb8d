// Access tokens for Google Cloud: a given one, a service account's, or the default chain's (environment,
// gcloud, workload identity, metadata server). The library is loaded when it is first needed.

import type { GoogleAccess } from '../../../core/release/cloud-providers.js'
import type { System } from '../../../engine/ports.js'
import { CredentialError, isRefusal, reasonOf, statusOf } from './credential-error.js'
import { type Credentials, type Fetched, fixedCredentials, RefreshedCredentials } from './credentials.js'

type Fetch = typeof globalThis.fetch

export interface GoogleCredentialsOptions {
  readonly system: Pick<System, 'nowMs' | 'after' | 'random'>
  /** How the library reaches the token server. Default: its own way. */
  readonly fetch?: Fetch
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
/** For a token that does not say when it ends. */
const LIFETIME_MS_DEFAULT = 1_800_000

export function googleCredentials(
  access: GoogleAccess,
  options: GoogleCredentialsOptions,
): Credentials<string> {
  if (access.from === 'token') return fixedCredentials(access.accessToken)
  return new RefreshedCredentials(() => fetchToken(access, options), options.system)
}

async function fetchToken(
  access: Exclude<GoogleAccess, { from: 'token' }>,
  { system, fetch }: GoogleCredentialsOptions,
): Promise<Fetched<string>> {
  const who = access.from === 'file' ? 'the service account' : 'the default Google chain'
  try {
    const { GoogleAuth } = await import('google-auth-library')
    // A new one each time: it reads the file anew, and answers nothing from memory.
    const auth = new GoogleAuth({
      scopes: SCOPE,
      ...(access.from === 'file' ? { keyFile: access.path } : {}),
      ...(fetch === undefined
        ? {}
        : { clientOptions: { transporterOptions: { fetchImplementation: fetch } } }),
    })
    const client = await auth.getClient()
    const { token } = await client.getAccessToken()
    if (!token) throw new Error('no token came back')
    const { expiry_date: endsAtMs } = client.credentials
    return { value: token, expiresAtMs: endsAtMs ?? system.nowMs() + LIFETIME_MS_DEFAULT }
  } catch (error) {
    throw new CredentialError(`${who} gave no token: ${reasonOf(error)}`, {
      isFinal: isRefusal(statusOf(error)) || isMisconfigured(error),
      cause: error,
    })
  }
}

/** No such file, not a key file, or nothing that could be found: all of it on this machine. */
function isMisconfigured(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') return true
  return (
    error instanceof SyntaxError ||
    /default credentials|JSON|private_key|client_email|PEM/i.test(error.message)
  )
}
