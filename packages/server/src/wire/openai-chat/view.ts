// Reads of a chat completion request what the stages need. On the hot path of every call: one pass over the
// messages, nothing copied.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { invalid } from '../../core/parsed.js'
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
import { type PromptSize, measureFile, noSize } from '../prompt-size.js'

export function view(body: unknown): Parsed<RequestView> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  const size = measureMessages(body['messages'], problems)
  const tools = listField(body['tools'], 'tools', problems)
  const functions = listField(body['functions'], 'functions', problems)
  const schema = jsonSchemaOf(body['response_format'])
  const hasTools = tools.length > 0 || functions.length > 0
  const value: RequestView = {
    model: requiredText(body['model'], 'model', problems),
    stream: booleanField(body['stream'], 'stream', problems) ?? false,
    maxOutputTokens: maxOutputTokensOf(body, problems),
    includeUsage: isObject(body['stream_options']) && body['stream_options']['include_usage'] === true,
    wantsLogprobs: booleanField(body['logprobs'], 'logprobs', problems) ?? false,
    choices: countField(body['n'], 'n', problems) ?? 1,
    hasTools,
    hasImages: size.images > 0,
    jsonSchema: schema,
    cacheKey: textField(body['prompt_cache_key'], 'prompt_cache_key', problems),
    user: userOf(body, problems),
    promptBytes:
      size.bytes +
      (hasTools ? utf8Bytes([...tools, ...functions]) : 0) +
      (schema === null ? 0 : utf8Bytes(schema)),
    imageCount: size.images,
    documentPages: size.pages,
  }
  return concluded(value, problems)
}

/** The smaller one when both names are used: a limit must hold whichever the provider reads. */
export function maxOutputTokensOf(body: Record<string, unknown>, problems: Problem[]): number | null {
  const old = countField(body['max_tokens'], 'max_tokens', problems)
  const current = countField(body['max_completion_tokens'], 'max_completion_tokens', problems)
  return old === null || current === null ? (old ?? current) : Math.min(old, current)
}

export function userOf(body: Record<string, unknown>, problems: Problem[]): string | null {
  const identifier = textField(body['safety_identifier'], 'safety_identifier', problems)
  return textField(body['user'], 'user', problems) ?? identifier
}

/** `{}` for "any JSON object", null when the answer is free text. */
export function jsonSchemaOf(format: unknown): JsonObject | null {
  if (!isObject(format)) return null
  if (format['type'] === 'json_object') return {}
  const named = format['json_schema']
  if (format['type'] !== 'json_schema' || !isObject(named)) return null
  return isObject(named['schema']) ? asJsonObject(named['schema']) : {}
}

function measureMessages(messages: unknown, problems: Problem[]): PromptSize {
  const size = noSize()
  if (!Array.isArray(messages) || messages.length === 0) {
    problems.push({ at: 'messages', message: 'must be a list of at least one message' })
    return size
  }
  messages.forEach((message: unknown, index) => {
    if (isObject(message) && typeof message['role'] === 'string') measureMessage(message, size)
    else problems.push({ at: `messages[${index}]`, message: 'must be an object with a role' })
  })
  return size
}

/** UTF-8 bytes of what the model reads of one message. Images and documents are counted instead. */
export function measureMessage(message: Record<string, unknown>, size: PromptSize): void {
  const { content } = message
  if (Array.isArray(content)) for (const part of content) measurePart(part, size)
  else size.bytes += utf8Bytes(content)
  for (const name of ['tool_calls', 'function_call', 'refusal', 'name']) {
    if (message[name] !== undefined) size.bytes += utf8Bytes(message[name])
  }
}

function measurePart(part: unknown, size: PromptSize): void {
  if (!isObject(part)) size.bytes += utf8Bytes(part)
  else if (part['type'] === 'image_url') size.images += 1
  else if (part['type'] === 'file' && isObject(part['file'])) measureFile(part['file'], size)
  else if (typeof part['text'] === 'string') size.bytes += utf8Bytes(part['text'])
  else size.bytes += utf8Bytes(part)
}
