// The conversation of a chat completion request -> our messages. Consecutive `tool` messages answer one
// assistant turn, so they become one user message with several results.

import { isObject } from '../../core/json.js'
import type { ImageSource, Message, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { listField, requiredText } from '../fields.js'
import { base64Source } from './data-url.js'
import { decodeFile } from './files.js'

export function decodeMessages(messages: unknown, problems: Problem[]): readonly Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    problems.push({ at: 'messages', message: 'must be a list of at least one message' })
    return []
  }
  const decoded: Message[] = []
  let results: Part[] | null = null
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (!isObject(message) || message['role'] !== 'tool') {
      results = null
      decoded.push(decodeMessage(message, at, problems))
      continue
    }
    if (results === null) {
      results = []
      decoded.push({ role: 'user', parts: results })
    }
    results.push(decodeToolResult(message, at, problems))
  }
  return decoded
}

function decodeMessage(message: unknown, at: string, problems: Problem[]): Message {
  const role = isObject(message) ? message['role'] : null
  if (isObject(message)) {
    if (role === 'system' || role === 'developer') {
      return { role: 'system', parts: decodeContent(message['content'], `${at}.content`, problems) }
    }
    if (role === 'user') return { role, parts: decodeContent(message['content'], `${at}.content`, problems) }
    if (role === 'assistant') return { role, parts: decodeAssistant(message, at, problems) }
  }
  const old = role === 'function' ? 'is no longer used; send a tool message' : 'must be a role of this format'
  problems.push({ at: `${at}.role`, message: old })
  return { role: 'user', parts: [] }
}

function decodeAssistant(message: Record<string, unknown>, at: string, problems: Problem[]): readonly Part[] {
  for (const field of ['audio', 'function_call']) {
    if (message[field] === undefined || message[field] === null) continue
    problems.push({ at: `${at}.${field}`, message: 'cannot be expressed in the other format' })
  }
  return [
    ...reasoningOf(message),
    ...decodeContent(message['content'], `${at}.content`, problems),
    ...(typeof message['refusal'] === 'string' && message['refusal'] !== ''
      ? [{ kind: 'refusal', text: message['refusal'] } as const]
      : []),
    ...listField(message['tool_calls'], `${at}.tool_calls`, problems).map((call, index) =>
      decodeToolCall(call, `${at}.tool_calls[${index}]`, problems),
    ),
  ]
}

/** `reasoning_content` (DeepSeek, vLLM) or `reasoning` (OpenRouter, newer vLLM): not OpenAI's, but common. */
export function reasoningOf(message: Record<string, unknown>): readonly Part[] {
  const text = message['reasoning_content'] ?? message['reasoning']
  return typeof text === 'string' && text !== '' ? [{ kind: 'reasoning', text }] : []
}

function decodeToolCall(call: unknown, at: string, problems: Problem[]): Part {
  const named = isObject(call) ? call['function'] : null
  if (!isObject(call) || !isObject(named)) {
    problems.push({ at: `${at}.type`, message: 'only function calls can be expressed in the other format' })
    return { kind: 'text', text: '' }
  }
  return {
    kind: 'tool-call',
    id: requiredText(call['id'], `${at}.id`, problems),
    name: requiredText(named['name'], `${at}.function.name`, problems),
    argumentsJson: argumentsOf(named['arguments']),
  }
}

/** Some servers send the arguments as an object, or nothing for a call without any. */
export function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value.trim() === '' ? '{}' : value
  return isObject(value) ? JSON.stringify(value) : '{}'
}

function decodeToolResult(message: Record<string, unknown>, at: string, problems: Problem[]): Part {
  return {
    kind: 'tool-result',
    callId: requiredText(message['tool_call_id'], `${at}.tool_call_id`, problems),
    content: decodeContent(message['content'], `${at}.content`, problems),
    isError: false,
  }
}

function decodeContent(content: unknown, at: string, problems: Problem[]): readonly Part[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!Array.isArray(content)) {
    problems.push({ at, message: 'must be a string or a list of parts' })
    return []
  }
  return content.flatMap((part: unknown, index) => decodePart(part, `${at}[${index}]`, problems))
}

function decodePart(part: unknown, at: string, problems: Problem[]): readonly Part[] {
  if (isObject(part)) {
    if (part['type'] === 'text' && typeof part['text'] === 'string')
      return [{ kind: 'text', text: part['text'] }]
    if (part['type'] === 'refusal' && typeof part['refusal'] === 'string') {
      return [{ kind: 'refusal', text: part['refusal'] }]
    }
    if (part['type'] === 'image_url' && isObject(part['image_url'])) {
      return decodeImage(part['image_url'], `${at}.image_url`, problems)
    }
    if (part['type'] === 'file') return decodeFile(part['file'], `${at}.file`, problems)
  }
  problems.push({ at: `${at}.type`, message: 'this kind of part cannot be expressed in the other format' })
  return []
}

function decodeImage(image: Record<string, unknown>, at: string, problems: Problem[]): readonly Part[] {
  const source = imageSource(image['url'])
  if (source === null) {
    problems.push({ at: `${at}.url`, message: 'must be an http(s) URL or a base64 data URL' })
    return []
  }
  const { detail } = image
  return [{ kind: 'image', source, ...(typeof detail === 'string' ? { detail } : {}) }]
}

function imageSource(url: unknown): ImageSource | null {
  return typeof url === 'string' && /^https?:\/\//i.test(url) ? { kind: 'url', url } : base64Source(url)
}
