// A Responses request -> our types, for a provider that speaks another format. What our types cannot hold is
// a problem that names the field; hints are left out (`droppedHints` lists them).

import { isObject } from '../../core/json.js'
import type { Message, ModelRequest, ReasoningAsk } from '../../core/model/message.js'
import { NOT_ASKED } from '../../core/model/message.js'
import { type Parsed, type Problem, invalid } from '../../core/parsed.js'
import {
  asJsonObject,
  booleanField,
  concluded,
  countField,
  numberField,
  refuseFields,
  requiredText,
  textField,
} from '../fields.js'
import { decodeInput } from './decode-input.js'
import { decodeTools } from './decode-tools.js'
import { OPENAI_RESPONSES_FIELDS } from './fields.js'
import { userOf, wantsLogprobs } from './view.js'

/** Earlier turns that the provider would look up; the gateway puts them into the input before. */
const EARLIER_TURNS = ['previous_response_id', 'conversation'] as const

export function decodeRequest(body: unknown): Parsed<ModelRequest> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  const { previous_response_id: previous, conversation, ...rest } = body
  for (const [index, value] of [previous, conversation].entries()) {
    if (value === undefined || value === null) continue
    problems.push({ at: EARLIER_TURNS[index] ?? '', message: 'earlier turns must be in the input by now' })
  }
  refuseFields(rest, OPENAI_RESPONSES_FIELDS, problems)
  const value: ModelRequest = {
    ...NOT_ASKED,
    model: requiredText(body['model'], 'model', problems),
    messages: [
      ...decodeInstructions(body['instructions'], problems),
      ...decodeInput(body['input'], problems),
    ],
    ...decodeTools(body, problems),
    parallelToolCalls: booleanField(body['parallel_tool_calls'], 'parallel_tool_calls', problems),
    maxOutputTokens: countField(body['max_output_tokens'], 'max_output_tokens', problems),
    temperature: numberField(body['temperature'], 'temperature', problems),
    topP: numberField(body['top_p'], 'top_p', problems),
    topLogprobs: decodeTopLogprobs(body, problems),
    reasoning: decodeReasoningAsk(body['reasoning'], problems),
    stop: [],
    stream: booleanField(body['stream'], 'stream', problems) ?? false,
    includeUsage: true,
    json: decodeFormat(body['text'], problems),
    user: userOf(body, problems),
  }
  return concluded(value, problems)
}

function decodeInstructions(instructions: unknown, problems: Problem[]): readonly Message[] {
  const text = textField(instructions, 'instructions', problems)
  return text === null || text === '' ? [] : [{ role: 'system', parts: [{ kind: 'text', text }] }]
}

function decodeTopLogprobs(body: Record<string, unknown>, problems: Problem[]): number | null {
  const top = numberField(body['top_logprobs'], 'top_logprobs', problems)
  return wantsLogprobs(body) ? (top ?? 0) : null
}

const EFFORTS: ReadonlyMap<unknown, ReasoningAsk['effort']> = new Map([
  ['none', 'none'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'xhigh'],
  // The most that our types know.
  ['max', 'xhigh'],
] as const)

function decodeReasoningAsk(reasoning: unknown, problems: Problem[]): ReasoningAsk | null {
  if (reasoning === undefined || reasoning === null) return null
  if (!isObject(reasoning)) {
    problems.push({ at: 'reasoning', message: 'must be an object' })
    return null
  }
  const said = reasoning['effort'] ?? null
  const effort = EFFORTS.get(said)
  if (said !== null && effort === undefined) {
    problems.push({
      at: 'reasoning.effort',
      message: 'must be none, minimal, low, medium, high, xhigh or max',
    })
  }
  const visible = typeof (reasoning['summary'] ?? reasoning['generate_summary']) === 'string'
  return said === null && !visible ? null : { effort: effort ?? null, budgetTokens: null, visible }
}

function decodeFormat(text: unknown, problems: Problem[]): ModelRequest['json'] {
  if (text === undefined || text === null) return null
  const format = isObject(text) ? (text['format'] ?? { type: 'text' }) : null
  const type = isObject(format) ? format['type'] : null
  if (type === 'text') return null
  if (type === 'json_object') return { name: 'answer', schema: null, strict: false }
  if (!isObject(format) || type !== 'json_schema') {
    problems.push({ at: 'text.format.type', message: 'must be text, json_object or json_schema' })
    return null
  }
  const { schema } = format
  if (!isObject(schema)) problems.push({ at: 'text.format.schema', message: 'must be a JSON Schema object' })
  return {
    name: requiredText(format['name'], 'text.format.name', problems),
    schema: isObject(schema) ? asJsonObject(schema) : {},
    strict: booleanField(format['strict'], 'text.format.strict', problems) ?? false,
  }
}
