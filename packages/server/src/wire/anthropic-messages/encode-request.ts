// Our types -> a Messages request. Where this format has no word for something that carries meaning, the
// problem names it; hints are left out (`leavesOut`). Messages of one role in a row become one, tool results
// first, because a result must directly follow its call.

import type { JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, ToolDefinition } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { concluded } from '../fields.js'
import { isJsonTool, jsonToolChoice, jsonToolFor } from '../json-tool.js'
import { cacheMark, encodeParts } from './encode-content.js'
import { isStrictTool, jsonFormat, usesJsonTool } from './json-format.js'
import { sayReasoning } from './thinking.js'

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  checkLimits(request, problems)
  refuseUnsayable(request, problems)
  const system = request.messages
    .filter((message) => message.role === 'system')
    .flatMap((message) => message.parts)
  const messages = encodeMessages(request.messages, problems)
  if (messages.length === 0)
    problems.push({ at: 'messages', message: 'must hold something a user or the assistant said' })
  const body: JsonObject = {
    model: request.model,
    max_tokens: request.maxOutputTokens ?? 0,
    ...(system.length > 0 ? { system: encodeParts(system, 'system', problems) } : {}),
    messages,
    ...encodeTools(request, problems),
    ...encodeOutput(request),
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(request.topP === null ? {} : { top_p: request.topP }),
    ...(request.topK === null ? {} : { top_k: request.topK }),
    ...(request.stop.length > 0 ? { stop_sequences: request.stop } : {}),
    ...(request.user === null ? {} : { metadata: { user_id: request.user } }),
    ...(request.stream ? { stream: true } : {}),
  }
  return concluded(body, problems)
}

function checkLimits(request: ModelRequest, problems: Problem[]): void {
  if (request.maxOutputTokens === null) {
    problems.push({ at: 'max_tokens', message: 'the other format needs a limit; set one' })
  }
  if (request.temperature !== null && request.temperature > 1) {
    problems.push({ at: 'temperature', message: 'must be at most 1 in the other format' })
  }
  if (request.stop.some((stop) => stop.trim() === '')) {
    problems.push({
      at: 'stop',
      message: 'a stop sequence of white space cannot be expressed in the other format',
    })
  }
  request.tools.forEach((tool, index) => {
    if (isJsonTool(tool.name))
      problems.push({ at: `tools[${index}].name`, message: 'this prefix is reserved' })
  })
}

/** What changes the answer's distribution, or is part of it, is no hint. */
function refuseUnsayable(request: ModelRequest, problems: Problem[]): void {
  const asked = {
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    logprobs: request.topLogprobs,
  }
  for (const [at, value] of Object.entries(asked)) {
    if (value !== null)
      problems.push({ at, message: 'cannot be expressed in the other format; leave it out' })
  }
}

function encodeOutput(request: ModelRequest): JsonObject {
  const { thinking, effort } = sayReasoning(request)
  const format = jsonFormat(request)
  const config = { ...(effort === null ? {} : { effort }), ...(format === null ? {} : { format }) }
  return {
    ...(thinking === null ? {} : { thinking }),
    ...(effort === null && format === null ? {} : { output_config: config }),
  }
}

function encodeTools(request: ModelRequest, problems: Problem[]): JsonObject {
  const jsonTool = usesJsonTool(request) ? jsonToolFor(request, problems) : null
  const tools = [...request.tools, ...(jsonTool === null ? [] : [jsonTool])].map((tool) =>
    encodeTool(tool, request.model),
  )
  if (tools.length === 0) return {}
  const choice = encodeToolChoice(jsonTool === null ? request : jsonToolChoice(request, jsonTool))
  return { tools, ...(choice === null ? {} : { tool_choice: choice }) }
}

function encodeTool(tool: ToolDefinition, model: string): JsonObject {
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: { ...tool.parameters, type: 'object' },
    ...(isStrictTool(tool, model) ? { strict: true } : {}),
    ...cacheMark(tool.cacheControl),
  }
}

const CHOICES = { auto: 'auto', none: 'none', required: 'any' } as const

function encodeToolChoice({
  toolChoice,
  parallelToolCalls,
}: Pick<ModelRequest, 'toolChoice' | 'parallelToolCalls'>): JsonObject | null {
  if (toolChoice?.kind === 'none') return { type: 'none' }
  if (toolChoice === null && parallelToolCalls === null) return null
  const parallel = parallelToolCalls === null ? {} : { disable_parallel_tool_use: !parallelToolCalls }
  if (toolChoice?.kind === 'tool') return { type: 'tool', name: toolChoice.name, ...parallel }
  return { type: CHOICES[toolChoice?.kind ?? 'auto'], ...parallel }
}

function encodeMessages(messages: readonly Message[], problems: Problem[]): readonly JsonObject[] {
  const turns: { role: Message['role']; content: JsonObject[] }[] = []
  messages.forEach((message, index) => {
    if (message.role === 'system') return
    const content = encodeParts(message.parts, `messages[${index}].content`, problems)
    // Content may not be empty here; a message that says nothing is left out.
    if (content.length === 0) return
    const last = turns.at(-1)
    if (last?.role === message.role) last.content.push(...content)
    else turns.push({ role: message.role, content: [...content] })
  })
  return turns.map(({ role, content }) => ({
    role,
    content: role === 'user' ? resultsFirst(content) : content,
  }))
}

function resultsFirst(content: readonly JsonObject[]): readonly JsonObject[] {
  const isResult = (block: JsonObject): boolean => block['type'] === 'tool_result'
  if (!content.some(isResult)) return content
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))]
}
