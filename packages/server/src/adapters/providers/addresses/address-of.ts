// The address of each kind of provider that is called over HTTP.

import type { ProviderConfig } from '../../../core/release/release.js'
import { unreachable } from '../../../core/unreachable.js'
import type { Address } from './address.js'
import { anthropicAddress } from './anthropic-address.js'
import { azureAddress } from './azure-address.js'
import { bedrockAddress } from './bedrock-address.js'
import { geminiAddress, vertexAddress } from './google-addresses.js'
import { openAiAddress } from './openai-address.js'

export type HttpProviderConfig = Exclude<ProviderConfig, { readonly kind: 'simulated' | 'on-device' }>

export function addressOf(config: HttpProviderConfig): Address {
  switch (config.kind) {
    case 'openai':
    case 'openai-compatible':
      return openAiAddress(config.kind, config.baseUrl)
    case 'anthropic':
      return anthropicAddress(config.baseUrl)
    case 'azure':
      return azureAddress(config)
    case 'bedrock':
      return bedrockAddress(config)
    case 'gemini':
      return geminiAddress(config.baseUrl)
    case 'vertex':
      return vertexAddress(config)
    default:
      return unreachable(config)
  }
}
