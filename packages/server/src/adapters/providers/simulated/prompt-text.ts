// What a model reads, put together in one order for both formats, so that the same conversation gets the same
// answer and the same count of tokens whichever way it came.

import type { JsonObject } from '../../../core/json.js'
import type { SimTool } from './sim-request.js'
import { hexName } from './seeded.js'
import { countInputTokens, utf8Bytes } from './tokens.js'

/** Digits of a digest: 64 bits are enough to tell prompts apart, and short enough to hash again and again. */
export const DIGEST_LENGTH = 16

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
  readonly digest: string
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
    digest: hexName(pieces.join('\n'), DIGEST_LENGTH),
    inputTokens: countInputTokens({ textBytes, images }),
    lastUserText: prompt.turns.findLast((turn) => turn.role === 'user')?.text ?? '',
    afterToolResult: last?.role === 'tool',
    endsWithUser: last?.role === 'user',
  }
}
