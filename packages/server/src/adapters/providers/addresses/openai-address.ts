// OpenAI, and the many servers that imitate its API. Of those nobody can know who has the responses API as
// well, and all of them have chat.

import type { CallerWire, Wire } from '../../../core/release/release.js'
import { type Address, type Asked, noPath, pagedList, prefixOf } from './address.js'

const SPOKEN = {
  openai: {
    'openai-chat': 'openai-chat',
    'openai-responses': 'openai-responses',
    'anthropic-messages': 'openai-chat',
    'openai-embeddings': 'openai-embeddings',
  },
  'openai-compatible': {
    'openai-chat': 'openai-chat',
    'openai-responses': 'openai-chat',
    'anthropic-messages': 'openai-chat',
    'openai-embeddings': 'openai-embeddings',
  },
} as const satisfies Record<string, Record<CallerWire, Wire>>

/** The base address ends in the version. */
export function openAiAddress(kind: keyof typeof SPOKEN, baseUrl: string): Address {
  const base = new URL(baseUrl)
  const prefix = prefixOf(base)
  const paths = openAiPaths(prefix)
  return {
    base,
    pathOf: (asked) => paths[asked.wire] ?? noPath(kind, asked),
    speaks: (wire) => SPOKEN[kind][wire],
    defaults: {},
    modelList: pagedList(`${prefix}/models`, 'after'),
    // Health and metrics are no part of the imitated API: they stand beside its version.
    serverRoot: kind === 'openai' ? null : prefix.replace(/\/v1$/, ''),
  }
}

export function openAiPaths(prefix: string): Readonly<Partial<Record<Asked['wire'], string>>> {
  return {
    'openai-chat': `${prefix}/chat/completions`,
    'openai-responses': `${prefix}/responses`,
    'openai-embeddings': `${prefix}/embeddings`,
  }
}
