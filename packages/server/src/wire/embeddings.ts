// What every embeddings format can do: texts in, vectors out.

import type { JsonObject } from '../core/json.js'
import type { Parsed } from '../core/parsed.js'
import type { Wire } from '../core/release/release.js'
import type { ProviderError } from './format.js'

export interface EmbeddingsRequest {
  readonly model: string
  readonly inputs: readonly (string | readonly number[])[]
  readonly dimensions: number | null
  readonly encodingFormat: 'float' | 'base64'
  readonly user: string | null
}

export interface EmbeddingsAnswer {
  readonly model: string
  readonly vectors: readonly (readonly number[])[]
  readonly inputTokens: number | null
}

export interface EmbeddingsFormat {
  readonly wire: Wire
  encodeEmbeddings(request: EmbeddingsRequest): Parsed<JsonObject>
  decodeEmbeddings(body: unknown): EmbeddingsAnswer | null
  readError(status: number, body: string): ProviderError
}
