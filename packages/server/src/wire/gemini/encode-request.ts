// Our types -> a generateContent request. Where this format has no word for something that carries meaning,
// the problem names it; hints are left out (`leavesOut`). Schemas go as JSON Schema, unchanged: both AI
// Studio and Vertex take them beside their older subset of OpenAPI's.

import type { JsonObject } from '../../core/json.js'
import type { ModelRequest, ToolChoice, ToolDefinition } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { isJsonTool, jsonToolFor } from '../json-tool.js'
import { concluded } from '../fields.js'
import { encodeContents, encodeSystem } from './encode-contents.js'
import { isBeforeGemini3 } from './model-generation.js'
import { thinkingConfig } from './thinking.js'

const STOPS_MAX = 5
const TEMPERATURE_MAX = 2
const TOP_LOGPROBS_MAX = 20
const INT32_MAX = 2 ** 31 - 1
const TOOL_NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  checkLimits(request, problems)
  checkTools(request, problems)
  const system = encodeSystem(request.messages, problems)
  const contents = encodeContents(request.messages, request.model, problems)
  checkTurns(contents, problems)
  const { tools, toolChoice, json } = withJsonTool(request, problems)
  const config = generationConfig({ ...request, json })
  const body: JsonObject = {
    ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
    contents,
    ...encodeTools(tools, toolChoice),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  }
  return concluded(body, problems)
}

function checkLimits(request: ModelRequest, problems: Problem[]): void {
  const { stop, temperature, topLogprobs, seed } = request
  if (stop.length > STOPS_MAX) {
    problems.push({ at: 'stop', message: `at most ${STOPS_MAX} can be expressed in the other format` })
  }
  if (temperature !== null && temperature > TEMPERATURE_MAX) {
    problems.push({ at: 'temperature', message: `must be at most ${TEMPERATURE_MAX} in the other format` })
  }
  if (topLogprobs !== null && topLogprobs > TOP_LOGPROBS_MAX) {
    problems.push({ at: 'top_logprobs', message: `must be at most ${TOP_LOGPROBS_MAX} in the other format` })
  }
  if (seed !== null && (!Number.isInteger(seed) || Math.abs(seed) > INT32_MAX)) {
    problems.push({ at: 'seed', message: 'must be a whole number of 32 bits in the other format' })
  }
}

function checkTools(request: ModelRequest, problems: Problem[]): void {
  request.tools.forEach(({ name }, index) => {
    const at = `tools[${index}].name`
    if (isJsonTool(name)) problems.push({ at, message: 'this prefix is reserved' })
    if (TOOL_NAME.test(name)) return
    const message = 'must begin with a letter or _, of letters, digits, _ . : - and at most 128 of them, here'
    problems.push({ at, message })
  })
  // Whoever forbids a second call cannot answer one: that is no hint.
  const mayCall = request.tools.length > 0 && request.toolChoice?.kind !== 'none'
  if (request.parallelToolCalls === false && mayCall) {
    const message = 'the other format cannot keep the model to one call at a time; leave it out'
    problems.push({ at: 'parallel_tool_calls', message })
  }
}

function checkTurns(contents: readonly JsonObject[], problems: Problem[]): void {
  const last = contents.at(-1)
  if (last === undefined) {
    problems.push({ at: 'messages', message: 'must hold something a user or the assistant said' })
  } else if (last['role'] === 'model') {
    const message = 'an answer that is begun for the model cannot be expressed in the other format'
    problems.push({ at: 'messages', message })
  }
}

type Ways = Pick<ModelRequest, 'tools' | 'toolChoice' | 'json'>

/**
 * Before Gemini 3 a model cannot have tools and answer in JSON: one of its tools carries the answer, as in
 * formats without any word for JSON. Where it may call none, it needs none.
 */
function withJsonTool(request: ModelRequest, problems: Problem[]): Ways {
  const { model, tools, toolChoice, json } = request
  if (json === null || tools.length === 0 || !isBeforeGemini3(model)) return request
  if (toolChoice?.kind === 'none') return { tools: [], toolChoice: null, json }
  const answer = jsonToolFor(request, problems)
  if (answer === null) return { tools, toolChoice, json: null }
  return { tools: [...tools, answer], toolChoice: { kind: 'required' }, json: null }
}

function encodeTools(tools: Ways['tools'], toolChoice: Ways['toolChoice']): JsonObject {
  if (tools.length === 0) return {}
  return {
    tools: [{ functionDeclarations: tools.map(encodeTool) }],
    ...(toolChoice === null ? {} : { toolConfig: { functionCallingConfig: encodeToolChoice(toolChoice) } }),
  }
}

function encodeTool({ name, description, parameters }: ToolDefinition): JsonObject {
  return { name, ...(description === undefined ? {} : { description }), parametersJsonSchema: parameters }
}

const MODES = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const

function encodeToolChoice(choice: ToolChoice): JsonObject {
  if (choice.kind === 'tool') return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  return { mode: MODES[choice.kind] }
}

function generationConfig(request: ModelRequest): JsonObject {
  const thinking = thinkingConfig(request.reasoning, request.model)
  return {
    ...present('maxOutputTokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('topP', request.topP),
    ...present('topK', request.topK),
    ...(request.stop.length > 0 ? { stopSequences: request.stop } : {}),
    ...present('seed', request.seed),
    ...present('presencePenalty', request.presencePenalty),
    ...present('frequencyPenalty', request.frequencyPenalty),
    ...encodeLogprobs(request.topLogprobs),
    ...encodeJson(request.json),
    ...(thinking === null ? {} : { thinkingConfig: thinking }),
  }
}

function present(name: string, value: number | null): JsonObject {
  return value === null ? {} : { [name]: value }
}

function encodeLogprobs(top: number | null): JsonObject {
  if (top === null) return {}
  return { responseLogprobs: true, ...(top > 0 ? { logprobs: top } : {}) }
}

function encodeJson(json: ModelRequest['json']): JsonObject {
  if (json === null) return {}
  const schema = json.schema === null ? {} : { responseJsonSchema: json.schema }
  return { responseMimeType: 'application/json', ...schema }
}
