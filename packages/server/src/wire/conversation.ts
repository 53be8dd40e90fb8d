// A conversation on the caller's own wire, as the `shorter_context` rung sees it: how large each message is,
// where turns begin, and the conversation with some of it left out. A call and its result stay or go
// together.

import type { MessageAction, MessageShape } from '../core/context/shorten.js'
import { isObject } from '../core/json.js'
import type { Wire } from '../core/release/release.js'
import { measureContent } from './anthropic-messages/view.js'
import { measureMessage } from './openai-chat/view.js'
import { noSize } from './prompt-size.js'
import { itemShape, itemsKept, responseItems } from './openai-responses/kept-items.js'

type Message = Record<string, unknown>

const LEFT_OUT = '[tool result left out to save context]'

/** One shape per entry of `messages` (responses: of `input`). Formats without a conversation have none. */
export function describeMessages(wire: Wire, body: unknown): MessageShape[] {
  if (wire === 'openai-responses') return responseItems(body).map(itemShape)
  const messages = messagesOf(wire, body)
  return messages.map((message, index) =>
    wire === 'openai-chat' ? openAiShape(message, index) : anthropicShape(message, index),
  )
}

/** The messages that stay, valid on their wire: `drop` of a result whose call stays only blanks it. */
export function applyKept(wire: Wire, body: unknown, actions: readonly MessageAction[]): unknown[] {
  if (wire === 'openai-responses') return itemsKept(responseItems(body), actions, LEFT_OUT)
  const messages = messagesOf(wire, body)
  const chosen = wire === 'anthropic-messages' ? beginningWithUser(messages, actions) : actions
  const callsKept = new Set(
    messages.flatMap((message, index) => (chosen[index] === 'drop' ? [] : callIdsOf(message))),
  )
  const callsKnown = new Set(messages.flatMap(callIdsOf))
  const survives = (id: unknown): boolean => callsKept.has(id) || !callsKnown.has(id)
  const kept = messages.flatMap((message, index) => {
    const action = chosen[index] ?? 'keep'
    return wire === 'openai-chat'
      ? keptOpenAi(message, action, survives)
      : keptAnthropic(message, action, survives)
  })
  if (kept.length > 0) return kept
  // A request needs a message: the last thing that was asked.
  const asked = messages.findLast(
    (message) => message['role'] === 'user' && !blocksOf(message).some(isResult),
  )
  return asked === undefined ? [...messages] : [asked]
}

/** A conversation of this format begins with a user: what would stand before the first kept one goes too. */
function beginningWithUser(
  messages: readonly Message[],
  actions: readonly MessageAction[],
): readonly MessageAction[] {
  if (messages[0]?.['role'] === 'assistant') return actions
  const chosen = messages.map((_, index) => actions[index] ?? 'keep')
  for (const [index, message] of messages.entries()) {
    if (chosen[index] === 'drop') continue
    const blocks = blocksOf(message)
    const answersDropped = blocks.length > 0 && blocks.every(isResult)
    if (message['role'] !== 'assistant' && !answersDropped) break
    chosen[index] = 'drop'
  }
  return chosen
}

function messagesOf(wire: Wire, body: unknown): readonly Message[] {
  if (wire === 'openai-embeddings' || !isObject(body) || !Array.isArray(body['messages'])) return []
  return body['messages'].map((message: unknown) => (isObject(message) ? message : {}))
}

function openAiShape(message: Message, index: number): MessageShape {
  const size = noSize()
  measureMessage(message, size)
  const role = openAiRole(message['role'])
  return { index, role, bytes: size.bytes, opensTurn: role === 'user', toolResult: role === 'tool' }
}

function openAiRole(role: unknown): MessageShape['role'] {
  if (role === 'system' || role === 'developer') return 'system'
  if (role === 'tool' || role === 'function') return 'tool'
  return role === 'assistant' ? 'assistant' : 'user'
}

function anthropicShape(message: Message, index: number): MessageShape {
  const size = noSize()
  measureContent(message['content'], size)
  const blocks = blocksOf(message)
  const toolResult = blocks.some(isResult)
  const onlyResults = toolResult && blocks.every(isResult)
  const said = message['role'] === 'assistant' || message['role'] === 'system' ? message['role'] : 'user'
  const role = onlyResults ? 'tool' : said
  return { index, role, bytes: size.bytes, opensTurn: said === 'user' && !toolResult, toolResult }
}

type Survives = (callId: unknown) => boolean

function keptOpenAi(message: Message, action: MessageAction, survives: Survives): readonly Message[] {
  if (message['role'] !== 'tool') return action === 'drop' ? [] : [message]
  if (!survives(message['tool_call_id'])) return []
  return action === 'keep' ? [message] : [{ ...message, content: LEFT_OUT }]
}

function keptAnthropic(message: Message, action: MessageAction, survives: Survives): readonly Message[] {
  const blocks = blocksOf(message)
  if (!blocks.some(isResult)) return action === 'drop' ? [] : [message]
  const paired = blocks.filter((block) =>
    isResult(block) ? survives(block['tool_use_id']) : action !== 'drop',
  )
  if (paired.length === 0) return []
  if (action === 'keep') return [paired.length === blocks.length ? message : { ...message, content: paired }]
  const content = paired.map((block) => (isResult(block) ? { ...block, content: LEFT_OUT } : block))
  return [{ ...message, content }]
}

function callIdsOf(message: Message): readonly unknown[] {
  if (message['role'] !== 'assistant') return []
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isObject) : []
  return [...calls, ...blocksOf(message).filter((block) => block['type'] === 'tool_use')].map(
    (call) => call['id'],
  )
}

function blocksOf(message: Message): readonly Message[] {
  return Array.isArray(message['content']) ? message['content'].filter(isObject) : []
}

function isResult(block: Message): boolean {
  return block['type'] === 'tool_result'
}
