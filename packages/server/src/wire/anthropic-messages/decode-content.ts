// Content blocks -> our parts, for requests. Blocks of tools that the provider runs, search results and
// uploaded files have no equal elsewhere: each is a problem at its place.

import { isObject } from '../../core/json.js'
import type { ImageSource, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { asJsonObject, requiredText } from '../fields.js'
import { withoutId } from '../reasoning-proof.js'
import { decodeCitations } from './citations.js'
import { decodeDocument } from './documents.js'

export function decodeContent(content: unknown, at: string, problems: Problem[]): readonly Part[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!Array.isArray(content)) {
    problems.push({ at, message: 'must be a string or a list of blocks' })
    return []
  }
  const parts: Part[] = []
  content.forEach((block: unknown, index) => {
    const part = decodeBlock(block, `${at}[${index}]`, problems)
    if (part !== null) parts.push(part)
  })
  return parts
}

function decodeBlock(block: unknown, at: string, problems: Problem[]): Part | null {
  if (isObject(block) && block['type'] === 'document') {
    const document = decodeDocument(block, at, problems)
    return document === null ? null : { ...document, ...cacheMark(block) }
  }
  const known = isObject(block) ? decodeKnown(block, at, problems) : null
  if (known === null) {
    problems.push({ at: `${at}.type`, message: 'this kind of block cannot be expressed in the other format' })
  }
  return known
}

function decodeKnown(block: Record<string, unknown>, at: string, problems: Problem[]): Part | null {
  switch (block['type']) {
    case 'text':
      return typeof block['text'] === 'string'
        ? { ...textOfBlock(block['text'], block['citations']), ...cacheMark(block) }
        : null
    case 'image': {
      const source = imageSource(block['source'])
      return source === null ? null : { kind: 'image', source, ...cacheMark(block) }
    }
    case 'tool_use':
      return {
        kind: 'tool-call',
        id: requiredText(block['id'], `${at}.id`, problems),
        name: requiredText(block['name'], `${at}.name`, problems),
        argumentsJson: JSON.stringify(block['input'] ?? {}),
        ...cacheMark(block),
      }
    case 'tool_result':
      return {
        kind: 'tool-result',
        callId: requiredText(block['tool_use_id'], `${at}.tool_use_id`, problems),
        content: decodeContent(block['content'], `${at}.content`, problems),
        isError: block['is_error'] === true,
        ...cacheMark(block),
      }
    default:
      return reasoningOf(block)
  }
}

export function textOfBlock(text: string, citations: unknown): Extract<Part, { kind: 'text' }> {
  const cited = decodeCitations(citations)
  return { kind: 'text', text, ...(cited.length > 0 ? { citations: cited } : {}) }
}

export function reasoningOf(block: Record<string, unknown>): Part | null {
  const { type, thinking, signature, data } = block
  if (type === 'redacted_thinking' && typeof data === 'string') {
    const { proof: redacted, ...named } = withoutId(data)
    return { kind: 'reasoning', text: '', redacted, ...named }
  }
  if (type !== 'thinking' || typeof thinking !== 'string') return null
  if (typeof signature !== 'string' || signature === '') return { kind: 'reasoning', text: thinking }
  const { proof, ...named } = withoutId(signature)
  return { kind: 'reasoning', text: thinking, signature: proof, ...named }
}

function cacheMark(block: Record<string, unknown>): { cacheControl?: ReturnType<typeof asJsonObject> } {
  const mark = block['cache_control']
  return isObject(mark) ? { cacheControl: asJsonObject(mark) } : {}
}

function imageSource(source: unknown): ImageSource | null {
  if (!isObject(source)) return null
  const { type, url, data, media_type: mediaType } = source
  if (type === 'url' && typeof url === 'string') return { kind: 'url', url }
  if (type !== 'base64' || typeof data !== 'string' || typeof mediaType !== 'string') return null
  return { kind: 'base64', mediaType, data }
}
