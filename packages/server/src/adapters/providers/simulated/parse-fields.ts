// Reading foreign JSON, for all parsers: a problem is thrown as a `BadField` and answered as the provider
// would.

import { type JsonObject, isObject } from '../../../core/json.js'

/** What a provider answers 400 for. */
export class BadField extends Error {
  readonly field: string
  /** OpenAI's `code`. */
  readonly code: string | null

  constructor(field: string, message: string, code: string | null = null) {
    super(message)
    this.field = field
    this.code = code
  }
}

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown, field: string): Fields {
  if (!isObject(value)) throw new BadField(field, `${field}: expected an object`)
  return value
}

export function optionalFields(value: unknown): Fields {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadField(field, `${field}: expected an array`)
  return value
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function requiredText(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw new BadField(field, `${field}: Field required`)
  return value
}

export function numberOrNull(value: unknown, field: string): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new BadField(field, `${field}: expected a number`)
  return value
}

/** A whole number of at least one, or null. */
export function countOrNull(value: unknown, field: string): number | null {
  const count = numberOrNull(value, field)
  if (count !== null && (!Number.isInteger(count) || count < 1)) {
    throw new BadField(field, `${field}: must be a whole number of at least 1`)
  }
  return count
}

export function schemaOf(value: unknown): JsonObject {
  return isObject(value) ? (value as JsonObject) : {}
}

export function textList(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string' && item !== '')
    : []
}
