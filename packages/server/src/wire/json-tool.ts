// Structured output where the format has no word for it: the model is made to call one tool whose arguments
// follow the schema, and the call's arguments become the answer's text. The tool is named after the schema
// behind a prefix that callers may not use, so the way back needs no memory of the request, streams included.
// When the caller has tools of its own, the model must call one of them or answer through this one.

import type { ModelRequest, ToolDefinition } from '../core/model/message.js'
import type { Problem } from '../core/parsed.js'

const PREFIX = 'spillway_json__'
const NAME_CHARS_MAX = 64

export function isJsonTool(name: string): boolean {
  return name.startsWith(PREFIX)
}

/**
 * The tool that carries the answer, or null when the request does not ask for JSON (or demands another
 * tool).
 */
export function jsonToolFor({ json, toolChoice }: ModelRequest, problems: Problem[]): ToolDefinition | null {
  if (json === null || toolChoice?.kind === 'tool' || toolChoice?.kind === 'required') return null
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

/** Makes the model answer through `tool`, or, when it may call the caller's own, call one of them. */
export function jsonToolChoice(
  request: ModelRequest,
  tool: ToolDefinition,
): Pick<ModelRequest, 'toolChoice' | 'parallelToolCalls'> {
  const own = request.tools.length > 0 && request.toolChoice?.kind !== 'none'
  if (!own) return { toolChoice: { kind: 'tool', name: tool.name }, parallelToolCalls: false }
  return { toolChoice: { kind: 'required' }, parallelToolCalls: request.parallelToolCalls }
}
