// A chat completion request -> our types, for a provider that speaks another format. What our types cannot
// hold is a problem that names the field; hints are left out (`droppedHints` lists them).

import { isObject, type JsonObject } from '../../core/json.js'
import { type ModelRequest, NOT_ASKED } from '../../core/model/message.js'
import { type Parsed, type Problem, invalid } from '../../core/parsed.js'
import {
  asJsonObject,
  booleanField,
  concluded,
  numberField,
  refuseFields,
  requiredText,
  textsField,
} from '../fields.js'
import { decodeMessages } from './decode-messages.js'
import { OPENAI_CHAT_FIELDS } from './fields.js'
import { decodeEffort } from './reasoning-effort.js'
import { decodeToolsAndChoice } from './tool-choice.js'
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
    ...decodeToolsAndChoice(body, problems),
    parallelToolCalls: booleanField(body['parallel_tool_calls'], 'parallel_tool_calls', problems),
    maxOutputTokens: maxOutputTokensOf(body, problems),
    temperature: numberField(body['temperature'], 'temperature', problems),
    topP: numberField(body['top_p'], 'top_p', problems),
    seed: numberField(body['seed'], 'seed', problems),
    presencePenalty: penaltyField(body, 'presence_penalty', problems),
    frequencyPenalty: penaltyField(body, 'frequency_penalty', problems),
    topLogprobs: topLogprobsOf(body, problems),
    reasoning: decodeEffort(body['reasoning_effort'], problems),
    stop: textsField(body['stop'], 'stop', problems),
    stream,
    includeUsage: stream && isObject(options) && options['include_usage'] === true,
    json: decodeResponseFormat(body['response_format'], problems),
    user: userOf(body, problems),
  }
  return concluded(value, problems)
}

/** 0 asks for nothing. */
function penaltyField(body: Record<string, unknown>, name: string, problems: Problem[]): number | null {
  const value = numberField(body[name], name, problems)
  return value === 0 ? null : value
}

function topLogprobsOf(body: Record<string, unknown>, problems: Problem[]): number | null {
  const asked = booleanField(body['logprobs'], 'logprobs', problems) ?? false
  const top = numberField(body['top_logprobs'], 'top_logprobs', problems) ?? 0
  if (asked) return top
  if (top !== 0) problems.push({ at: 'top_logprobs', message: 'needs `logprobs: true`' })
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
