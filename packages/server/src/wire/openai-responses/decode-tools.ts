// Tools and the choice among them -> our types. A choice that allows some of the tools becomes a request with
// only those: no other format has a word for it.

import { isObject } from '../../core/json.js'
import type { ModelRequest, ToolChoice, ToolDefinition } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { listField, requiredText } from '../fields.js'
import { decodeFunction } from '../openai-chat/tool-choice.js'

export function decodeTools(
  body: Record<string, unknown>,
  problems: Problem[],
): Pick<ModelRequest, 'tools' | 'toolChoice'> {
  const tools = listField(body['tools'], 'tools', problems).map((tool, index) =>
    decodeTool(tool, `tools[${index}]`, problems),
  )
  const choice = body['tool_choice']
  if (isObject(choice) && choice['type'] === 'allowed_tools') return decodeAllowed(choice, tools, problems)
  return { tools, toolChoice: decodeToolChoice(choice, problems) }
}

function decodeTool(tool: unknown, at: string, problems: Problem[]): ToolDefinition {
  if (!isObject(tool) || tool['type'] !== 'function') {
    problems.push({ at: `${at}.type`, message: 'only function tools can be expressed in the other format' })
    return { name: '', parameters: {} }
  }
  return decodeFunction(tool, at, problems)
}

function decodeToolChoice(choice: unknown, problems: Problem[]): ToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice }
  if (isObject(choice) && choice['type'] === 'function') {
    return { kind: 'tool', name: requiredText(choice['name'], 'tool_choice.name', problems) }
  }
  problems.push({
    at: 'tool_choice',
    message: 'only auto, none, required, functions or allowed functions can cross formats',
  })
  return null
}

function decodeAllowed(
  choice: Record<string, unknown>,
  tools: readonly ToolDefinition[],
  problems: Problem[],
): Pick<ModelRequest, 'tools' | 'toolChoice'> {
  const { mode } = choice
  if (mode !== 'auto' && mode !== 'required') {
    problems.push({ at: 'tool_choice.mode', message: 'must be auto or required' })
    return { tools, toolChoice: null }
  }
  const listed = listField(choice['tools'], 'tool_choice.tools', problems)
  const names = new Set<string>()
  for (const [index, entry] of listed.entries()) {
    const name = isObject(entry) && entry['type'] === 'function' ? entry['name'] : null
    if (typeof name === 'string' && tools.some((tool) => tool.name === name)) names.add(name)
    else problems.push({ at: `tool_choice.tools[${index}]`, message: 'must be one of the function tools' })
  }
  if (listed.length === 0) problems.push({ at: 'tool_choice.tools', message: 'must name at least one tool' })
  return { tools: tools.filter(({ name }) => names.has(name)), toolChoice: { kind: mode } }
}
