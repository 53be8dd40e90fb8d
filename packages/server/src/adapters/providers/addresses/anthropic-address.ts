// Anthropic. The base address does not end in the version; one that does is taken as meant.

import { type Address, noPath, pagedList, prefixOf } from './address.js'

const ANTHROPIC_VERSION = '2023-06-01'

export function anthropicAddress(baseUrl: string): Address {
  const base = new URL(baseUrl)
  const prefix = prefixOf(base)
  const version = prefix.endsWith('/v1') ? prefix : `${prefix}/v1`
  const path = `${version}/messages`
  return {
    base,
    pathOf(asked) {
      if (asked.wire !== 'anthropic-messages') return noPath('anthropic', asked)
      return asked.countTokens === true ? `${path}/count_tokens` : path
    },
    speaks: (wire) => (wire === 'openai-embeddings' ? null : 'anthropic-messages'),
    defaults: { 'anthropic-version': ANTHROPIC_VERSION },
    modelList: pagedList(`${version}/models?limit=1000`, 'after_id'),
    serverRoot: null,
  }
}
