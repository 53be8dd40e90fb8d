// Reads of a Responses request what the stages need. On the hot path of every call: one pass over the items,
// nothing copied.

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
import { type PromptSize, measureFile, noSize } from '../prompt-size.js'
import { LOGPROBS } from './fields.js'

export function view(body: unknown): Parsed<RequestView> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  const size = measureInput(body['input'], problems)
  const tools = listField(body['tools'], 'tools', problems)
  const schema = jsonSchemaOf(body['text'])
  if (booleanField(body['background'], 'background', problems) === true) {
    problems.push({ at: 'background', message: 'answers are not made in the background; leave it out' })
  }
  const value: RequestView = {
    model: requiredText(body['model'], 'model', problems),
    stream: booleanField(body['stream'], 'stream', problems) ?? false,
    maxOutputTokens: countField(body['max_output_tokens'], 'max_output_tokens', problems),
    includeUsage: true,
    wantsLogprobs: wantsLogprobs(body),
    choices: 1,
    hasTools: tools.length > 0,
    hasImages: size.images > 0,
    jsonSchema: schema,
    cacheKey: textField(body['prompt_cache_key'], 'prompt_cache_key', problems),
    user: userOf(body, problems),
    promptBytes:
      size.bytes +
      utf8Bytes(body['instructions']) +
      (tools.length > 0 ? utf8Bytes(tools) : 0) +
      (schema === null ? 0 : utf8Bytes(schema)),
    imageCount: size.images,
    documentPages: size.pages,
  }
  return concluded(value, problems)
}

export function userOf(body: Record<string, unknown>, problems: Problem[]): string | null {
  const identifier = textField(body['safety_identifier'], 'safety_identifier', problems)
  return textField(body['user'], 'user', problems) ?? identifier
}

export function wantsLogprobs(body: Record<string, unknown>): boolean {
  const { include, top_logprobs: top } = body
  return (Array.isArray(include) && include.includes(LOGPROBS)) || (typeof top === 'number' && top > 0)
}

/** `{}` for "any JSON object", null when the answer is free text. */
function jsonSchemaOf(text: unknown): JsonObject | null {
  const format = isObject(text) ? text['format'] : null
  if (!isObject(format)) return null
  if (format['type'] === 'json_object') return {}
  if (format['type'] !== 'json_schema') return null
  return isObject(format['schema']) ? asJsonObject(format['schema']) : {}
}

function measureInput(input: unknown, problems: Problem[]): PromptSize {
  const size = noSize()
  if (typeof input === 'string') {
    size.bytes = utf8Bytes(input)
    return size
  }
  if (!Array.isArray(input) || input.length === 0) {
    problems.push({ at: 'input', message: 'must be a string or a list of at least one item' })
    return size
  }
  input.forEach((item: unknown, index) => {
    if (isObject(item) && typeof (item['type'] ?? item['role']) === 'string') measureItem(item, size)
    else problems.push({ at: `input[${index}]`, message: 'must be an object with a type or a role' })
  })
  return size
}

/** UTF-8 bytes of what the model reads of one item. Images and documents are counted instead. */
export function measureItem(item: Record<string, unknown>, size: PromptSize): void {
  switch (item['type'] ?? 'message') {
    case 'message':
      measureContent(item['content'], size)
      return
    case 'function_call':
      size.bytes += utf8Bytes(item['name']) + utf8Bytes(item['arguments'])
      return
    case 'function_call_output':
      measureContent(item['output'], size)
      return
    default:
      size.bytes += utf8Bytes(item)
  }
}

function measureContent(content: unknown, size: PromptSize): void {
  if (!Array.isArray(content)) {
    size.bytes += utf8Bytes(content)
    return
  }
  for (const part of content) {
    if (!isObject(part)) size.bytes += utf8Bytes(part)
    else if (part['type'] === 'input_image') size.images += 1
    else if (part['type'] === 'input_file') measureFile(part, size)
    else size.bytes += utf8Bytes(typeof part['text'] === 'string' ? part['text'] : part)
  }
}
