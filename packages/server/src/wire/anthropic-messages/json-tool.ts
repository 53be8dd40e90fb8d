// Structured output where the format has no word for it (`json-format.ts` has what it can say): the model is
// made to call one tool whose arguments follow the schema, and these become the answer's text. The tool is
// named after the schema behind a prefix that callers may not use, so the way back needs no memory of the
// request, streams included. When the caller has tools of its own, the model must call one of them or answer
// through this one.

import type { JsonObject } from '../../core/json.js'
import type { ModelRequest, ToolDefinition } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { usesJsonTool } from './json-format.js'

const PREFIX = 'spillway_json__'
const NAME_CHARS_MAX = 64

export function isJsonTool(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** The tool that carries the answer, or null when none has to. */
export function jsonToolFor(request: ModelRequest, problems: Problem[]): ToolDefinition | null {
  const { json } = request
  if (json === null || !usesJsonTool(request)) return null
  const schema = json.schema ?? { additionalProperties: true }
  const { type } = schema
  if (type !== undefined && type !== 'object') {
    const at = 'response_format.json_schema.schema.type'
    problems.push({ at, message: 'must be `object`: the other format only knows objects' })
  }
  return {
    name: (PREFIX + json.name.replaceAll(/[^A-Za-z0-9_-]/g, '_')).slice(0, NAME_CHARS_MAX),
    description: 'Gives the final answer. Its arguments are the answer.',
    parameters: { ...schema, type: 'object' },
  }
}

export function jsonToolChoice(request: ModelRequest, tool: ToolDefinition): JsonObject {
  const own = request.tools.length > 0 && request.toolChoice?.kind !== 'none'
  if (!own) return { type: 'tool', name: tool.name, disable_parallel_tool_use: true }
  const parallel = request.parallelToolCalls
  return { type: 'any', ...(parallel === null ? {} : { disable_parallel_tool_use: !parallel }) }
}
