// Hints of a request that a Messages request cannot say.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { held, hintsInParts } from '../hint-places.js'
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
    ...lateSystem(request),
    ...hintsInParts(request.messages, hintsOf),
  ]
}

/** It still counts, but is read before the conversation instead of in its place. */
function lateSystem({ messages }: ModelRequest): readonly string[] {
  const firstTurn = messages.findIndex(({ role }) => role !== 'system')
  if (firstTurn === -1) return []
  return messages.flatMap(({ role }, index) =>
    role === 'system' && index > firstTurn ? [`messages[${index}].position`] : [],
  )
}

function hintsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return part.citations?.every(isOfDocument) === false ? ['citations'] : []
    case 'image':
      return held(part, ['detail'])
    case 'reasoning':
      return part.signature === undefined && part.redacted === undefined ? [''] : held(part, ['id'])
    case 'tool-call':
      return held(part, ['signature'])
    default:
      return []
  }
}
