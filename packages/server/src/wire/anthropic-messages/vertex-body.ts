// A Messages request as Vertex takes it: the model is in the address, and version and betas, headers
// elsewhere, are in the body. Every other byte stays as the caller wrote it.

import { spliceObject } from '../json-splice.js'

export const VERTEX_ANTHROPIC_VERSION = 'vertex-2023-10-16'

/** `betas`: the names in the caller's `anthropic-beta` header. Throws when `body` is no JSON object. */
export function vertexBody(body: Uint8Array, betas: readonly string[] = []): Uint8Array {
  return spliceObject(body, {
    model: null,
    anthropic_version: JSON.stringify(VERTEX_ANTHROPIC_VERSION),
    ...(betas.length > 0 ? { anthropic_beta: JSON.stringify(betas) } : {}),
  })
}
