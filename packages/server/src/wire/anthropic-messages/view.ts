// Reads of a Messages request what the stages need. On the hot path of every call: one pass, nothing copied.

import { isObject, type JsonObject } from '../../core/json.js'
import { type Parsed, type Problem, invalid } from '../../core/parsed.js'
import {
  asJsonObject,
  booleanField,
  concluded,
  countField,
  listField,
  requiredText,
  textField,
  utf8Bytes,
} from '../fields.js'
import type { RequestView } from '../format.js'
import { type PromptSize, measureDocumentBlock, noSize } from '../prompt-size.js'

export function view(body: unknown): Parsed<RequestView> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  refuseThread(body, problems)
  const size = measureConversation(body, problems)
  const tools = listField(body['tools'], 'tools', problems)
  const schema = jsonSchemaOf(body)
  const schemaBytes = schema === null ? 0 : utf8Bytes(schema)
  const value: RequestView = {
    model: requiredText(body['model'], 'model', problems),
    stream: booleanField(body['stream'], 'stream', problems) ?? false,
    maxOutputTokens: countField(body['max_tokens'], 'max_tokens', problems),
    includeUsage: true,
    wantsLogprobs: false,
    choices: 1,
    hasTools: tools.length > 0,
    hasImages: size.images > 0,
    jsonSchema: schema,
    cacheKey: textField(body['prompt_cache_key'], 'prompt_cache_key', problems),
    user: userOf(body, problems),
    promptBytes: size.bytes + (tools.length > 0 ? utf8Bytes(tools) : 0) + schemaBytes,
    imageCount: size.images,
    documentPages: size.pages,
  }
  return concluded(value, problems)
}

export const THREAD = 'thread'

/**
 * A conversation that the provider holds: no other could answer it, and what it costs to read cannot be seen
 * here. Anthropic's client goes on without when it is told so (`errors.ts`).
 */
function refuseThread(body: Record<string, unknown>, problems: Problem[]): void {
  if (body[THREAD] === undefined || body[THREAD] === null) return
  problems.push({ at: THREAD, message: 'is not supported here; send the whole conversation in `messages`' })
}

export function userOf(body: Record<string, unknown>, problems: Problem[]): string | null {
  const { metadata } = body
  return isObject(metadata) ? textField(metadata['user_id'], 'metadata.user_id', problems) : null
}

/** `output_config.format`, or `output_format` as the beta called it. */
export function jsonSchemaOf(body: Record<string, unknown>): JsonObject | null {
  const config = body['output_config']
  const format = (isObject(config) ? config['format'] : null) ?? body['output_format']
  if (!isObject(format) || format['type'] !== 'json_schema') return null
  return isObject(format['schema']) ? asJsonObject(format['schema']) : {}
}

const ROLES = new Set<unknown>(['user', 'assistant', 'system'])

function measureConversation(body: Record<string, unknown>, problems: Problem[]): PromptSize {
  const size = noSize()
  measureContent(body['system'], size)
  const { messages } = body
  if (!Array.isArray(messages) || messages.length === 0) {
    problems.push({ at: 'messages', message: 'must be a list of at least one message' })
    return size
  }
  messages.forEach((message: unknown, index) => {
    if (isObject(message) && ROLES.has(message['role'])) measureContent(message['content'], size)
    else
      problems.push({
        at: `messages[${index}]`,
        message: 'must be an object with the role user or assistant',
      })
  })
  return size
}

/** UTF-8 bytes of what the model reads of some content. Images and documents are counted instead. */
export function measureContent(content: unknown, size: PromptSize): void {
  if (!Array.isArray(content)) {
    size.bytes += utf8Bytes(content)
    return
  }
  for (const block of content) {
    if (!isObject(block)) size.bytes += utf8Bytes(block)
    else if (block['type'] === 'image') size.images += 1
    else if (block['type'] === 'document') measureDocumentBlock(block, size)
    else if (block['type'] === 'tool_result') measureContent(block['content'], size)
    else if (block['type'] === 'text') size.bytes += utf8Bytes(block['text'])
    else size.bytes += utf8Bytes(block)
  }
}
