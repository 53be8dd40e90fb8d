// What a model reads, put together in one order for both formats, so that the same conversation gets the same answer
// and the same count of tokens whichever way it came.

import type { JsonObject } from '../../../core/json.js'
import type { SimTool } from './sim-request.js'
import { countInputTokens, utf8Bytes } from './tokens.js'

/** A message, reduced to what the simulator looks at. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
  readonly images: number
}

export interface Prompt {
  readonly turns: readonly Turn[]
  readonly tools: readonly SimTool[]
  readonly schema: JsonObject | null
}

export interface PromptFacts {
  readonly promptText: string
  readonly inputTokens: number
  readonly lastUserText: string
  readonly afterToolResult: boolean
  readonly endsWithUser: boolean
}

export function readPrompt(prompt: Prompt): PromptFacts {
  const pieces = prompt.turns.map((turn) => turn.text)
  for (const tool of prompt.tools) pieces.push(tool.name, JSON.stringify(tool.schema))
  if (prompt.schema !== null) pieces.push(JSON.stringify(prompt.schema))
  const images = prompt.turns.reduce((sum, turn) => sum + turn.images, 0)
  const textBytes = pieces.reduce((sum, piece) => sum + utf8Bytes(piece), 0)
  const last = prompt.turns.at(-1)
  return {
    promptText: pieces.join('\n'),
    inputTokens: countInputTokens({ textBytes, images }),
    lastUserText: prompt.turns.findLast((turn) => turn.role === 'user')?.text ?? '',
    afterToolResult: last?.role === 'tool',
    endsWithUser: last?.role === 'user',
  }
}
