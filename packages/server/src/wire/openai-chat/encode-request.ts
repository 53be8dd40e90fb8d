// Our types -> a chat completion request. Where this format has no word for something that carries meaning,
// the problem names it; hints are left out (`leavesOut`).

import type { JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, Part, ToolChoice } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { concluded } from '../fields.js'
import { encodeDocument } from './files.js'
import { encodeEffort } from './reasoning-effort.js'
import { isStrictJson, isStrictTool } from './strict-schema.js'

const STOPS_MAX = 4

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  if (request.stop.length > STOPS_MAX) {
    problems.push({
      at: 'stop_sequences',
      message: `at most ${STOPS_MAX} can be expressed in the other format`,
    })
  }
  if (request.messages.at(-1)?.role === 'assistant') {
    const at = `messages[${request.messages.length - 1}]`
    problems.push({
      at,
      message: 'an answer that is begun for the model cannot be expressed in the other format',
    })
  }
  if (request.topK !== null)
    problems.push({ at: 'top_k', message: 'cannot be expressed in the other format; leave it out' })
  const body: JsonObject = {
    model: request.model,
    messages: request.messages.flatMap((message, index) =>
      encodeMessage(message, `messages[${index}]`, problems),
    ),
    ...encodeTools(request),
    ...present('max_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...present('seed', request.seed),
    ...present('presence_penalty', request.presencePenalty),
    ...present('frequency_penalty', request.frequencyPenalty),
    ...encodeLogprobsAsk(request.topLogprobs),
    ...present('reasoning_effort', encodeEffort(request)),
    ...(request.stop.length > 0 ? { stop: request.stop } : {}),
    ...(request.json === null ? {} : { response_format: encodeResponseFormat(request.json) }),
    ...present('user', request.user),
    ...(request.stream ? { stream: true } : {}),
    ...(request.stream && request.includeUsage ? { stream_options: { include_usage: true } } : {}),
  }
  return concluded(body, problems)
}

function present(name: string, value: string | number | boolean | null): JsonObject {
  return value === null ? {} : { [name]: value }
}

function encodeLogprobsAsk(top: number | null): JsonObject {
  return top === null ? {} : { logprobs: true, ...(top > 0 ? { top_logprobs: top } : {}) }
}

function encodeTools(request: ModelRequest): JsonObject {
  if (request.tools.length === 0) return {}
  const tools = request.tools.map((tool) => ({
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: tool.parameters,
      ...(tool.strict === undefined ? {} : { strict: isStrictTool(tool) }),
    },
  }))
  return {
    tools,
    ...(request.toolChoice === null ? {} : { tool_choice: encodeToolChoice(request.toolChoice) }),
    ...present('parallel_tool_calls', request.parallelToolCalls),
  }
}

function encodeToolChoice(choice: ToolChoice): string | JsonObject {
  return choice.kind === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.kind
}

function encodeResponseFormat(json: NonNullable<ModelRequest['json']>): JsonObject {
  if (json.schema === null) return { type: 'json_object' }
  return {
    type: 'json_schema',
    json_schema: { name: json.name, schema: json.schema, strict: isStrictJson(json) },
  }
}

function encodeMessage(message: Message, at: string, problems: Problem[]): readonly JsonObject[] {
  if (message.role === 'assistant') return [encodeAssistant(message.parts, `${at}.content`, problems)]
  const [only] = message.parts
  // The usual message, by far.
  if (message.parts.length === 1 && only?.kind === 'text') return [{ role: message.role, content: only.text }]
  const tools: JsonObject[] = []
  const rest: Placed[] = []
  message.parts.forEach((part, index) => {
    const place = `${at}.content[${index}]`
    if (part.kind === 'tool-result') {
      const content = textOnly(part.content, `${place}.content`, problems)
      tools.push({ role: 'tool', tool_call_id: part.callId, content })
    } else rest.push({ part, at: place })
  })
  if (rest.length === 0 && tools.length > 0) return tools
  return [...tools, { role: message.role, content: encodeContent(rest, problems) }]
}

function textOnly(content: readonly Part[], at: string, problems: Problem[]): string | readonly JsonObject[] {
  if (content.some((part) => part.kind !== 'text')) {
    problems.push({ at, message: 'only text can be a tool result in the other format' })
  }
  return encodeContent(
    content.filter((part) => part.kind === 'text').map((part) => ({ part, at })),
    problems,
  )
}

interface Placed {
  readonly part: Part
  readonly at: string
}

function encodeContent(parts: readonly Placed[], problems: Problem[]): string | readonly JsonObject[] {
  const [only] = parts
  if (only === undefined) return ''
  if (parts.length === 1 && only.part.kind === 'text') return only.part.text
  return parts.flatMap(({ part, at }) => {
    if (part.kind === 'text') return [{ type: 'text', text: part.text }]
    if (part.kind === 'document') return [encodeDocument(part, at, problems)]
    return part.kind === 'image' ? [encodeImage(part)] : []
  })
}

function encodeImage({ source, detail }: Extract<Part, { kind: 'image' }>): JsonObject {
  const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
  return { type: 'image_url', image_url: { url, ...(detail === undefined ? {} : { detail }) } }
}

function encodeAssistant(parts: readonly Part[], at: string, problems: Problem[]): JsonObject {
  const texts = parts.filter((part) => part.kind === 'text').map((part) => ({ part, at }))
  const calls = encodeToolCalls(parts)
  const refusal = parts.find((part) => part.kind === 'refusal')
  parts.forEach(({ kind }, index) => {
    if (kind !== 'image' && kind !== 'document') return
    problems.push({ at: `${at}[${index}]`, message: `no ${kind} can be in an answer in the other format` })
  })
  const silent = calls.length > 0 || refusal !== undefined ? null : ''
  return {
    role: 'assistant',
    content: texts.length > 0 ? encodeContent(texts, problems) : silent,
    ...(refusal === undefined ? {} : { refusal: refusal.text }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
}

export function encodeToolCalls(parts: readonly Part[]): readonly JsonObject[] {
  return parts.flatMap((part) =>
    part.kind === 'tool-call'
      ? [{ id: part.id, type: 'function', function: { name: part.name, arguments: part.argumentsJson } }]
      : [],
  )
}
