// Whether the simulated model calls tools, which, and with what arguments.

import { makeJson } from './make-json.js'
import { type Dice, chance, diceOf } from './seeded.js'
import type { SimOptions, SimToolCall } from './sim-answer.js'
import type { SimRequest, SimTool } from './sim-request.js'
import { tokenize } from './tokens.js'
import { keywordsOf } from './write-text.js'

const TOOL_SHARE = 0.5
const PARALLEL_SHARE = 0.25

/** Never after a tool's result: it answers then, or a task would go round for ever. */
export function choosesTools(request: SimRequest, options: SimOptions, question: string): boolean {
  if (request.afterToolResult || request.tools.length === 0 || request.toolChoice.kind === 'none')
    return false
  if (options.directives.text !== null) return false
  if (options.directives.tool !== null) return toolNamed(request, options.directives.tool) !== undefined
  if (request.toolChoice.kind !== 'auto') return true
  return request.endsWithUser && chance(`tools\n${question}`, options.seed) < TOOL_SHARE
}

export function callTools(
  request: SimRequest,
  options: SimOptions,
  saying: { readonly question: string; readonly confidence: number },
): SimToolCall[] {
  const dice = diceOf(`calls\n${saying.question}`, options.seed)
  return chooseTools(request, options, dice).map((tool, index) => {
    const confidence = Math.round(saying.confidence * 1e4) / 1e4
    const made = makeJson({ dice, keywords: keywordsOf(request.lastUserText), confidence, root: tool.schema })
    // A tool without a schema takes no arguments: an empty object, never a bare value.
    const value = typeof made === 'object' && made !== null ? made : {}
    return {
      id: `${saying.question}\n${options.seed}\n${index}`,
      name: tool.name,
      pieces: tokenize(JSON.stringify(value)),
    }
  })
}

function chooseTools(request: SimRequest, options: SimOptions, dice: Dice): SimTool[] {
  const { toolChoice, tools } = request
  const named = options.directives.tool ?? (toolChoice.kind === 'tool' ? toolChoice.name : null)
  if (named !== null) return [toolNamed(request, named) ?? { name: named, schema: {} }]
  const first = dice.between(0, tools.length - 1)
  const parallel = request.parallelToolCalls && dice.next() < PARALLEL_SHARE
  // The second of two parallel calls goes to the next tool, or to the same one when there is no other.
  const indexes = parallel ? [first, (first + 1) % tools.length] : [first]
  return indexes.flatMap((index) => tools[index] ?? [])
}

function toolNamed(request: SimRequest, name: string): SimTool | undefined {
  return request.tools.find((tool) => tool.name === name)
}
