// `tools` and `tool_choice` of a chat completion request -> ours. A choice of allowed tools is a request that
// has only these: it exists to keep the list of all in a cache.

import { isObject } from '../../core/json.js'
import type { ToolChoice, ToolDefinition } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { asJsonObject, booleanField, listField, requiredText, textField } from '../fields.js'

export interface Tools {
  readonly tools: readonly ToolDefinition[]
  readonly toolChoice: ToolChoice | null
}

export function decodeToolsAndChoice(body: Record<string, unknown>, problems: Problem[]): Tools {
  const tools = decodeTools(body['tools'], problems)
  const choice = body['tool_choice']
  const allowed = isObject(choice) && choice['type'] === 'allowed_tools' ? choice['allowed_tools'] : null
  if (!isObject(allowed)) return { tools, toolChoice: decodeToolChoice(choice, problems) }
  const { mode, tools: listed } = allowed
  const names = Array.isArray(listed) ? listed.map(nameOf) : []
  const known = names.every((name) => tools.some((tool) => tool.name === name))
  if ((mode === 'auto' || mode === 'required') && names.length > 0 && known) {
    return { tools: tools.filter((tool) => names.includes(tool.name)), toolChoice: { kind: mode } }
  }
  problems.push({ at: 'tool_choice', message: 'allowed_tools must have a mode, and functions of `tools`' })
  return { tools, toolChoice: null }
}

function nameOf(tool: unknown): unknown {
  return isObject(tool) && isObject(tool['function']) ? tool['function']['name'] : null
}

function decodeTools(tools: unknown, problems: Problem[]): readonly ToolDefinition[] {
  return listField(tools, 'tools', problems).map((tool, index) => {
    const at = `tools[${index}]`
    const definition = isObject(tool) && tool['type'] === 'function' ? tool['function'] : null
    if (isObject(definition)) return decodeFunction(definition, `${at}.function`, problems)
    problems.push({ at: `${at}.type`, message: 'only function tools can be expressed in the other format' })
    return { name: '', parameters: {} }
  })
}

/** Of chat completions and of responses: the latter have its members one level up. */
export function decodeFunction(
  definition: Record<string, unknown>,
  at: string,
  problems: Problem[],
): ToolDefinition {
  const description = textField(definition['description'], `${at}.description`, problems)
  const strict = booleanField(definition['strict'], `${at}.strict`, problems)
  const { parameters } = definition
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    problems.push({ at: `${at}.parameters`, message: 'must be a JSON Schema object' })
  }
  return {
    name: requiredText(definition['name'], `${at}.name`, problems),
    parameters: isObject(parameters) ? asJsonObject(parameters) : { type: 'object', properties: {} },
    ...(description === null ? {} : { description }),
    ...(strict === null ? {} : { strict }),
  }
}

function decodeToolChoice(choice: unknown, problems: Problem[]): ToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice }
  if (isObject(choice) && choice['type'] === 'function' && isObject(choice['function'])) {
    return {
      kind: 'tool',
      name: requiredText(choice['function']['name'], 'tool_choice.function.name', problems),
    }
  }
  problems.push({ at: 'tool_choice', message: 'only auto, none, required or one function can cross formats' })
  return null
}
