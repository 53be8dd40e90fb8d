// Hints that this format has no word for, by their place in our types. They change how an answer is made or
// billed, not what it means.

import type { ModelRequest, Part } from '../../core/model/message.js'
import { ownSignature } from './signature.js'

export function leavesOut(request: ModelRequest): readonly string[] {
  return [
    ...request.messages.flatMap(({ parts }, index) => partsLeaveOut(parts, `messages[${index}].parts`)),
    ...request.tools.flatMap(({ strict }, index) => (strict === undefined ? [] : [`tools[${index}].strict`])),
    ...(request.reasoning?.budgetTokens === null && request.reasoning.effort === 'xhigh'
      ? ['reasoning.effort']
      : []),
    ...(request.user === null ? [] : ['user']),
  ]
}

function partsLeaveOut(parts: readonly Part[], at: string): readonly string[] {
  return parts.flatMap((part, index) => {
    const place = `${at}[${index}]`
    const mark = 'cacheControl' in part && part.cacheControl !== undefined ? [`${place}.cacheControl`] : []
    return [...mark, ...ofKind(part, place)]
  })
}

function ofKind(part: Part, at: string): readonly string[] {
  switch (part.kind) {
    case 'image':
      return part.detail === undefined ? [] : [`${at}.detail`]
    case 'document':
      return [
        ...(part.title === undefined ? [] : [`${at}.title`]),
        ...(part.cite === true ? [`${at}.cite`] : []),
      ]
    case 'text':
      return part.citations === undefined ? [] : [`${at}.citations`]
    case 'tool-result':
      return partsLeaveOut(part.content, `${at}.content`)
    case 'reasoning':
      // Encrypted by another provider, for itself.
      if (part.redacted !== undefined) return [`${at}.redacted`]
      return foreignSignature(part, at)
    case 'tool-call':
      return foreignSignature(part, at)
    case 'refusal':
      return []
  }
}

function foreignSignature({ signature }: { readonly signature?: string }, at: string): readonly string[] {
  return signature === undefined || ownSignature(signature) !== null ? [] : [`${at}.signature`]
}
