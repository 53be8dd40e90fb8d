// A Converse request -> our types: what a fake server was asked, and round trips.

import { isObject, type JsonObject } from '../core/json.js'
import {
  type Message,
  type ModelRequest,
  NOT_ASKED,
  type Part,
  type ReasoningAsk,
  type ToolChoice,
  type ToolDefinition,
} from '../core/model/message.js'
import { decodeReasoning } from '../wire/bedrock-converse/answer.js'
import { asJsonObject, parseJson, textOf } from '../wire/fields.js'
import { isJsonTool } from '../wire/json-tool.js'

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const objectsOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** `model` and `stream` are in the address. */
export function decodeConverseRequest(
  body: unknown,
  address: { readonly model: string; readonly stream: boolean },
): ModelRequest {
  const fields = fieldsOf(body)
  const limits = fieldsOf(fields['inferenceConfig'])
  const more = fieldsOf(fields['additionalModelRequestFields'])
  const output = fieldsOf(fields['outputConfig'])
  const config = fieldsOf(fields['toolConfig'])
  const tools = objectsOf(config['tools']).map(({ toolSpec }) => decodeTool(fieldsOf(toolSpec)))
  const jsonTool = tools.find(({ name }) => isJsonTool(name))
  const system = decodeContent(fields['system'])
  return {
    ...NOT_ASKED,
    ...address,
    messages: [
      ...(system.length > 0 ? [{ role: 'system', parts: system } as const] : []),
      ...objectsOf(fields['messages']).map(decodeMessage),
    ],
    tools: tools.filter((tool) => tool !== jsonTool),
    toolChoice: jsonTool === undefined ? decodeToolChoice(fieldsOf(config['toolChoice'])) : null,
    parallelToolCalls: null,
    maxOutputTokens: numberOf(limits['maxTokens']),
    temperature: numberOf(limits['temperature']),
    topP: numberOf(limits['topP']),
    topK: numberOf(more['top_k']) ?? numberOf(fieldsOf(more['inferenceConfig'])['topK']),
    reasoning: decodeThinking(more['thinking'], output['effort']),
    stop: Array.isArray(limits['stopSequences']) ? limits['stopSequences'].map(textOf) : [],
    includeUsage: true,
    json: decodeJson(output['textFormat'], jsonTool),
    user: null,
  }
}

function decodeMessage({ role, content }: Fields): Message {
  return { role: role === 'assistant' ? 'assistant' : 'user', parts: decodeContent(content) }
}

function decodeContent(content: unknown): readonly Part[] {
  const parts: Part[] = []
  for (const block of objectsOf(content)) {
    const point = block['cachePoint']
    const last = parts.at(-1)
    if (isObject(point) && last !== undefined && last.kind !== 'reasoning' && last.kind !== 'refusal') {
      const ttl = point['ttl'] === undefined ? {} : { ttl: textOf(point['ttl']) }
      parts[parts.length - 1] = { ...last, cacheControl: { type: 'ephemeral', ...ttl } }
    } else parts.push(...decodeBlock(block))
  }
  return parts
}

function decodeBlock(block: Fields): readonly Part[] {
  const { text, image, document, toolUse, toolResult, reasoningContent } = block
  if (typeof text === 'string') return [{ kind: 'text', text }]
  if (isObject(image)) {
    const data = textOf(fieldsOf(image['source'])['bytes'])
    return [
      { kind: 'image', source: { kind: 'base64', mediaType: `image/${textOf(image['format'])}`, data } },
    ]
  }
  if (isObject(document)) return [decodeDocument(document)]
  if (isObject(toolUse)) {
    const { toolUseId, name, input } = toolUse
    return [
      { kind: 'tool-call', id: textOf(toolUseId), name: textOf(name), argumentsJson: JSON.stringify(input) },
    ]
  }
  if (!isObject(toolResult)) return isObject(reasoningContent) ? decodeReasoning(reasoningContent) : []
  const { toolUseId, content, status } = toolResult
  const isError = status === 'error'
  return [{ kind: 'tool-result', callId: textOf(toolUseId), content: decodeContent(content), isError }]
}

function decodeDocument({ format, name, source, citations }: Fields): Part {
  const { text, bytes } = fieldsOf(source)
  const mediaType = format === 'pdf' ? 'application/pdf' : `text/${textOf(format)}`
  return {
    kind: 'document',
    title: textOf(name),
    source:
      typeof text === 'string' ? { kind: 'text', text } : { kind: 'base64', mediaType, data: textOf(bytes) },
    ...(fieldsOf(citations)['enabled'] === true ? { cite: true } : {}),
  }
}

function decodeTool({ name, description, inputSchema, strict }: Fields): ToolDefinition {
  return {
    name: textOf(name),
    parameters: asJsonObject({ ...fieldsOf(fieldsOf(inputSchema)['json']) }),
    ...(typeof description === 'string' ? { description } : {}),
    ...(strict === true ? { strict } : {}),
  }
}

function decodeToolChoice({ auto, any, tool }: Fields): ToolChoice | null {
  if (isObject(auto)) return { kind: 'auto' }
  if (isObject(any)) return { kind: 'required' }
  return isObject(tool) ? { kind: 'tool', name: textOf(tool['name']) } : null
}

function decodeThinking(thinking: unknown, effort: unknown): ReasoningAsk | null {
  if (!isObject(thinking)) return null
  const said = effort === 'low' || effort === 'medium' || effort === 'high' ? effort : null
  return { effort: said, budgetTokens: numberOf(thinking['budget_tokens']), visible: true }
}

function decodeJson(format: unknown, tool: ToolDefinition | undefined): ModelRequest['json'] {
  if (tool !== undefined) {
    return { name: tool.name.slice(tool.name.indexOf('__') + 2), schema: tool.parameters, strict: false }
  }
  const { schema, name } = fieldsOf(fieldsOf(fieldsOf(format)['structure'])['jsonSchema'])
  if (typeof schema !== 'string') return null
  return { name: textOf(name), schema: parseJson(schema) as JsonObject, strict: true }
}
