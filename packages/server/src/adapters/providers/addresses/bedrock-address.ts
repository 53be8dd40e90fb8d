// AWS Bedrock. A model is an id, an inference profile of a region or an ARN: always one segment of the path,
// colons and slashes encoded. The signature encodes the path once more, as SigV4 wants it for all but S3.

import type { BedrockProvider } from '../../../core/release/cloud-providers.js'
import { type Address, noPath, prefixOf, segment } from './address.js'

export function bedrockAddress({ region, baseUrl }: BedrockProvider): Address {
  const base = new URL(baseUrl ?? `https://bedrock-runtime.${region}.${domainOf(region)}`)
  const prefix = prefixOf(base)
  return {
    base,
    pathOf(asked) {
      const model = `${prefix}/model/${segment(asked.model)}`
      if (asked.wire === 'bedrock-embeddings') return `${model}/invoke`
      if (asked.wire !== 'bedrock-converse') return noPath('bedrock', asked)
      if (asked.countTokens === true) return `${model}/count-tokens`
      return asked.stream ? `${model}/converse-stream` : `${model}/converse`
    },
    speaks: (wire) => (wire === 'openai-embeddings' ? 'bedrock-embeddings' : 'bedrock-converse'),
    defaults: {},
    modelList: { kind: 'none', reason: 'Bedrock lists its models at another host, under other rights' },
    serverRoot: null,
  }
}

function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}
