// Hints that this format has no word for, by their place in our types. They change how an answer is made or
// billed, not what it means.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { held, hintsInParts, lateSystem } from '../hint-places.js'
import { ownSignature } from './signature.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  const { messages, tools, reasoning } = request
  return [
    ...hintsInParts(messages, hintsOf),
    ...lateSystem(messages),
    ...tools.flatMap((tool, index) =>
      held(tool, ['strict', 'cacheControl']).map((name) => `tools[${index}].${name}`),
    ),
    ...(reasoning?.budgetTokens === null && reasoning.effort === 'xhigh' ? ['reasoning.effort'] : []),
    ...held(request, ['user']),
  ]
}

function hintsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return held(part, ['citations', 'cacheControl'])
    case 'image':
      return held(part, ['detail', 'cacheControl'])
    case 'document':
      return held(part, ['title', 'cite', 'cacheControl'])
    case 'tool-result':
      return held(part, ['cacheControl'])
    case 'reasoning':
      // Encrypted by another provider, for itself.
      return part.redacted === undefined ? foreignSignature(part) : ['']
    case 'tool-call':
      return [...foreignSignature(part), ...held(part, ['cacheControl'])]
    case 'refusal':
      return []
  }
}

function foreignSignature({ signature }: { readonly signature?: string }): readonly string[] {
  return signature === undefined || ownSignature(signature) !== null ? [] : ['signature']
}
