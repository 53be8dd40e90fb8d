// What a request loses when it crosses formats although it may cross: fields that ask for nothing the
// answer's meaning depends on. Named by place, so that the loss is recorded as a decision. Everything else
// that cannot cross is refused.

import { isObject } from '../core/json.js'
import type { Wire } from '../core/release/release.js'
import { ANTHROPIC_FIELDS } from './anthropic-messages/fields.js'
import { OPENAI_CHAT_FIELDS } from './openai-chat/fields.js'

/** Places of the hints that `body` holds and `to` has no word for. Empty when nothing is lost. */
export function droppedHints(body: unknown, from: Wire, to: Wire): string[] {
  if (from === to || !isObject(body)) return []
  if (from === 'openai-chat' && to === 'anthropic-messages') return fromOpenAi(body)
  return from === 'anthropic-messages' && to === 'openai-chat' ? fromAnthropic(body) : []
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

function fieldsPresent(object: Record<string, unknown>, names: Iterable<string>, at = ''): string[] {
  return [...names].filter((name) => present(object[name])).map((name) => at + name)
}

function objectsOf(list: unknown): readonly (readonly [Record<string, unknown>, number])[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown, index) => (isObject(item) ? [[item, index] as const] : []))
}

function fromOpenAi(body: Record<string, unknown>): string[] {
  const messages = objectsOf(body['messages'])
  const firstTurn = messages.findIndex(([{ role }]) => role !== 'system' && role !== 'developer')
  return [
    ...fieldsPresent(body, OPENAI_CHAT_FIELDS.hints),
    ...(present(body['user']) ? fieldsPresent(body, ['safety_identifier']) : []),
    ...objectsOf(body['tools']).flatMap(([{ function: tool }, index]) =>
      isObject(tool) ? fieldsPresent(tool, ['strict'], `tools[${index}].function.`) : [],
    ),
    ...messages.flatMap(([message, index]) => {
      const at = `messages[${index}].`
      const late =
        firstTurn !== -1 &&
        index > firstTurn &&
        (message['role'] === 'system' || message['role'] === 'developer')
      // It still counts, but is read before the conversation instead of in its place.
      const moved = late ? [`${at}position`] : []
      return [
        ...moved,
        ...fieldsPresent(message, ['name', 'reasoning_content', 'reasoning'], at),
        ...details(message, at),
      ]
    }),
  ]
}

function details(message: Record<string, unknown>, at: string): string[] {
  return objectsOf(message['content']).flatMap(([{ image_url: image }, index]) =>
    isObject(image) ? fieldsPresent(image, ['detail'], `${at}content[${index}].image_url.`) : [],
  )
}

const TOOL_HINTS = [
  'cache_control',
  'allowed_callers',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
]

function fromAnthropic(body: Record<string, unknown>): string[] {
  const { metadata, output_config: config } = body
  return [
    ...fieldsPresent(body, ANTHROPIC_FIELDS.hints),
    ...(isObject(metadata)
      ? fieldsPresent(
          metadata,
          Object.keys(metadata).filter((key) => key !== 'user_id'),
          'metadata.',
        )
      : []),
    ...(isObject(config)
      ? fieldsPresent(
          config,
          Object.keys(config).filter((key) => key !== 'format'),
          'output_config.',
        )
      : []),
    ...blockHints(body['system'], 'system'),
    ...objectsOf(body['tools']).flatMap(([tool, index]) =>
      fieldsPresent(tool, TOOL_HINTS, `tools[${index}].`),
    ),
    ...objectsOf(body['messages']).flatMap(([message, index]) =>
      blockHints(message['content'], `messages[${index}].content`),
    ),
  ]
}

function blockHints(content: unknown, at: string): string[] {
  return objectsOf(content).flatMap(([block, index]) => {
    const place = `${at}[${index}]`
    const { type } = block
    const reasoning = type === 'thinking' || type === 'redacted_thinking' ? [place] : []
    return [...reasoning, ...fieldsPresent(block, ['cache_control', 'citations', 'is_error'], `${place}.`)]
  })
}
