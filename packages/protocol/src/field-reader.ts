// Readers of single JSON values, out of which the request parsers are put together. A reader notes every
// problem it finds and goes on, so that a caller sees all mistakes at once.

import { nearest } from './nearest.js'
import type { Parsed, Problem } from './parsed.js'

/** Gives the value, or notes what is wrong and gives undefined. */
export type Read<T> = (value: unknown, at: string, problems: Problem[]) => T | undefined

interface Field<T, Required extends boolean> {
  readonly required: Required
  readonly read: Read<T>
}

/** One field per member of T; whether it must be there has to agree with the type. */
type Fields<T> = {
  readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>, undefined extends T[K] ? false : true>
}

/** More problems than this help nobody; the rest is not noted. */
export const PROBLEMS_MAX = 20
const KEY_SHOWN_MAX = 60
const DEPTH_MAX = 32

export function required<T>(read: Read<T>): Field<T, true> {
  return { required: true, read }
}

/** May be missing; null counts as missing, because many languages write it for "not set". */
export function optional<T>(read: Read<T>): Field<T, false> {
  return { required: false, read }
}

export function parseWith<T>(read: Read<T>, value: unknown, at: string): Parsed<T> {
  const problems: Problem[] = []
  const result = read(value, at, problems)
  if (problems.length > 0 || result === undefined) return { kind: 'invalid', problems }
  return { kind: 'ok', value: result }
}

/** Notes a problem, up to `PROBLEMS_MAX`, and gives the undefined that a failed reader returns. */
export function note(problems: Problem[], at: string, message: string): undefined {
  if (problems.length < PROBLEMS_MAX) problems.push({ at, message })
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function nameOfType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function unknownKeyMessage(key: string, known: readonly string[]): string {
  const shown = key.length > KEY_SHOWN_MAX ? `${key.slice(0, KEY_SHOWN_MAX)}...` : key
  const meant = nearest(key, known)
  const advice = meant === null ? `known keys: ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`
  return `unknown key ${JSON.stringify(shown)}; ${advice}`
}

/**
 * An object of exactly these fields. The body as a whole is called `body`, its members by their own names.
 */
export function object<T extends object>(fields: Fields<T>): Read<T> {
  const known = Object.keys(fields)
  const entries = Object.entries<Field<unknown, boolean>>(fields)
  return (value, at, problems) => {
    if (!isRecord(value)) return note(problems, at, `must be an object, not ${nameOfType(value)}`)
    const under = (key: string) => (at === 'body' ? key : `${at}.${key}`)
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) note(problems, at, unknownKeyMessage(key, known))
    }
    const result: Record<string, unknown> = {}
    for (const [key, field] of entries) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined
      const missing = given === undefined || (given === null && !field.required)
      if (!missing) result[key] = field.read(given, under(key), problems)
      else if (field.required) note(problems, under(key), 'is missing')
    }
    // Each field was read by the reader that `Fields<T>` demands for it; a failed one has noted a problem.
    return result as T
  }
}

/** Text of 1 to `max` characters. */
export function text(max: number): Read<string> {
  return (value, at, problems) => {
    if (typeof value !== 'string') return note(problems, at, `must be a string, not ${nameOfType(value)}`)
    if (value.length === 0) return note(problems, at, 'must not be empty')
    if (value.length > max) return note(problems, at, `is ${value.length} characters long, at most ${max}`)
    return value
  }
}

export function oneOf<const T extends string>(choices: readonly T[]): Read<T> {
  return (value, at, problems) => {
    const found = choices.find((choice) => choice === value)
    if (found !== undefined) return found
    const meant = typeof value === 'string' ? nearest(value, choices) : null
    const advice = meant === null ? '' : `; did you mean ${meant}?`
    return note(problems, at, `must be one of ${choices.join(', ')}${advice}`)
  }
}

export function flag(): Read<boolean> {
  return (value, at, problems) =>
    typeof value === 'boolean' ? value : note(problems, at, `must be true or false, not ${nameOfType(value)}`)
}

export interface NumberRange {
  readonly min?: number
  readonly above?: number
  readonly max?: number
  readonly whole?: boolean
}

export function number(range: NumberRange): Read<number> {
  return (value, at, problems) => {
    if (typeof value !== 'number') return note(problems, at, `must be a number, not ${nameOfType(value)}`)
    // JSON can spell numbers that are too large for a double.
    if (!Number.isFinite(value)) return note(problems, at, 'must be a finite number')
    if (range.whole === true && !Number.isInteger(value)) return note(problems, at, 'must be a whole number')
    if (range.above !== undefined && value <= range.above)
      return note(problems, at, `must be above ${range.above}`)
    if (range.min !== undefined && value < range.min)
      return note(problems, at, `must be at least ${range.min}`)
    if (range.max !== undefined && value > range.max)
      return note(problems, at, `must be at most ${range.max}`)
    return value
  }
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

/** An instant as RFC 3339 text with its offset. `Date.parse` reads whatever this lets through. */
export function instant(): Read<string> {
  return (value, at, problems) => {
    if (typeof value === 'string' && RFC_3339.test(value) && !Number.isNaN(Date.parse(value))) return value
    return note(problems, at, 'must be an instant such as "2026-01-31T09:30:00.250Z"')
  }
}

/** Bytes of the text in UTF-8, without encoding it. */
export function utf8Length(value: string): number {
  let bytes = 0
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

// Depth is looked at before the size: `JSON.stringify` recurses and would overflow the stack on a hostile
// body.
function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((item) => isNestedDeeper(item, levels - 1))
}

function fits(value: unknown, limit: { at: string; bytesMax: number }, problems: Problem[]): boolean {
  if (isNestedDeeper(value, DEPTH_MAX)) {
    note(problems, limit.at, `is nested deeper than ${DEPTH_MAX} levels`)
    return false
  }
  const bytes = utf8Length(JSON.stringify(value))
  if (bytes > limit.bytesMax) note(problems, limit.at, `is ${bytes} bytes of JSON, at most ${limit.bytesMax}`)
  return bytes <= limit.bytesMax
}

/** Any JSON value up to a size in UTF-8 bytes. */
export function json(bytesMax: number): Read<unknown> {
  return (value, at, problems) => (fits(value, { at, bytesMax }, problems) ? value : undefined)
}

export function list(limits: {
  readonly itemsMax: number
  readonly bytesMax: number
}): Read<readonly unknown[]> {
  return (value, at, problems) => {
    if (!Array.isArray(value)) return note(problems, at, `must be an array, not ${nameOfType(value)}`)
    const items: readonly unknown[] = value
    if (items.length > limits.itemsMax) {
      return note(problems, at, `has ${items.length} items, at most ${limits.itemsMax}`)
    }
    return fits(items, { at, bytesMax: limits.bytesMax }, problems) ? items : undefined
  }
}

export interface MapLimits {
  readonly keysMax: number
  readonly keyLengthMax: number
  readonly bytesMax: number
}

/**
 * An object of free keys. `__proto__` is refused: copied into another object it would not stay a plain key.
 */
export function map(limits: MapLimits): Read<Readonly<Record<string, unknown>>> {
  return (value, at, problems) => {
    if (!isRecord(value)) return note(problems, at, `must be an object, not ${nameOfType(value)}`)
    const keys = Object.keys(value)
    if (keys.length > limits.keysMax) {
      return note(problems, at, `has ${keys.length} keys, at most ${limits.keysMax}`)
    }
    if (keys.includes('__proto__')) note(problems, at, 'must not have a key named "__proto__"')
    if (keys.includes('')) note(problems, at, 'must not have an empty key')
    if (keys.some((key) => key.length > limits.keyLengthMax)) {
      note(problems, at, `has a key longer than ${limits.keyLengthMax} characters`)
    }
    return fits(value, { at, bytesMax: limits.bytesMax }, problems) ? value : undefined
  }
}
