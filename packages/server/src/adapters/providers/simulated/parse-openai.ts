// OpenAI's chat completions and embeddings requests -> what the simulator needs.

import { isObject } from '../../../core/json.js'
import {
  BadField,
  type Fields,
  countOrNull,
  fieldsOf,
  listOf,
  numberOrNull,
  optionalFields,
  requiredText,
  schemaOf,
  textList,
  textOf,
} from './parse-fields.js'
import { DIGEST_LENGTH, type Turn, readPrompt } from './prompt-text.js'
import { hexName } from './seeded.js'
import type { SimEmbeddingRequest, SimRequest, SimTool, SimToolChoice } from './sim-request.js'
import { countInputTokens, utf8Bytes } from './tokens.js'

const CHOICES_MAX = 128
const DIMENSIONS_DEFAULT = 1536
const DIMENSIONS_MAX = 3072
const INPUTS_MAX = 2048

export function parseOpenAiChat(body: unknown): SimRequest {
  const fields = fieldsOf(body, 'body')
  const model = requiredText(fields['model'], 'model')
  const messages = listOf(fields['messages'], 'messages')
  if (messages.length === 0) throw new BadField('messages', 'messages: expected at least one message')
  const tools = Array.isArray(fields['tools']) ? fields['tools'].flatMap(readTool) : []
  const json = readFormat(fields['response_format'])
  const choices = countOrNull(fields['n'], 'n') ?? 1
  if (choices > CHOICES_MAX) throw new BadField('n', `n: must be at most ${CHOICES_MAX}`)
  return {
    model,
    stream: fields['stream'] === true,
    includeUsage: optionalFields(fields['stream_options'])['include_usage'] === true,
    ...readPrompt({ turns: messages.map(readTurn), tools, schema: json?.schema ?? null }),
    tools,
    toolChoice: readToolChoice(fields['tool_choice']),
    parallelToolCalls: fields['parallel_tool_calls'] !== false,
    json,
    maxOutputTokens:
      countOrNull(fields['max_completion_tokens'], 'max_completion_tokens') ??
      countOrNull(fields['max_tokens'], 'max_tokens'),
    stop: textList(fields['stop']),
    choices,
    logprobs: fields['logprobs'] === true,
    topLogprobs: numberOrNull(fields['top_logprobs'], 'top_logprobs') ?? 0,
    temperature: numberOrNull(fields['temperature'], 'temperature'),
  }
}

function readTurn(value: unknown, index: number): Turn {
  const message = fieldsOf(value, `messages[${index}]`)
  const role = message['role']
  const { text, images } = readContent(message['content'])
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
  const callText = calls.map((call) => {
    const called = optionalFields(optionalFields(call)['function'])
    return textOf(called['name']) + canonicalArguments(textOf(called['arguments']))
  })
  return { role: readRole(role, index), text: [text, ...callText].join(''), images }
}

function readRole(role: unknown, index: number): Turn['role'] {
  switch (role) {
    case 'system':
    case 'developer':
      return 'system'
    case 'user':
    case 'assistant':
      return role
    case 'tool':
    case 'function':
      return 'tool'
    default:
      throw new BadField(
        `messages[${index}].role`,
        `Invalid value: messages[${index}].role is not a known role.`,
      )
  }
}

function readContent(content: unknown): { text: string; images: number } {
  if (typeof content === 'string') return { text: content, images: 0 }
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  return {
    text: parts.map((part) => textOf(part['text'])).join(''),
    images: parts.filter((part) => part['type'] === 'image_url').length,
  }
}

/** Anthropic's format carries arguments as an object: compared as JSON, not as text. */
export function canonicalArguments(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

function readTool(value: unknown): SimTool[] {
  const called = optionalFields(optionalFields(value)['function'])
  const name = textOf(called['name'])
  return name === '' ? [] : [{ name, schema: schemaOf(called['parameters']) }]
}

function readToolChoice(value: unknown): SimToolChoice {
  if (value === 'none' || value === 'required') return { kind: value }
  const name = textOf(optionalFields(optionalFields(value)['function'])['name'])
  return name === '' ? { kind: 'auto' } : { kind: 'tool', name }
}

function readFormat(value: unknown): SimRequest['json'] {
  const format: Fields = optionalFields(value)
  if (format['type'] === 'json_object') return { schema: null }
  if (format['type'] !== 'json_schema') return null
  const schema = optionalFields(format['json_schema'])['schema']
  return { schema: isObject(schema) ? schemaOf(schema) : null }
}

export function parseOpenAiEmbeddings(body: unknown): SimEmbeddingRequest {
  const fields = fieldsOf(body, 'body')
  const model = requiredText(fields['model'], 'model')
  const inputs = readInputs(fields['input'])
  if (inputs.length === 0 || inputs.length > INPUTS_MAX || inputs.includes('')) {
    throw new BadField(
      'input',
      "'$.input' is invalid. Please check the API reference: the input is empty or too long.",
    )
  }
  const dimensions = countOrNull(fields['dimensions'], 'dimensions') ?? DIMENSIONS_DEFAULT
  if (dimensions > DIMENSIONS_MAX)
    throw new BadField('dimensions', `dimensions: must be at most ${DIMENSIONS_MAX}`)
  const textBytes = inputs.reduce((sum, input) => sum + utf8Bytes(input), 0)
  return {
    model,
    digest: hexName(inputs.join('\n'), DIGEST_LENGTH),
    inputs,
    inputTokens: countInputTokens({ textBytes, images: 0 }),
    dimensions,
    base64: fields['encoding_format'] === 'base64',
  }
}

/** Text, texts, tokens, or lists of tokens. */
function readInputs(input: unknown): string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input)) return []
  if (input.every((item) => typeof item === 'number')) return [input.join(' ')]
  return input.map((item) => (Array.isArray(item) ? item.join(' ') : textOf(item)))
}
