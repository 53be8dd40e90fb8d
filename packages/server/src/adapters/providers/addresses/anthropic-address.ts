// Anthropic. The base address does not end in the version; one that does is taken as meant.

import { type Address, noPath, prefixOf } from './address.js'

const ANTHROPIC_VERSION = '2023-06-01'

export function anthropicAddress(baseUrl: string): Address {
  const base = new URL(baseUrl)
  const prefix = prefixOf(base)
  const path = prefix.endsWith('/v1') ? `${prefix}/messages` : `${prefix}/v1/messages`
  return {
    base,
    pathOf(asked) {
      if (asked.wire !== 'anthropic-messages') return noPath('anthropic', asked)
      return asked.countTokens === true ? `${path}/count_tokens` : path
    },
    speaks: (wire) => (wire === 'openai-embeddings' ? null : 'anthropic-messages'),
    defaults: { 'anthropic-version': ANTHROPIC_VERSION },
  }
}
