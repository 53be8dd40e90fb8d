// Tokens of Microsoft Entra for Azure OpenAI: those of a client with a secret, or the default chain's
// (environment, workload identity, managed identity, the Azure CLI). The library is loaded when it is first
// needed.

import type { AzureAccess } from '../../../core/release/cloud-providers.js'
import type { System } from '../../../engine/ports.js'
import { CredentialError, isRefusal, reasonOf, statusOf } from './credential-error.js'
import { type Credentials, type Fetched, RefreshedCredentials } from './credentials.js'

export type EntraAccess = Exclude<AzureAccess, { readonly from: 'key' }>

/** What is needed of a credential of the library. */
export interface TokenSource {
  getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>
}

export interface EntraCredentialsOptions {
  readonly system: Pick<System, 'nowMs' | 'after' | 'random'>
  /** Default: the library's own credentials. */
  readonly sourceOf?: (access: EntraAccess) => Promise<TokenSource>
}

const SCOPE = 'https://cognitiveservices.azure.com/.default'

export function entraCredentials(
  access: EntraAccess,
  { system, sourceOf = librarySource }: EntraCredentialsOptions,
): Credentials<string> {
  return new RefreshedCredentials(() => fetchToken(access, sourceOf), system)
}

async function fetchToken(
  access: EntraAccess,
  sourceOf: (access: EntraAccess) => Promise<TokenSource>,
): Promise<Fetched<string>> {
  const who = access.from === 'client' ? 'Entra ID' : 'the default Azure chain'
  const secrets = access.from === 'client' ? [access.clientSecret] : []
  try {
    // A new one each time: one that is kept would answer from memory what we want to know anew. Only a
    // managed identity's token is kept by the library all the same, until shortly before it ends.
    const found = await (await sourceOf(access)).getToken(SCOPE)
    if (found === null) throw new Error('no token came back')
    return { value: found.token, expiresAtMs: found.expiresOnTimestamp }
  } catch (error) {
    throw new CredentialError(`${who} gave no token: ${reasonOf(error, secrets)}`, {
      isFinal: isRefusal(statusOf(error)) || isNothingFound(error),
      cause: error,
    })
  }
}

function isNothingFound(error: unknown): boolean {
  return error instanceof Error && /^(?:CredentialUnavailable|AggregateAuthentication)Error$/.test(error.name)
}

async function librarySource(access: EntraAccess): Promise<TokenSource> {
  const { ClientSecretCredential, DefaultAzureCredential } = await import('@azure/identity')
  if (access.from === 'chain') return new DefaultAzureCredential()
  return new ClientSecretCredential(access.tenantId, access.clientId, access.clientSecret)
}
