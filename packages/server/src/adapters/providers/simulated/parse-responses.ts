// OpenAI's responses request -> what the simulator needs. It keeps nothing between calls, so an earlier
// response is one it does not know.

import { type JsonObject, isObject } from '../../../core/json.js'
import {
  BadField,
  type Fields,
  countOrNull,
  fieldsOf,
  numberOrNull,
  optionalFields,
  requiredText,
  schemaOf,
  textList,
  textOf,
} from './parse-fields.js'
import { canonicalArguments } from './parse-openai.js'
import { type Turn, readPrompt } from './prompt-text.js'
import type { SimRequest, SimTool, SimToolChoice } from './sim-request.js'

/** The least the API takes as a limit, tokens. */
const OUTPUT_TOKENS_MIN = 16

export function parseOpenAiResponses(body: unknown): SimRequest {
  const fields = fieldsOf(body, 'body')
  const model = requiredText(fields['model'], 'model')
  refuseEarlier(fields['previous_response_id'])
  const include = textList(fields['include'])
  refuseEncrypted(include, model)
  const turns = readInput(fields['input'])
  const instructions = textOf(fields['instructions'])
  const tools = Array.isArray(fields['tools']) ? fields['tools'].flatMap(readTool) : []
  const json = readFormat(optionalFields(fields['text'])['format'])
  const topLogprobs = numberOrNull(fields['top_logprobs'], 'top_logprobs') ?? 0
  return {
    model,
    stream: fields['stream'] === true,
    includeUsage: true,
    ...readPrompt({
      turns: instructions === '' ? turns : [{ role: 'system', text: instructions, images: 0 }, ...turns],
      tools,
      schema: json?.schema ?? null,
    }),
    tools,
    toolChoice: readToolChoice(fields['tool_choice']),
    parallelToolCalls: fields['parallel_tool_calls'] !== false,
    json,
    maxOutputTokens: readLimit(fields['max_output_tokens']),
    stop: [],
    choices: 1,
    logprobs: include.includes('message.output_text.logprobs') || topLogprobs > 0,
    topLogprobs,
    temperature: numberOrNull(fields['temperature'], 'temperature'),
    repeats: fields as JsonObject,
  }
}

function refuseEarlier(previous: unknown): void {
  if (typeof previous !== 'string') return
  throw new BadField(
    'previous_response_id',
    `Previous response with id '${previous}' not found.`,
    'previous_response_not_found',
  )
}

function refuseEncrypted(include: readonly string[], model: string): void {
  if (!include.includes('reasoning.encrypted_content') || /^(o\d|gpt-[5-9])/.test(model)) return
  throw new BadField('include', 'Encrypted content is not supported with this model.')
}

function readLimit(value: unknown): number | null {
  const limit = countOrNull(value, 'max_output_tokens')
  if (limit === null || limit >= OUTPUT_TOKENS_MIN) return limit
  throw new BadField(
    'max_output_tokens',
    `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${OUTPUT_TOKENS_MIN}, ` +
      `but got ${limit} instead.`,
    'integer_below_min_value',
  )
}

function readInput(input: unknown): Turn[] {
  if (typeof input === 'string') return [{ role: 'user', text: input, images: 0 }]
  if (!Array.isArray(input) || input.length === 0) {
    throw new BadField('input', "Invalid type for 'input': expected one of an array of objects or string.")
  }
  return together(input.map(readItem))
}

function readItem(value: unknown, index: number): Turn {
  const at = `input[${index}]`
  const item = fieldsOf(value, at)
  switch (item['type'] ?? 'message') {
    case 'message':
      return { role: readRole(item['role'], at), ...readContent(item['content']) }
    case 'function_call':
      requiredText(item['call_id'], `${at}.call_id`)
      return {
        role: 'assistant',
        text: requiredText(item['name'], `${at}.name`) + canonicalArguments(textOf(item['arguments'])),
        images: 0,
      }
    case 'function_call_output':
      requiredText(item['call_id'], `${at}.call_id`)
      return { role: 'tool', ...readContent(item['output']) }
    case 'reasoning':
      requiredText(item['id'], `${at}.id`)
      return { role: 'assistant', text: '', images: 0 }
    default:
      throw new BadField(`${at}.type`, `Invalid value: ${at}.type is not a known type.`, 'invalid_value')
  }
}

function readRole(role: unknown, at: string): Turn['role'] {
  switch (role) {
    case 'system':
    case 'developer':
      return 'system'
    case 'user':
    case 'assistant':
      return role
    default:
      throw new BadField(
        `${at}.role`,
        `Invalid value: ${at}.role is none of 'assistant', 'system', 'developer', and 'user'.`,
        'invalid_value',
      )
  }
}

function readContent(content: unknown): { text: string; images: number } {
  if (typeof content === 'string') return { text: content, images: 0 }
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  return {
    text: parts.map((part) => textOf(part['text'])).join(''),
    images: parts.filter((part) => part['type'] === 'input_image').length,
  }
}

/** What the other formats carry in one message of the model is several items here. */
function together(turns: readonly Turn[]): Turn[] {
  const joined: Turn[] = []
  for (const turn of turns) {
    const last = joined.at(-1)
    if (turn.role === 'assistant' && last?.role === 'assistant')
      joined[joined.length - 1] = { ...last, text: last.text + turn.text }
    else joined.push(turn)
  }
  return joined
}

function readTool(value: unknown): SimTool[] {
  const tool: Fields = optionalFields(value)
  const name = tool['type'] === 'function' ? textOf(tool['name']) : ''
  return name === '' ? [] : [{ name, schema: schemaOf(tool['parameters']) }]
}

function readToolChoice(value: unknown): SimToolChoice {
  if (value === 'none' || value === 'required') return { kind: value }
  const choice = optionalFields(value)
  if (choice['type'] === 'function') return { kind: 'tool', name: textOf(choice['name']) }
  return { kind: choice['mode'] === 'required' ? 'required' : 'auto' }
}

function readFormat(value: unknown): SimRequest['json'] {
  const format = optionalFields(value)
  if (format['type'] === 'json_object') return { schema: null }
  if (format['type'] !== 'json_schema') return null
  return { schema: isObject(format['schema']) ? schemaOf(format['schema']) : null }
}
