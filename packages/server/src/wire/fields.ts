// Reads single fields of foreign JSON. What has the wrong type becomes a problem that names its place, so
// that one answer can list all of them; an absent field and an explicit null mean the same in both formats.

import type { JsonObject } from '../core/json.js'
import type { Parsed, Problem } from '../core/parsed.js'

export function textField(value: unknown, at: string, problems: Problem[]): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  problems.push({ at, message: 'must be a string' })
  return null
}

export function requiredText(value: unknown, at: string, problems: Problem[]): string {
  if (typeof value === 'string' && value !== '') return value
  problems.push({ at, message: 'must be a string that is not empty' })
  return ''
}

export function booleanField(value: unknown, at: string, problems: Problem[]): boolean | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value
  problems.push({ at, message: 'must be true or false' })
  return null
}

export function numberField(value: unknown, at: string, problems: Problem[]): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isFinite(value)) return value
  problems.push({ at, message: 'must be a number' })
  return null
}

/** A whole number from 1 on. */
export function countField(value: unknown, at: string, problems: Problem[]): number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  problems.push({ at, message: 'must be a whole number from 1 on' })
  return null
}

export function listField(value: unknown, at: string, problems: Problem[]): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  problems.push({ at, message: 'must be a list' })
  return []
}

/** A string, or a list of strings, as `stop` comes. */
export function textsField(value: unknown, at: string, problems: Problem[]): readonly string[] {
  if (typeof value === 'string') return [value]
  return listField(value, at, problems).flatMap((item, index) => {
    if (typeof item === 'string') return [item]
    problems.push({ at: `${at}[${index}]`, message: 'must be a string' })
    return []
  })
}

export function concluded<T>(value: T, problems: readonly Problem[]): Parsed<T> {
  return problems.length === 0 ? { kind: 'ok', value } : { kind: 'invalid', problems }
}

/** Problems for the fields that carry meaning and have no equal in the other format. */
export function refuseFields(body: Record<string, unknown>, fields: Fields, problems: Problem[]): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || fields.translated.has(name) || fields.hints.has(name))
      continue
    if (Object.hasOwn(fields.neutral, name) && fields.neutral[name]?.(value) === true) continue
    problems.push({ at: name, message: `cannot be expressed in the other format; leave \`${name}\` out` })
  }
}

/**
 * What becomes of each top-level field of a request that crosses formats. A field in none of these is
 * refused.
 */
export interface Fields {
  readonly translated: ReadonlySet<string>
  /** Asks for nothing that changes what the answer means: left out, and said so by `droppedHints`. */
  readonly hints: ReadonlySet<string>
  /** Harmless at these values only. */
  readonly neutral: Readonly<Record<string, (value: unknown) => boolean>>
}

/** Empty when it is no text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** undefined: not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What was parsed from JSON is JSON: the one place that says so to the compiler. */
export function asJsonObject(value: Record<string, unknown>): JsonObject {
  return value as JsonObject
}

export function utf8Bytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return value === undefined || value === null ? 0 : Buffer.byteLength(JSON.stringify(value))
}
