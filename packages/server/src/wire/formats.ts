// Every format by name.

import type { CallerWire, Wire } from '../core/release/release.js'
import { anthropicMessages } from './anthropic-messages.js'
import { bedrockConverse } from './bedrock-converse.js'
import { bedrockEmbeddings } from './bedrock-embeddings.js'
import type { EmbeddingsFormat } from './embeddings.js'
import type { ProviderFormat, WireFormat } from './format.js'
import { geminiEmbeddings, vertexEmbeddings } from './gemini-embeddings.js'
import { gemini } from './gemini.js'
import { openAiChat } from './openai-chat.js'
import { openAiEmbeddings } from './openai-embeddings.js'
import { openAiResponses } from './openai-responses.js'

const CALLER_FORMATS: Readonly<Record<CallerWire, WireFormat>> = {
  'openai-chat': openAiChat,
  'openai-responses': openAiResponses,
  'anthropic-messages': anthropicMessages,
  'openai-embeddings': openAiEmbeddings,
}

const PROVIDER_FORMATS: Readonly<Record<Wire, ProviderFormat>> = {
  ...CALLER_FORMATS,
  gemini,
  'gemini-embeddings': geminiEmbeddings,
  'vertex-embeddings': vertexEmbeddings,
  'bedrock-converse': bedrockConverse,
  'bedrock-embeddings': bedrockEmbeddings,
}

const EMBEDDINGS_FORMATS: Readonly<Partial<Record<Wire, EmbeddingsFormat>>> = {
  'bedrock-embeddings': bedrockEmbeddings,
  'gemini-embeddings': geminiEmbeddings,
  'vertex-embeddings': vertexEmbeddings,
}

export function formatOf(wire: CallerWire): WireFormat {
  return CALLER_FORMATS[wire]
}

export function providerFormatOf(wire: Wire): ProviderFormat {
  return PROVIDER_FORMATS[wire]
}

/** null: a format of conversations, or of callers. */
export function embeddingsFormatOf(wire: Wire): EmbeddingsFormat | null {
  return EMBEDDINGS_FORMATS[wire] ?? null
}
export const CALLER_WIRES = Object.keys(CALLER_FORMATS) as readonly CallerWire[]
export const PROVIDER_WIRES = Object.keys(PROVIDER_FORMATS) as readonly Wire[]
