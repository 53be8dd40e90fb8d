// Finds the places in a foreign body that hold something: for telling what a request loses when it crosses
// formats.

import { isObject } from '../core/json.js'

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
