// Finds the places in a foreign body that hold something: for telling what a request loses when it crosses
// formats.

import { isObject } from '../core/json.js'
import type { Message, Part } from '../core/model/message.js'

export function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

export function fieldsPresent(object: Record<string, unknown>, names: Iterable<string>, at = ''): string[] {
  const found: string[] = []
  for (const name of names) if (present(object[name])) found.push(at + name)
  return found
}

export function objectsOf(list: unknown): readonly (readonly [Record<string, unknown>, number])[] {
  const found: (readonly [Record<string, unknown>, number])[] = []
  if (Array.isArray(list)) {
    list.forEach((item: unknown, index) => {
      if (isObject(item)) found.push([item, index])
    })
  }
  return found
}

/**
 * Places in the parts of `messages`, results of tools included. `hintsOf` names what a part loses; an empty
 * name stands for the part itself.
 */
export function hintsInParts(
  messages: readonly Message[],
  hintsOf: (part: Part) => readonly string[],
): readonly string[] {
  const found: string[] = []
  // Places are put together only for what is found: most requests lose nothing.
  const look = (parts: readonly Part[], at: () => string): void => {
    parts.forEach((part, index) => {
      for (const name of hintsOf(part)) {
        found.push(`${at()}.content[${index}]${name === '' ? '' : `.${name}`}`)
      }
      if (part.kind === 'tool-result') look(part.content, () => `${at()}.content[${index}]`)
    })
  }
  messages.forEach((message, index) => look(message.parts, () => `messages[${index}]`))
  return found
}

/**
 * System messages in the middle, for formats that know only one system prompt: they still count, but are read
 * before the conversation instead of in their place.
 */
export function lateSystem(messages: readonly Message[]): readonly string[] {
  const firstTurn = messages.findIndex(({ role }) => role !== 'system')
  if (firstTurn === -1) return []
  return messages.flatMap(({ role }, index) =>
    role === 'system' && index > firstTurn ? [`messages[${index}].position`] : [],
  )
}

const NONE: readonly string[] = []

/** Names of the members that are there. */
export function held<T extends object>(value: T, names: readonly (keyof T & string)[]): readonly string[] {
  let found = NONE
  for (const name of names) if (present(value[name])) found = [...found, name]
  return found
}
