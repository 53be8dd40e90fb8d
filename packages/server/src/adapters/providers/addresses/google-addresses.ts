// Google twice: Gemini for developers (AI Studio), and Vertex, which has a project and a place in every path
// and sells Claude as well.

import type { VertexProvider } from '../../../core/release/cloud-providers.js'
import { type Address, type Asked, noPath, pagedList, prefixOf, segment, segments } from './address.js'

export function geminiAddress(baseUrl: string): Address {
  const base = new URL(baseUrl)
  const prefix = `${prefixOf(base)}/v1beta`
  return {
    base,
    pathOf(asked) {
      // A tuned model has a folder of its own.
      const { model } = asked
      const name = model.includes('/') ? segments(model) : `models/${segment(model)}`
      return `${prefix}/${name}:${methodOf(asked, 'gemini')}`
    },
    speaks: (wire) => (wire === 'openai-embeddings' ? 'gemini-embeddings' : 'gemini'),
    defaults: {},
    modelList: pagedList(`${prefix}/models?pageSize=1000`, 'pageToken'),
    serverRoot: null,
  }
}

const CLAUDE = /^(?:publishers\/anthropic\/models\/)?claude-/

export function vertexAddress({ project, region, baseUrl }: VertexProvider): Address {
  const base = new URL(baseUrl ?? `https://${hostIn(region)}`)
  const place = `${prefixOf(base)}/v1/projects/${segment(project)}/locations/${segment(region)}`
  return {
    base,
    pathOf(asked) {
      if (asked.wire === 'anthropic-messages') return `${place}/${claudePath(asked)}`
      const { model } = asked
      const name = model.includes('/') ? segments(model) : `publishers/google/models/${segment(model)}`
      return `${place}/${name}:${methodOf(asked, 'vertex')}`
    },
    speaks(wire, model) {
      const isClaude = CLAUDE.test(model)
      if (wire === 'openai-embeddings') return isClaude ? null : 'vertex-embeddings'
      return isClaude ? 'anthropic-messages' : 'gemini'
    },
    defaults: {},
    modelList: { kind: 'none', reason: 'Vertex has no list of the models that a project may call' },
    serverRoot: null,
  }
}

/** One region, no place at all, or one of the two places that are many regions. */
function hostIn(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com'
  if (region === 'us' || region === 'eu') return `aiplatform.${region}.rep.googleapis.com`
  return `${region}-aiplatform.googleapis.com`
}

// Its tokens are counted by a model of its own, and the body says of which one.
function claudePath({ model, stream, countTokens }: Asked): string {
  if (countTokens === true) return 'publishers/anthropic/models/count-tokens:rawPredict'
  const name = model.includes('/') ? segments(model) : `publishers/anthropic/models/${segment(model)}`
  return `${name}:${stream ? 'streamRawPredict' : 'rawPredict'}`
}

function methodOf(asked: Asked, kind: 'gemini' | 'vertex'): string {
  if (kind === 'gemini' && asked.wire === 'gemini-embeddings') return 'batchEmbedContents'
  if (kind === 'vertex' && asked.wire === 'vertex-embeddings') return 'predict'
  if (asked.wire !== 'gemini') return noPath(kind, asked)
  if (asked.countTokens === true) return 'countTokens'
  return asked.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
}
