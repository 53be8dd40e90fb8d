// A Messages request -> our types, for a provider that speaks another format. What our types cannot hold is a
// problem that names the field; hints are left out (`droppedHints` lists them).

import { isObject } from '../../core/json.js'
import {
  type Message,
  type ModelRequest,
  NOT_ASKED,
  type ToolChoice,
  type ToolDefinition,
} from '../../core/model/message.js'
import { type Parsed, type Problem, invalid } from '../../core/parsed.js'
import {
  asJsonObject,
  booleanField,
  concluded,
  countField,
  listField,
  numberField,
  refuseFields,
  requiredText,
  textField,
  textsField,
} from '../fields.js'
import { decodeContent } from './decode-content.js'
import { ANTHROPIC_FIELDS } from './fields.js'
import { decodeReasoning } from './thinking.js'
import { jsonSchemaOf, userOf } from './view.js'

export function decodeRequest(body: unknown): Parsed<ModelRequest> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  refuseFields(body, ANTHROPIC_FIELDS, problems)
  const choice = body['tool_choice']
  const schema = jsonSchemaOf(body)
  const value: ModelRequest = {
    ...NOT_ASKED,
    model: requiredText(body['model'], 'model', problems),
    messages: [...decodeSystem(body['system'], problems), ...decodeMessages(body['messages'], problems)],
    tools: listField(body['tools'], 'tools', problems).map((tool, index) =>
      decodeTool(tool, `tools[${index}]`, problems),
    ),
    toolChoice: decodeToolChoice(choice, problems),
    parallelToolCalls: parallelOf(choice, problems),
    maxOutputTokens: countField(body['max_tokens'], 'max_tokens', problems),
    temperature: numberField(body['temperature'], 'temperature', problems),
    topP: numberField(body['top_p'], 'top_p', problems),
    topK: countField(body['top_k'], 'top_k', problems),
    reasoning: decodeReasoning(body, problems),
    stop: textsField(body['stop_sequences'], 'stop_sequences', problems),
    stream: booleanField(body['stream'], 'stream', problems) ?? false,
    includeUsage: true,
    json: schema === null ? null : { name: 'answer', schema, strict: true },
    user: userOf(body, problems),
  }
  return concluded(value, problems)
}

function decodeSystem(system: unknown, problems: Problem[]): readonly Message[] {
  const parts = decodeContent(system, 'system', problems)
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

function decodeMessages(messages: unknown, problems: Problem[]): readonly Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    problems.push({ at: 'messages', message: 'must be a list of at least one message' })
    return []
  }
  return messages.map((message: unknown, index): Message => {
    const at = `messages[${index}]`
    const role = isObject(message) ? message['role'] : null
    if (isObject(message) && (role === 'user' || role === 'assistant' || role === 'system')) {
      return { role, parts: decodeContent(message['content'], `${at}.content`, problems) }
    }
    problems.push({ at: `${at}.role`, message: 'must be user or assistant' })
    return { role: 'user', parts: [] }
  })
}

function decodeTool(tool: unknown, at: string, problems: Problem[]): ToolDefinition {
  const custom = isObject(tool) && (tool['type'] ?? 'custom') === 'custom'
  if (!custom) {
    problems.push({
      at: `${at}.type`,
      message: 'a tool that the provider runs cannot be expressed in the other format',
    })
    return { name: '', parameters: {} }
  }
  const description = textField(tool['description'], `${at}.description`, problems)
  const strict = booleanField(tool['strict'], `${at}.strict`, problems)
  const { input_schema: schema, cache_control: mark } = tool
  if (!isObject(schema)) problems.push({ at: `${at}.input_schema`, message: 'must be a JSON Schema object' })
  return {
    name: requiredText(tool['name'], `${at}.name`, problems),
    parameters: isObject(schema) ? asJsonObject(schema) : {},
    ...(description === null ? {} : { description }),
    ...(strict === null ? {} : { strict }),
    ...(isObject(mark) ? { cacheControl: asJsonObject(mark) } : {}),
  }
}

function decodeToolChoice(choice: unknown, problems: Problem[]): ToolChoice | null {
  if (choice === undefined || choice === null) return null
  const type = isObject(choice) ? choice['type'] : null
  if (type === 'auto' || type === 'none') return { kind: type }
  if (type === 'any') return { kind: 'required' }
  if (isObject(choice) && type === 'tool') {
    return { kind: 'tool', name: requiredText(choice['name'], 'tool_choice.name', problems) }
  }
  problems.push({ at: 'tool_choice.type', message: 'must be auto, any, tool or none' })
  return null
}

function parallelOf(choice: unknown, problems: Problem[]): boolean | null {
  if (!isObject(choice)) return null
  const at = 'tool_choice.disable_parallel_tool_use'
  const disabled = booleanField(choice['disable_parallel_tool_use'], at, problems)
  return disabled === null ? null : !disabled
}
