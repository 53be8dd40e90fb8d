// Finds the places in a foreign body that hold something: for telling what a request loses when it crosses
// formats.

import { isObject } from '../core/json.js'
import type { Message, Part } from '../core/model/message.js'

export function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

export function fieldsPresent(object: Record<string, unknown>, names: Iterable<string>, at = ''): string[] {
  return [...names].filter((name) => present(object[name])).map((name) => at + name)
}

export function objectsOf(list: unknown): readonly (readonly [Record<string, unknown>, number])[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown, index) => (isObject(item) ? [[item, index] as const] : []))
}

/**
 * Places in the parts of `messages`, results of tools included. `hintsOf` names what a part loses; an empty
 * name stands for the part itself.
 */
export function hintsInParts(
  messages: readonly Message[],
  hintsOf: (part: Part) => readonly string[],
): readonly string[] {
  const inside = (parts: readonly Part[], at: string): readonly string[] =>
    parts.flatMap((part, index) => {
      const place = `${at}.content[${index}]`
      const own = hintsOf(part).map((name) => (name === '' ? place : `${place}.${name}`))
      return part.kind === 'tool-result' ? [...own, ...inside(part.content, place)] : own
    })
  return messages.flatMap((message, index) => inside(message.parts, `messages[${index}]`))
}

/** Names of the members that are there. */
export function held<T extends object>(value: T, names: readonly (keyof T & string)[]): readonly string[] {
  return names.filter((name) => present(value[name]))
}
