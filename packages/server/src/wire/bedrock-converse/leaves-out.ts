// Hints that a Converse request does not say.

import type { ModelRequest, Part, ReasoningAsk } from '../../core/model/message.js'
import { held, hintsInParts, lateSystem } from '../hint-places.js'
import { makerOf } from '../reasoning-proof.js'
import { topKFields } from './encode-request.js'
import { encodeTools } from './encode-tools.js'
import { type ModelTraits, traitsOf } from './model-traits.js'
import { thinkingOf } from './thinking.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  const traits = traitsOf(request.model)
  const { reasoning, topK, messages, tools } = request
  return [
    ...(reasoning === null || isFollowed(request, reasoning, traits) ? [] : ['reasoning']),
    ...(topK === null || Object.keys(topKFields(request)).length > 0 ? [] : ['topK']),
    ...held(request, ['seed', 'user']),
    ...tools.flatMap((tool, index) =>
      [...(traits.schemas ? [] : held(tool, ['strict'])), ...held(tool, ['cacheControl'])].map(
        (name) => `tools[${index}].${name}`,
      ),
    ),
    ...lateSystem(messages),
    ...hintsInParts(messages, (part) => hintsOf(part, traits)),
  ]
}

/** The model thinks as it is asked to, or does not where it is not to. */
function isFollowed(request: ModelRequest, { effort }: ReasoningAsk, { claude }: ModelTraits): boolean {
  if (effort === 'none' && claude) return true
  return thinkingOf(request, encodeTools(request, []).forced) !== null
}

function hintsOf(part: Part, { caching, thoughts }: ModelTraits): readonly string[] {
  const isShown = part.kind !== 'reasoning' || (thoughts && makerOf(part) === 'claude')
  if (!isShown) return ['']
  const mark = !caching && 'cacheControl' in part && part.cacheControl !== undefined ? ['cacheControl'] : []
  switch (part.kind) {
    case 'text':
      return [...held(part, ['citations']), ...mark]
    case 'image':
      return [...held(part, ['detail']), ...mark]
    case 'tool-call':
      return [...held(part, ['signature']), ...mark]
    default:
      return mark
  }
}
