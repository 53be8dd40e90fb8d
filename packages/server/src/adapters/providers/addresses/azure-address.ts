// Azure OpenAI has two surfaces: a path per deployment with a dated api-version, which has no responses API,
// and `/openai/v1`, which is addressed like OpenAI's own.

import type { AzureProvider } from '../../../core/release/cloud-providers.js'
import { type Address, type ModelListAddress, noPath, prefixOf, segment } from './address.js'
import { openAiPaths } from './openai-address.js'

export function azureAddress({ baseUrl, apiVersion }: AzureProvider): Address {
  const base = new URL(baseUrl)
  // Addresses are copied with and without the parts that all of them have.
  const prefix = prefixOf(base).replace(/\/openai(?:\/v1)?$/, '')
  const isV1 = /^(?:v1|preview)$/.test(apiVersion) || prefixOf(base).endsWith('/openai/v1')
  return isV1 ? v1Address({ base, prefix, apiVersion }) : datedAddress({ base, prefix, apiVersion })
}

interface Surface {
  readonly base: URL
  readonly prefix: string
  readonly apiVersion: string
}

function v1Address({ base, prefix, apiVersion }: Surface): Address {
  const paths = openAiPaths(`${prefix}/openai/v1`)
  // The only version this surface knows besides its own name; it refuses dates.
  const query = apiVersion === 'preview' ? '?api-version=preview' : ''
  return {
    base,
    pathOf(asked) {
      const path = paths[asked.wire]
      return path === undefined ? noPath('azure', asked) : path + query
    },
    speaks: (wire) => (wire === 'anthropic-messages' ? 'openai-chat' : wire),
    defaults: {},
    modelList: modelsAt(`${prefix}/openai/v1/models${query}`),
    serverRoot: null,
  }
}

function datedAddress({ base, prefix, apiVersion }: Surface): Address {
  const query = `?api-version=${segment(apiVersion)}`
  return {
    base,
    pathOf(asked) {
      const deployment = `${prefix}/openai/deployments/${segment(asked.model)}`
      if (asked.wire === 'openai-chat') return `${deployment}/chat/completions${query}`
      if (asked.wire === 'openai-embeddings') return `${deployment}/embeddings${query}`
      return noPath('azure', asked)
    },
    speaks: (wire) => (wire === 'openai-embeddings' ? wire : 'openai-chat'),
    defaults: {},
    modelList: modelsAt(`${prefix}/openai/models${query}`),
    serverRoot: null,
  }
}

// What can be deployed. Calls name deployments, and those are known to Azure's management only.
function modelsAt(path: string): ModelListAddress {
  return { kind: 'pages', pathOf: () => path, namesCalls: false }
}
