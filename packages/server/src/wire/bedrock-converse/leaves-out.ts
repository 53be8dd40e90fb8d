// Hints that a Converse request does not say.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { cacheMarkOf } from './encode-content.js'
import { topKFields } from './encode-request.js'
import { encodeTools } from './encode-tools.js'
import { traitsOf } from './model-traits.js'
import { thinkingOf } from './thinking.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  const { claude, caching, schemas } = traitsOf(request.model)
  const { reasoning, topK, seed, user, messages, tools } = request
  const thinks = thinkingOf(request, encodeTools(request, []).forced) !== null
  const isOff = reasoning?.effort === 'none' && claude
  return [
    ...(reasoning === null || thinks || isOff ? [] : ['reasoning']),
    ...(topK === null || Object.keys(topKFields(request)).length > 0 ? [] : ['topK']),
    ...(seed === null ? [] : ['seed']),
    ...(user === null ? [] : ['user']),
    ...tools.flatMap(({ strict }, index) => (strict === true && !schemas ? [`tools[${index}].strict`] : [])),
    ...messages.flatMap(({ parts }, message) =>
      parts.flatMap((part, index) => lostOf(part, `messages[${message}].parts[${index}]`, caching)),
    ),
  ]
}

function lostOf(part: Part, at: string, caching: boolean): readonly string[] {
  const mark = !caching && cacheMarkOf(part) !== null ? [`${at}.cacheControl`] : []
  if (part.kind === 'image') return [...(part.detail === undefined ? [] : [`${at}.detail`]), ...mark]
  const isUnsigned = part.kind === 'reasoning' && part.signature === undefined && part.redacted === undefined
  return isUnsigned ? [at] : mark
}
