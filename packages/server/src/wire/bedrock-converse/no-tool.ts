// A conversation with tool calls in it must come with a tool, even where none may be called: Converse has no
// word for "none" and refuses the history otherwise. So one stands in that does nothing. A model that calls
// it all the same has called nothing.

import type { ToolDefinition } from '../../core/model/message.js'

export const NO_TOOL: ToolDefinition = {
  name: 'spillway_no_tool',
  description: 'Does nothing. No tool may be called now: answer in words.',
  parameters: { type: 'object', properties: {} },
}

export function isNoTool(name: string): boolean {
  return name === NO_TOOL.name
}
