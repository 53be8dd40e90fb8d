// A chat completion request -> our types, for a provider that speaks another format. What our types cannot
// hold is a problem that names the field; hints are left out (`droppedHints` lists them).

import { isObject, type JsonObject } from '../../core/json.js'
import {
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
  listField,
  numberField,
  refuseFields,
  requiredText,
  textField,
  textsField,
} from '../fields.js'
import { decodeMessages } from './decode-messages.js'
import { OPENAI_CHAT_FIELDS } from './fields.js'
import { maxOutputTokensOf, userOf } from './view.js'

export function decodeRequest(body: unknown): Parsed<ModelRequest> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  refuseFields(body, OPENAI_CHAT_FIELDS, problems)
  const stream = booleanField(body['stream'], 'stream', problems) ?? false
  const options = body['stream_options']
  const value: ModelRequest = {
    ...NOT_ASKED,
    model: requiredText(body['model'], 'model', problems),
    messages: decodeMessages(body['messages'], problems),
    tools: decodeTools(body['tools'], problems),
    toolChoice: decodeToolChoice(body['tool_choice'], problems),
    parallelToolCalls: booleanField(body['parallel_tool_calls'], 'parallel_tool_calls', problems),
    maxOutputTokens: maxOutputTokensOf(body, problems),
    temperature: numberField(body['temperature'], 'temperature', problems),
    topP: numberField(body['top_p'], 'top_p', problems),
    stop: textsField(body['stop'], 'stop', problems),
    stream,
    includeUsage: stream && isObject(options) && options['include_usage'] === true,
    json: decodeResponseFormat(body['response_format'], problems),
    user: userOf(body, problems),
  }
  return concluded(value, problems)
}

function decodeTools(tools: unknown, problems: Problem[]): readonly ToolDefinition[] {
  return listField(tools, 'tools', problems).map((tool, index) => {
    const at = `tools[${index}]`
    const definition = isObject(tool) && tool['type'] === 'function' ? tool['function'] : null
    if (isObject(definition)) return decodeFunction(definition, `${at}.function`, problems)
    problems.push({ at: `${at}.type`, message: 'only function tools can be expressed in the other format' })
    return { name: '', parameters: {} }
  })
}

function decodeFunction(
  definition: Record<string, unknown>,
  at: string,
  problems: Problem[],
): ToolDefinition {
  const description = textField(definition['description'], `${at}.description`, problems)
  const strict = booleanField(definition['strict'], `${at}.strict`, problems)
  const { parameters } = definition
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    problems.push({ at: `${at}.parameters`, message: 'must be a JSON Schema object' })
  }
  return {
    name: requiredText(definition['name'], `${at}.name`, problems),
    parameters: isObject(parameters) ? asJsonObject(parameters) : { type: 'object', properties: {} },
    ...(description === null ? {} : { description }),
    ...(strict === null ? {} : { strict }),
  }
}

function decodeToolChoice(choice: unknown, problems: Problem[]): ToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice }
  if (isObject(choice) && choice['type'] === 'function' && isObject(choice['function'])) {
    return {
      kind: 'tool',
      name: requiredText(choice['function']['name'], 'tool_choice.function.name', problems),
    }
  }
  problems.push({ at: 'tool_choice', message: 'only auto, none, required or one function can cross formats' })
  return null
}

function decodeResponseFormat(format: unknown, problems: Problem[]): ModelRequest['json'] {
  if (format === undefined || format === null) return null
  const type = isObject(format) ? format['type'] : null
  if (type === 'text') return null
  if (type === 'json_object') return { name: 'answer', schema: null, strict: false }
  const named = isObject(format) && type === 'json_schema' ? format['json_schema'] : null
  if (!isObject(named)) {
    problems.push({ at: 'response_format.type', message: 'must be text, json_object or json_schema' })
    return null
  }
  const at = 'response_format.json_schema'
  return {
    name: requiredText(named['name'], `${at}.name`, problems),
    schema: schemaOf(named['schema'], problems),
    strict: booleanField(named['strict'], `${at}.strict`, problems) ?? false,
  }
}

function schemaOf(schema: unknown, problems: Problem[]): JsonObject | null {
  if (schema === undefined || schema === null) return null
  if (isObject(schema)) return asJsonObject(schema)
  problems.push({ at: 'response_format.json_schema.schema', message: 'must be a JSON Schema object' })
  return null
}
