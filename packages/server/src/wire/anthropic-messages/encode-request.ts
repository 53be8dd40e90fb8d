// Our types -> a Messages request. Where this format has no word for something that carries meaning, the
// problem names it. Unsigned reasoning, image detail and `strict` are left out (`droppedHints`). Messages of
// one role in a row become one, tool results first, because a result must directly follow its call.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, Part, ToolDefinition } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { asJsonObject, concluded, parseJson } from '../fields.js'
import { isJsonTool, jsonToolChoice, jsonToolFor } from '../json-tool.js'

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  checkLimits(request, problems)
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
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(request.topP === null ? {} : { top_p: request.topP }),
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

function encodeTools(request: ModelRequest, problems: Problem[]): JsonObject {
  const jsonTool = jsonToolFor(request, problems)
  const tools = [...request.tools, ...(jsonTool === null ? [] : [jsonTool])].map(encodeTool)
  if (tools.length === 0) return {}
  const choice = encodeToolChoice(jsonTool === null ? request : jsonToolChoice(request, jsonTool))
  return { tools, ...(choice === null ? {} : { tool_choice: choice }) }
}

function encodeTool(tool: ToolDefinition): JsonObject {
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: { ...tool.parameters, type: 'object' },
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
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))]
}

function encodeParts(parts: readonly Part[], at: string, problems: Problem[]): readonly JsonObject[] {
  return parts.flatMap((part, index) => encodePart(part, `${at}[${index}]`, problems))
}

export function encodePart(part: Part, at: string, problems: Problem[]): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...cacheMark(part.cacheControl) }]
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'image':
      return [encodeImage(part, at, problems)]
    case 'document':
      problems.push({ at, message: 'documents cannot be expressed in the other format' })
      return []
    case 'reasoning':
      return encodeReasoning(part)
    case 'tool-call':
      return [{ type: 'tool_use', id: plainId(part.id), name: part.name, input: inputOf(part, at, problems) }]
    case 'tool-result': {
      const content = encodeParts(part.content, `${at}.content`, problems)
      return [
        {
          type: 'tool_result',
          tool_use_id: plainId(part.callId),
          ...(content.length > 0 ? { content } : {}),
          ...(part.isError ? { is_error: true } : {}),
        },
      ]
    }
  }
}

function cacheMark(mark: JsonObject | undefined): JsonObject {
  return mark === undefined ? {} : { cache_control: mark }
}

const MEDIA_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function encodeImage(part: Extract<Part, { kind: 'image' }>, at: string, problems: Problem[]): JsonObject {
  const { source } = part
  if (source.kind === 'base64' && !MEDIA_TYPES.has(source.mediaType)) {
    problems.push({ at, message: 'must be a JPEG, PNG, GIF or WebP image in the other format' })
  }
  const encoded =
    source.kind === 'url'
      ? { type: 'url', url: source.url }
      : { type: 'base64', media_type: source.mediaType, data: source.data }
  return { type: 'image', source: encoded, ...cacheMark(part.cacheControl) }
}

/**
 * Reasoning without its signature cannot be shown to the model again: leaving it out is what the format asks
 * for.
 */
function encodeReasoning(part: Extract<Part, { kind: 'reasoning' }>): readonly JsonObject[] {
  if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: part.redacted }]
  if (part.signature === undefined) return []
  return [{ type: 'thinking', thinking: part.text, signature: part.signature }]
}

/** Ids here are letters, digits, `_` and `-`; call and result change alike. */
function plainId(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_')
}

function inputOf(part: Extract<Part, { kind: 'tool-call' }>, at: string, problems: Problem[]): JsonObject {
  const input = part.argumentsJson.trim() === '' ? {} : parseJson(part.argumentsJson)
  if (isObject(input)) return asJsonObject(input)
  problems.push({ at: `${at}.arguments`, message: 'must be the JSON text of an object' })
  return {}
}
