// The input of a Responses request -> our messages. What the model wrote in one turn (thoughts, words, calls)
// are several items here and one message there; results in a row answer one turn. Items of tools that the
// provider runs, and whatever only names what the provider stores, have no equal elsewhere.

import { isObject } from '../../core/json.js'
import type { Message, Part } from '../../core/model/message.js'
import type { Problem } from '../../core/parsed.js'
import { contentPlaces } from '../caller-place.js'
import { requiredText } from '../fields.js'
import { decodeContent } from './decode-content.js'
import { decodeOutputItem } from './decode-items.js'

type Turn = 'said' | 'wrote' | 'results'

interface Decoded {
  readonly turn: Turn
  readonly role: Message['role']
  readonly parts: readonly Part[]
}

export function decodeInput(input: unknown, problems: Problem[]): readonly Message[] {
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }]
  if (!Array.isArray(input) || input.length === 0) {
    problems.push({ at: 'input', message: 'must be a string or a list of at least one item' })
    return []
  }
  return turnsOf(input, problems).map(({ role, parts }) => ({ role, parts }))
}

/** Of each message that `decodeInput` makes, where each of its parts stands. */
export function placesOfInput(input: unknown): readonly (readonly string[])[] {
  return Array.isArray(input) ? turnsOf(input, []).map(({ places }) => places) : [['input']]
}

interface DecodedTurn {
  readonly role: Message['role']
  readonly parts: Part[]
  readonly places: string[]
}

function turnsOf(input: readonly unknown[], problems: Problem[]): readonly DecodedTurn[] {
  const turns: DecodedTurn[] = []
  let before: Turn = 'said'
  for (const [index, item] of input.entries()) {
    const at = `input[${index}]`
    const { turn, role, parts } = decodeItem(item, at, problems)
    const places = turn === 'said' ? contentPlaces(contentOf(item), `${at}.content`) : parts.map(() => at)
    const last = turns.at(-1)
    if (turn === 'wrote' && parts.length === 0) continue
    if (turn === before && turn !== 'said' && last !== undefined) {
      last.parts.push(...parts)
      last.places.push(...places)
    } else turns.push({ role, parts: [...parts], places: [...places] })
    before = turn
  }
  return turns
}

function contentOf(item: unknown): unknown {
  return isObject(item) ? item['content'] : null
}

function decodeItem(item: unknown, at: string, problems: Problem[]): Decoded {
  if (isObject(item)) {
    const { type = 'message', role } = item
    if (type === 'message' && role !== 'assistant') return decodeSaidToModel(item, at, problems)
    if (type === 'function_call_output') {
      return { turn: 'results', role: 'user', parts: [decodeResult(item, at, problems)] }
    }
    checkCall(item, at, problems)
    const parts = decodeOutputItem(item)
    if (parts !== null) return { turn: 'wrote', role: 'assistant', parts }
    if (type === 'message') {
      problems.push({ at: `${at}.content`, message: 'must be a string or a list of text and refusals' })
      return { turn: 'wrote', role: 'assistant', parts: [] }
    }
  }
  problems.push({ at: `${at}.type`, message: 'this kind of item cannot be expressed in the other format' })
  return { turn: 'said', role: 'user', parts: [] }
}

const ROLES: ReadonlyMap<unknown, Message['role']> = new Map([
  ['user', 'user'],
  ['system', 'system'],
  ['developer', 'system'],
] as const)

function decodeSaidToModel(item: Record<string, unknown>, at: string, problems: Problem[]): Decoded {
  const role = ROLES.get(item['role'])
  if (role === undefined) {
    problems.push({ at: `${at}.role`, message: 'must be user, assistant, system or developer' })
  }
  const parts = decodeContent(item['content'], `${at}.content`, problems)
  return { turn: 'said', role: role ?? 'user', parts }
}

function checkCall(item: Record<string, unknown>, at: string, problems: Problem[]): void {
  if (item['type'] !== 'function_call') return
  requiredText(item['call_id'], `${at}.call_id`, problems)
  requiredText(item['name'], `${at}.name`, problems)
}

function decodeResult(item: Record<string, unknown>, at: string, problems: Problem[]): Part {
  return {
    kind: 'tool-result',
    callId: requiredText(item['call_id'], `${at}.call_id`, problems),
    content: decodeContent(item['output'], `${at}.output`, problems),
    isError: false,
  }
}
