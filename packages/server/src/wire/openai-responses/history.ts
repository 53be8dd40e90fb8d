// What a conversation that the gateway keeps is made of: the items of a request, the items of its answer, and
// the next request with both put before its own.

import { isObject, type JsonObject } from '../../core/json.js'
import { asJsonObject } from '../fields.js'
import { membersOf, spliceMembers } from '../json-splice.js'
import { asBuffer } from '../sse.js'
import { textOf } from './decode-items.js'
import { OUR_REASONING, isOurReasoning } from './response-object.js'

/** The input of a request, a string as the message it stands for. Not a request: none. */
export function itemsOfRequest(body: unknown): readonly JsonObject[] {
  const input = isObject(body) ? body['input'] : null
  if (typeof input === 'string') return [messageOf([{ type: 'input_text', text: input }])]
  if (!Array.isArray(input)) return []
  return input
    .filter(isObject)
    .map((item) =>
      item['type'] === undefined ? { type: 'message', ...asJsonObject(item) } : asJsonObject(item),
    )
}

/**
 * The output of a whole response as input of the next turn; log probabilities are of no use there. An answer
 * that was cut may end in half a call, which nobody can answer, or in a thought that led to nothing: both are
 * refused as input.
 */
export function itemsOfAnswer(body: unknown): readonly JsonObject[] {
  const output = isObject(body) ? body['output'] : null
  if (!Array.isArray(output)) return []
  const whole = output
    .filter(isObject)
    .filter(({ type, status }) => !(isCall(type) && status === 'incomplete'))
  const last = whole.findLastIndex(({ type }) => type !== 'reasoning')
  return whole.slice(0, last + 1).map((item) => {
    const { content } = item
    return asJsonObject(Array.isArray(content) ? { ...item, content: content.map(withoutLogprobs) } : item)
  })
}

function isCall(type: unknown): boolean {
  return type === 'function_call' || type === 'custom_tool_call'
}

/**
 * The body with `items` before its input and without `previous_response_id`; every other byte stays as it
 * was. Nothing is stored under the items' ids where they go, so messages and calls lose theirs, and reasoning
 * that is not in the item itself is left out.
 */
export function withHistory(body: Uint8Array, items: readonly JsonObject[]): Uint8Array {
  const json = asBuffer(body)
  const members = membersOf(json)
  const input = members.findLast(({ key }) => key === 'input')
  const given = input === undefined ? '[]' : json.toString('utf8', input.valueStart, input.end)
  const before = items.flatMap(sendable).map((item) => JSON.stringify(item))
  const edits = { input: `[${[...before, ...ownItems(given)].join(',')}]`, previous_response_id: null }
  return spliceMembers(json, members, edits)
}

/**
 * The input of a body on its way to OpenAI itself, without what another provider proved its thoughts with:
 * OpenAI refuses what it did not encrypt. null: there is nothing of the kind. `isForeign`: by the thought's
 * id, for those that another account or cloud encrypted.
 */
export function withoutForeignProofs(
  { json, body }: { readonly json: unknown; readonly body: Uint8Array },
  isForeign?: (id: string) => boolean,
): readonly JsonObject[] | null {
  const bytes = asBuffer(body)
  const isSuspect = isForeign !== undefined || bytes.includes(OUR_REASONING)
  // On the way of every call: nearly all bodies are done here.
  if (!isSuspect && !bytes.includes('"thought_signature"')) return null
  const items = itemsOfRequest(json)
  const own = items.filter(({ type, id }) => {
    return type !== 'reasoning' || !(isOurReasoning(textOf(id)) || isForeign?.(textOf(id)) === true)
  })
  const signed = own.some((item) => item['thought_signature'] !== undefined)
  if (own.length === items.length && !signed) return null
  return own.map(({ thought_signature: _signature, ...item }) => item)
}

/** JSON text of the request's own items. */
function ownItems(given: string): readonly string[] {
  if (given.startsWith('"')) {
    return [`{"type":"message","role":"user","content":[{"type":"input_text","text":${given}}]}`]
  }
  const inside = given.startsWith('[') ? given.slice(1, -1).trim() : ''
  return inside === '' ? [] : [inside]
}

/** Items that nothing refers to by their id. Those of the provider's own tools are known by theirs. */
const NAMELESS = new Set([
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
])

function sendable(item: JsonObject): readonly JsonObject[] {
  if (item['type'] === 'reasoning') return typeof item['encrypted_content'] === 'string' ? [item] : []
  if (!NAMELESS.has(textOf(item['type']))) return [item]
  const { id: _id, status: _status, ...rest } = item
  return [rest]
}

function messageOf(content: readonly JsonObject[]): JsonObject {
  return { type: 'message', role: 'user', content }
}

function withoutLogprobs(part: unknown): unknown {
  if (!isObject(part) || part['logprobs'] === undefined) return part
  const { logprobs: _logprobs, ...rest } = part
  return rest
}
