// Every format by name.

import type { CallerWire, Wire } from '../core/release/release.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { ProviderFormat, WireFormat } from './format.js'
import { openAiChat } from './openai-chat.js'
import { openAiEmbeddings } from './openai-embeddings.js'

const CALLER_FORMATS: Readonly<Record<CallerWire, WireFormat>> = {
  'openai-chat': openAiChat,
  'anthropic-messages': anthropicMessages,
  'openai-embeddings': openAiEmbeddings,
}

const PROVIDER_FORMATS: Readonly<Record<Wire, ProviderFormat>> = CALLER_FORMATS

export function formatOf(wire: CallerWire): WireFormat {
  return CALLER_FORMATS[wire]
}

export function providerFormatOf(wire: Wire): ProviderFormat {
  return PROVIDER_FORMATS[wire]
}

export const CALLER_WIRES = Object.keys(CALLER_FORMATS) as readonly CallerWire[]
export const PROVIDER_WIRES = Object.keys(PROVIDER_FORMATS) as readonly Wire[]
