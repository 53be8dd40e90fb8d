// A Gemini model's side of the conversation, for tests and fake servers: a generateContent request -> our
// types, as strict as the API about what we send.

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
import { type Parsed, type Problem, invalid } from '../core/parsed.js'
import { markSignature } from '../wire/gemini/signature.js'
import { asJsonObject, concluded, listField, requiredText, textField } from '../wire/fields.js'

interface Address {
  readonly model: string
  readonly stream: boolean
}

type Fields = Readonly<Record<string, unknown>>

const TOP_LEVEL = new Set(['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig'])

export function decodeGeminiRequest(body: unknown, { model, stream }: Address): Parsed<ModelRequest> {
  if (!isObject(body)) return invalid('', 'must be an object')
  const problems: Problem[] = []
  for (const name of Object.keys(body)) {
    if (!TOP_LEVEL.has(name)) problems.push({ at: name, message: 'Unknown name' })
  }
  const config = objectOf(body['generationConfig'])
  const tools = listField(body['tools'], 'tools', problems).flatMap((tool) =>
    listField(objectOf(tool)['functionDeclarations'], 'tools', problems),
  )
  const stops = listField(config['stopSequences'], 'stopSequences', problems)
  const value: ModelRequest = {
    ...NOT_ASKED,
    model,
    messages: [...decodeSystem(body['systemInstruction']), ...decodeContents(body['contents'], problems)],
    tools: tools.map((tool) => decodeTool(objectOf(tool), problems)),
    toolChoice: decodeToolChoice(body['toolConfig']),
    parallelToolCalls: null,
    maxOutputTokens: numberOf(config['maxOutputTokens']),
    temperature: numberOf(config['temperature']),
    topP: numberOf(config['topP']),
    topK: numberOf(config['topK']),
    seed: numberOf(config['seed']),
    presencePenalty: numberOf(config['presencePenalty']),
    frequencyPenalty: numberOf(config['frequencyPenalty']),
    topLogprobs: config['responseLogprobs'] === true ? (numberOf(config['logprobs']) ?? 0) : null,
    reasoning: decodeThinking(config['thinkingConfig']),
    stop: stops.map(String),
    stream,
    includeUsage: true,
    json: decodeJson(config),
    user: null,
  }
  return concluded(value, problems)
}

function decodeSystem(instruction: unknown): readonly Message[] {
  const parts = partsOf(instruction).map((part): Part => ({ kind: 'text', text: String(part['text']) }))
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

function decodeContents(contents: unknown, problems: Problem[]): readonly Message[] {
  const turns = listField(contents, 'contents', problems).map(objectOf)
  return turns.map((turn, index): Message => {
    const at = `contents[${index}]`
    const { role } = turn
    const expected = turns[index - 1]?.['role'] === 'user' ? 'model' : 'user'
    if (index > 0 && role !== expected) problems.push({ at: `${at}.role`, message: `must be ${expected}` })
    const parts = partsOf(turn).flatMap((part) => decodePart(part, at, problems))
    if (parts.length === 0) problems.push({ at: `${at}.parts`, message: 'must not be empty' })
    return { role: role === 'model' ? 'assistant' : 'user', parts }
  })
}

function decodePart(part: Fields, at: string, problems: Problem[]): readonly Part[] {
  const signature = textField(part['thoughtSignature'], at, problems)
  const signed = signature === null ? {} : { signature: markSignature(signature) }
  const call = part['functionCall']
  if (isObject(call)) {
    const argumentsJson = JSON.stringify(call['args'])
    const name = requiredText(call['name'], at, problems)
    return [{ kind: 'tool-call', id: requiredText(call['id'], at, problems), name, argumentsJson, ...signed }]
  }
  if (isObject(part['functionResponse'])) return [decodeResult(part['functionResponse'], at, problems)]
  if (isObject(part['inlineData']) || isObject(part['fileData'])) return [decodeMedia(part)]
  const { text } = part
  if (typeof text !== 'string') {
    problems.push({ at, message: 'must have one of the known fields' })
    return []
  }
  if (part['thought'] === true || text === '') return [{ kind: 'reasoning', text, ...signed }]
  return [{ kind: 'text', text }]
}

function decodeResult(result: Fields, at: string, problems: Problem[]): Part {
  const response = objectOf(result['response'])
  requiredText(result['name'], at, problems)
  const text = String(response['error'] ?? response['output'])
  return {
    kind: 'tool-result',
    callId: requiredText(result['id'], at, problems),
    content: [
      ...(text === '' ? [] : [{ kind: 'text', text } as const]),
      ...listOf(result['parts']).map(decodeMedia),
    ],
    isError: response['error'] !== undefined,
  }
}

function decodeMedia(part: Fields): Part {
  const data = objectOf(part['inlineData'])
  const file = objectOf(part['fileData'])
  const mediaType = String(data['mimeType'] ?? file['mimeType'])
  const kind = mediaType.startsWith('image/') ? 'image' : 'document'
  const { fileUri: url } = file
  return typeof url === 'string'
    ? { kind, source: { kind: 'url', url } }
    : { kind, source: { kind: 'base64', mediaType, data: String(data['data']) } }
}

function decodeTool(tool: Fields, problems: Problem[]): ToolDefinition {
  const description = textField(tool['description'], 'tools', problems)
  return {
    name: requiredText(tool['name'], 'tools', problems),
    parameters: schemaOf(tool['parametersJsonSchema']),
    ...(description === null ? {} : { description }),
  }
}

function decodeToolChoice(config: unknown): ToolChoice | null {
  const { mode, allowedFunctionNames: names } = objectOf(objectOf(config)['functionCallingConfig'])
  if (mode === 'AUTO') return { kind: 'auto' }
  if (mode === 'NONE') return { kind: 'none' }
  if (mode !== 'ANY') return null
  return Array.isArray(names) ? { kind: 'tool', name: String(names[0]) } : { kind: 'required' }
}

const EFFORTS: Readonly<Record<string, ReasoningAsk['effort']>> = {
  MINIMAL: 'minimal',
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
}

function decodeThinking(config: unknown): ReasoningAsk | null {
  if (!isObject(config)) return null
  const level = config['thinkingLevel']
  const effort = typeof level === 'string' ? (EFFORTS[level] ?? null) : null
  return {
    effort,
    budgetTokens: numberOf(config['thinkingBudget']),
    visible: config['includeThoughts'] === true,
  }
}

function decodeJson(config: Fields): ModelRequest['json'] {
  if (config['responseMimeType'] !== 'application/json') return null
  const schema = config['responseJsonSchema']
  return { name: 'answer', schema: isObject(schema) ? schemaOf(schema) : null, strict: true }
}

function schemaOf(schema: unknown): JsonObject {
  return isObject(schema) ? asJsonObject(schema) : {}
}

function partsOf(content: unknown): readonly Fields[] {
  return listOf(objectOf(content)['parts'])
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

function objectOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
