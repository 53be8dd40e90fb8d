// Hints of a request that a chat completion request cannot say.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { held, hintsInParts } from '../hint-places.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  const { reasoning, tools, messages } = request
  return [
    ...(reasoning === null
      ? []
      : held(reasoning, ['budgetTokens', 'visible']).map((name) => `reasoning.${name}`)),
    ...tools.flatMap((tool, index) => held(tool, ['cacheControl']).map((name) => `tools[${index}].${name}`)),
    ...hintsInParts(messages, hintsOf),
  ]
}

function hintsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return held(part, ['citations', 'cacheControl'])
    case 'image':
      return held(part, ['cacheControl'])
    case 'document':
      return held(part, ['cite', 'cacheControl'])
    case 'tool-call':
      return held(part, ['signature', 'cacheControl'])
    case 'tool-result':
      return held(part, ['isError', 'cacheControl'])
    // No turn is shown its thoughts again.
    case 'reasoning':
      return ['']
    case 'refusal':
      return []
  }
}
