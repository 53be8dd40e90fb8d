// Anthropic's messages and count_tokens requests -> what the simulator needs.

import { isObject } from '../../../core/json.js'
import {
  BadField,
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
import { type Turn, readPrompt } from './prompt-text.js'
import type { SimRequest, SimTool, SimToolChoice } from './sim-request.js'

/** `counting`: the request is for count_tokens, where `max_tokens` has no place. */
export function parseAnthropicMessages(body: unknown, options: { readonly counting: boolean }): SimRequest {
  const fields = fieldsOf(body, 'body')
  const model = requiredText(fields['model'], 'model')
  const maxOutputTokens = countOrNull(fields['max_tokens'], 'max_tokens')
  if (maxOutputTokens === null && !options.counting)
    throw new BadField('max_tokens', 'max_tokens: Field required')
  const messages = listOf(fields['messages'], 'messages')
  if (messages.length === 0) throw new BadField('messages', 'messages: at least one message is required')
  const tools = Array.isArray(fields['tools']) ? fields['tools'].flatMap(readTool) : []
  const choice = optionalFields(fields['tool_choice'])
  const json = readFormat(fields)
  const system = blocksOf(fields['system'])
  const systemTurns: Turn[] = system.length === 0 ? [] : [{ role: 'system', ...readBlocks(system) }]
  return {
    model,
    stream: fields['stream'] === true,
    includeUsage: true,
    ...readPrompt({
      turns: [...systemTurns, ...messages.flatMap(readTurns)],
      tools,
      schema: json?.schema ?? null,
    }),
    tools,
    toolChoice: readToolChoice(choice),
    parallelToolCalls: choice['disable_parallel_tool_use'] !== true,
    json,
    maxOutputTokens,
    stop: textList(fields['stop_sequences']),
    choices: 1,
    logprobs: false,
    topLogprobs: 0,
    temperature: numberOrNull(fields['temperature'], 'temperature'),
  }
}

function blocksOf(content: unknown): readonly Record<string, unknown>[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content.filter(isObject) : []
}

/** Tool results come inside a user message here; they are turns of their own, as in the other format. */
function readTurns(value: unknown, index: number): Turn[] {
  const message = fieldsOf(value, `messages.${index}`)
  const role = message['role']
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    throw new BadField(
      `messages.${index}.role`,
      `messages.${index}.role: Input should be 'user' or 'assistant'`,
    )
  }
  const blocks = blocksOf(message['content'])
  const results = blocks.filter((block) => block['type'] === 'tool_result')
  const others = blocks.filter((block) => block['type'] !== 'tool_result')
  const turns: Turn[] = results.map((block) => ({ role: 'tool', ...readBlocks(blocksOf(block['content'])) }))
  if (others.length > 0 || results.length === 0) turns.push({ role, ...readBlocks(others) })
  return turns
}

function readBlocks(blocks: readonly Record<string, unknown>[]): { text: string; images: number } {
  const texts = blocks.map((block) =>
    block['type'] === 'tool_use'
      ? textOf(block['name']) + JSON.stringify(block['input'] ?? {})
      : textOf(block['text']),
  )
  return { text: texts.join(''), images: blocks.filter((block) => block['type'] === 'image').length }
}

function readTool(value: unknown): SimTool[] {
  const tool = optionalFields(value)
  const name = textOf(tool['name'])
  return name === '' ? [] : [{ name, schema: schemaOf(tool['input_schema']) }]
}

function readToolChoice(choice: Readonly<Record<string, unknown>>): SimToolChoice {
  switch (choice['type']) {
    case 'any':
      return { kind: 'required' }
    case 'none':
      return { kind: 'none' }
    case 'tool':
      return { kind: 'tool', name: textOf(choice['name']) }
    default:
      return { kind: 'auto' }
  }
}

function readFormat(fields: Readonly<Record<string, unknown>>): SimRequest['json'] {
  const current = optionalFields(optionalFields(fields['output_config'])['format'])
  const format = current['type'] === undefined ? optionalFields(fields['output_format']) : current
  return format['type'] === 'json_schema' ? { schema: schemaOf(format['schema']) } : null
}
