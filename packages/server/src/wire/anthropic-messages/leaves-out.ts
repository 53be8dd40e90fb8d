// Hints of a request that a Messages request cannot say.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { held, hintsInParts, lateSystem } from '../hint-places.js'
import { makerOf } from '../reasoning-proof.js'
import { isOfDocument } from './citations.js'
import { isStrictTool } from './json-format.js'
import { sayReasoning } from './thinking.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  return [
    // Best effort by its own documentation.
    ...held(request, ['seed']),
    ...sayReasoning(request).leftOut,
    ...request.tools.flatMap((tool, index) =>
      tool.strict === true && !isStrictTool(tool, request.model) ? [`tools[${index}].strict`] : [],
    ),
    ...lateSystem(request.messages),
    ...hintsInParts(request.messages, hintsOf),
  ]
}

function hintsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return part.citations?.every(isOfDocument) === false ? ['citations'] : []
    case 'image':
      return held(part, ['detail'])
    case 'reasoning':
      return makerOf(part) === 'claude' ? [] : ['']
    case 'tool-call':
      return held(part, ['signature'])
    default:
      return []
  }
}
