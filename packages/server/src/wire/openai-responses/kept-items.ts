// The input of a Responses request as the `shorter_context` rung sees it. A call and its result stay or go
// together, and so do thoughts and what the model wrote after them: the API refuses one without the other.

import type { MessageAction, MessageShape } from '../../core/context/shorten.js'
import type { JsonObject } from '../../core/json.js'
import { textOf } from './decode-items.js'
import { itemsOfRequest } from './history.js'
import { noSize } from '../prompt-size.js'
import { measureItem } from './view.js'

export const responseItems = itemsOfRequest

export function itemShape(item: JsonObject, index: number): MessageShape {
  const size = noSize()
  measureItem(item, size)
  const role = roleOf(item)
  return { index, role, bytes: size.bytes, opensTurn: role === 'user', toolResult: canBeBlanked(item) }
}

function roleOf(item: JsonObject): MessageShape['role'] {
  if (isResult(item)) return 'tool'
  if (item['type'] !== 'message') return 'assistant'
  const { role } = item
  if (role === 'system' || role === 'developer') return 'system'
  return role === 'assistant' ? 'assistant' : 'user'
}

/** The items that stay. `drop` of a result whose call stays only blanks it, with `leftOut`. */
export function itemsKept(
  items: readonly JsonObject[],
  actions: readonly MessageAction[],
  leftOut: string,
): JsonObject[] {
  const chosen = withThoughts(items, actions)
  const known = new Set(items.filter(isCall).map(callIdOf))
  const calls = new Set(items.filter((item, index) => isCall(item) && chosen[index] !== 'drop').map(callIdOf))
  const kept = items.flatMap((item, index) => {
    const action = chosen[index] ?? 'keep'
    if (!isResult(item)) return action === 'drop' ? [] : [item]
    if (known.has(callIdOf(item)) && !calls.has(callIdOf(item))) return []
    return action === 'keep' || !canBeBlanked(item) ? [item] : [{ ...item, output: leftOut }]
  })
  if (kept.length > 0) return kept
  // A request needs an item: the last thing that was asked.
  const asked = items.findLast((item) => roleOf(item) === 'user')
  return asked === undefined ? [...items] : [asked]
}

/** Thoughts do what the item after them does. */
function withThoughts(
  items: readonly JsonObject[],
  actions: readonly MessageAction[],
): readonly MessageAction[] {
  const chosen = items.map((_, index) => actions[index] ?? 'keep')
  for (let index = items.length - 2; index >= 0; index -= 1) {
    if (items[index]?.['type'] === 'reasoning') chosen[index] = chosen[index + 1] ?? 'keep'
  }
  return chosen
}

function isCall(item: JsonObject): boolean {
  return item['call_id'] !== undefined && !isResult(item)
}

function isResult(item: JsonObject): boolean {
  return textOf(item['type']).endsWith('_call_output')
}

/** Results of the provider's own tools are no plain words. */
function canBeBlanked({ type }: JsonObject): boolean {
  return type === 'function_call_output' || type === 'custom_tool_call_output'
}

function callIdOf(item: JsonObject): unknown {
  return item['call_id']
}
