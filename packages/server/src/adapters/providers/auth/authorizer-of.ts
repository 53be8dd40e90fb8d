// Which proof each kind of provider asks for.

import type { System } from '../../../engine/ports.js'
import { unreachable } from '../../../core/unreachable.js'
import type { HttpProviderConfig } from '../addresses/address-of.js'
import { type Authorizer, fixedHeaders } from './authorizer.js'
import { awsCredentials } from './aws-credentials.js'
import { awsSignature } from './aws-signature.js'
import { bearer } from './bearer.js'
import { entraCredentials } from './entra-credentials.js'
import { googleCredentials } from './google-credentials.js'

export interface AuthorizerOptions {
  readonly system: System
  /** Host and port, as in the header. */
  readonly host: string
}

export function authorizerOf(config: HttpProviderConfig, { system, host }: AuthorizerOptions): Authorizer {
  switch (config.kind) {
    case 'openai':
    case 'openai-compatible':
      return fixedHeaders(config.apiKey === null ? {} : { authorization: `Bearer ${config.apiKey}` })
    case 'anthropic':
      return fixedHeaders({ 'x-api-key': config.apiKey })
    case 'gemini':
      return fixedHeaders({ 'x-goog-api-key': config.apiKey })
    case 'azure': {
      const { access } = config
      return access.from === 'key'
        ? fixedHeaders({ 'api-key': access.apiKey })
        : bearer(entraCredentials(access, { system }))
    }
    case 'vertex': {
      const { access } = config
      return access.from === 'token'
        ? fixedHeaders({ authorization: `Bearer ${access.accessToken}` })
        : bearer(googleCredentials(access, { system }))
    }
    case 'bedrock': {
      const { region, access } = config
      const headers = { 'content-type': 'application/json' }
      const scope = { service: 'bedrock', region }
      return awsSignature(awsCredentials(access, { system, region }), { ...scope, host, system, headers })
    }
    default:
      return unreachable(config)
  }
}
