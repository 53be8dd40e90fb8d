// Tools, tool choice and structured output of a Converse request. A schema is given in the format's own words
// where the model follows them, else as the arguments of a tool that the model must call (`json-tool.ts`).

import type { JsonObject } from '../../core/json.js'
import type { ModelRequest, ToolChoice, ToolDefinition } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { isJsonTool, jsonToolChoice, jsonToolFor } from '../json-tool.js'
import { traitsOf } from './model-traits.js'
import { NO_TOOL, isNoTool } from './no-tool.js'

export interface EncodedTools {
  /** `toolConfig`, or nothing. */
  readonly toolConfig: JsonObject
  /** `outputConfig.textFormat`, or null. */
  readonly textFormat: JsonObject | null
  /** The model has to call a tool. */
  readonly forced: boolean
}

export function encodeTools(request: ModelRequest, problems: Problem[]): EncodedTools {
  checkTools(request, problems)
  const textFormat = textFormatOf(request)
  const jsonTool = textFormat === null ? jsonToolFor(request, problems) : null
  const { toolChoice } = jsonTool === null ? request : jsonToolChoice(request, jsonTool)
  const own = request.toolChoice?.kind === 'none' ? [] : request.tools
  const tools = jsonTool === null ? own : [...own, jsonTool]
  const forced = tools.length > 0 && (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool')
  if (tools.length === 0 && !hasToolParts(request)) return { toolConfig: {}, textFormat, forced }
  const { schemas } = traitsOf(request.model)
  const given = tools.length === 0 ? [NO_TOOL] : tools
  const choice = tools.length === 0 ? null : encodeToolChoice(toolChoice)
  const toolConfig = {
    tools: given.map((tool) => encodeTool(tool, schemas)),
    ...(choice === null ? {} : { toolChoice: choice }),
  }
  return { toolConfig: { toolConfig }, textFormat, forced }
}

function checkTools({ tools, parallelToolCalls, toolChoice }: ModelRequest, problems: Problem[]): void {
  tools.forEach(({ name }, index) => {
    if (isJsonTool(name) || isNoTool(name)) {
      problems.push({ at: `tools[${index}].name`, message: 'this name is reserved' })
    }
  })
  if (parallelToolCalls === false && tools.length > 0 && toolChoice?.kind !== 'none') {
    const message = 'one call at a time cannot be asked for in the other format; leave it out'
    problems.push({ at: 'parallel_tool_calls', message })
  }
}

/** The API wants every object of the schema closed, as a strict schema is. */
function textFormatOf({ json, model }: ModelRequest): JsonObject | null {
  if (json === null || json.schema === null || !json.strict || !traitsOf(model).schemas) return null
  const jsonSchema = { schema: JSON.stringify(json.schema), name: json.name }
  return { type: 'json_schema', structure: { jsonSchema } }
}

function encodeTool({ name, description, parameters, strict }: ToolDefinition, schemas: boolean): JsonObject {
  return {
    toolSpec: {
      name,
      ...(description === undefined || description === '' ? {} : { description }),
      inputSchema: { json: { ...parameters, type: 'object' } },
      ...(strict === true && schemas ? { strict } : {}),
    },
  }
}

function encodeToolChoice(choice: ToolChoice | null): JsonObject | null {
  switch (choice?.kind) {
    case 'tool':
      return { tool: { name: choice.name } }
    case 'required':
      return { any: {} }
    case 'auto':
      return { auto: {} }
    default:
      return null
  }
}

function hasToolParts({ messages }: ModelRequest): boolean {
  return messages.some(({ parts }) =>
    parts.some(({ kind }) => kind === 'tool-call' || kind === 'tool-result'),
  )
}
