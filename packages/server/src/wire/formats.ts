// Every format by name.

import type { Wire } from '../core/release/release.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { WireFormat } from './format.js'
import { openAiChat } from './openai-chat.js'
import { openAiEmbeddings } from './openai-embeddings.js'

const FORMATS: Readonly<Partial<Record<Wire, WireFormat>>> = {
  'openai-chat': openAiChat,
  'anthropic-messages': anthropicMessages,
  'openai-embeddings': openAiEmbeddings,
}

export function formatOf(wire: Wire): WireFormat {
  const format = FORMATS[wire]
  if (format === undefined) throw new Error(`the format ${wire} is not there yet`)
  return format
}
