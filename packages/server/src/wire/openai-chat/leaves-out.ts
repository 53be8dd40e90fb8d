// Hints of a request that a chat completion request cannot say.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { held, hintsInParts } from '../hint-places.js'
import { takesEffort } from './reasoning-effort.js'
import { isStrictJson, isStrictTool } from './strict-schema.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  const { json, tools, messages } = request
  return [
    ...ofReasoning(request),
    ...(json !== null && json.strict && !isStrictJson(json) ? ['json.strict'] : []),
    ...tools.flatMap((tool, index) => {
      const strict = tool.strict === true && !isStrictTool(tool) ? ['strict'] : []
      return [...strict, ...held(tool, ['cacheControl'])].map((name) => `tools[${index}].${name}`)
    }),
    ...hintsInParts(messages, hintsOf),
  ]
}

function ofReasoning(request: ModelRequest): readonly string[] {
  const { reasoning } = request
  if (reasoning === null) return []
  // A model that does not reason does as it was asked when asked not to.
  if (!takesEffort(request)) return reasoning.effort === 'none' ? [] : ['reasoning']
  return held(reasoning, ['budgetTokens', 'visible']).map((name) => `reasoning.${name}`)
}

function hintsOf(part: Part): readonly string[] {
  // No turn is shown its thoughts again.
  return part.kind === 'reasoning' ? [''] : saidPartHints(part)
}

/** Of everything but thoughts, in OpenAI's two formats. */
export function saidPartHints(part: Exclude<Part, { readonly kind: 'reasoning' }>): readonly string[] {
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
    case 'refusal':
      return []
  }
}
