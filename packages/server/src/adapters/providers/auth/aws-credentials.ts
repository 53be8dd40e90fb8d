// Keys for AWS: given ones, or what the default chain finds (environment, shared files, web identity,
// container, instance). The chain is loaded when it is first needed.

import type { AwsAccess } from '../../../core/release/cloud-providers.js'
import type { System } from '../../../engine/ports.js'
import { CredentialError, isRefusal, reasonOf, statusOf } from './credential-error.js'
import { type Credentials, type Fetched, fixedCredentials, RefreshedCredentials } from './credentials.js'

export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
}

/** As the chain gives them. */
export interface FoundKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export interface AwsCredentialsOptions {
  readonly system: Pick<System, 'nowMs' | 'after' | 'random'>
  readonly region: string
  /** Default: the default AWS chain. */
  readonly chain?: (region: string) => Promise<FoundKeys>
}

export function awsCredentials(access: AwsAccess, options: AwsCredentialsOptions): Credentials<AwsKeys> {
  if (access.from === 'keys') {
    const { accessKeyId, secretAccessKey, sessionToken } = access
    return fixedCredentials({ accessKeyId, secretAccessKey, sessionToken })
  }
  const { region, chain = defaultChain } = options
  return new RefreshedCredentials(() => fetchKeys(chain, region), options.system)
}

async function fetchKeys(
  chain: (region: string) => Promise<FoundKeys>,
  region: string,
): Promise<Fetched<AwsKeys>> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken = null, expiration } = await chain(region)
    return {
      value: { accessKeyId, secretAccessKey, sessionToken },
      expiresAtMs: expiration?.getTime() ?? null,
    }
  } catch (error) {
    const isFinal = isRefusal(statusOf(error)) || isNothingFound(error)
    throw new CredentialError(`the default AWS chain gave no keys: ${reasonOf(error)}`, {
      isFinal,
      cause: error,
    })
  }
}

function isNothingFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'CredentialsProviderError'
}

// A chain of its own each time: one that is kept would answer from memory what we want to know anew.
async function defaultChain(region: string): Promise<FoundKeys> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  return defaultProvider({ clientConfig: { region } })()
}
