// A value for a JSON Schema: what a model with structured output answers. Covers the keywords providers
// accept, and ends on recursive schemas: below a depth only what is required is made.

import { isObject } from '../../../core/json.js'
import { makeText } from './make-text-value.js'
import type { Dice } from './seeded.js'
import { writePhrase } from './write-text.js'

export interface JsonMaker {
  readonly dice: Dice
  readonly keywords: readonly [string, string, string]
  /** Fills a property named `confidence`. */
  readonly confidence: number
  /** The whole schema: where `$ref` points into. */
  readonly root: unknown
}

interface Making extends JsonMaker {
  /** Values that may still be made: a schema can ask for more than fits in memory. */
  valuesLeft: number
}

type Schema = Readonly<Record<string, unknown>>
interface Place {
  readonly depth: number
  readonly name: string
}

const VALUES_MAX = 20_000
const LEAN_DEPTH = 5
const DEPTH_MAX = 24
const REF_HOPS_MAX = 16
const ITEMS_DEFAULT_MAX = 3
const OPTIONAL_SHARE = 0.7
const UNIQUE_TRIES_MAX = 64
const RANGE_DEFAULT = 100
const RANGE_GAP = 1e-3

export function makeJson(maker: JsonMaker): unknown {
  return valueFor({ ...maker, valuesLeft: VALUES_MAX }, maker.root, { depth: 0, name: '' })
}

function valueFor(maker: Making, source: unknown, place: Place): unknown {
  if (place.depth > DEPTH_MAX || maker.valuesLeft-- <= 0) return null
  const schema = flatten(maker, source)
  if ('const' in schema) return schema['const']
  const choices = schema['enum']
  if (Array.isArray(choices) && choices.length > 0) return choices[maker.dice.between(0, choices.length - 1)]
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches) && branches.length > 0) {
    const rest = without(schema, ['anyOf', 'oneOf'])
    return valueFor(maker, { ...rest, ...flatten(maker, chooseBranch(maker, branches, place.depth)) }, place)
  }
  switch (typeOf(schema)) {
    case 'object':
      return makeObject(maker, schema, place)
    case 'array':
      return makeArray(maker, schema, place)
    case 'number':
    case 'integer':
      return makeNumber(maker, schema, place)
    case 'boolean':
      return maker.dice.next() < 0.5
    case 'null':
      return null
    default:
      return makeText(schema, { dice: maker.dice, phrase: () => writePhrase(maker.dice, maker.keywords) })
  }
}

/** Follows `$ref` and folds `allOf` in, so that one flat schema is left. */
function flatten(maker: Making, source: unknown, hops = 0): Schema {
  if (!isObject(source) || hops > REF_HOPS_MAX) return {}
  let schema: Schema = source
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    schema = { ...flatten(maker, resolve(maker.root, reference), hops + 1), ...without(schema, ['$ref']) }
  }
  const parts = schema['allOf']
  if (!Array.isArray(parts)) return schema
  return parts.map((part) => flatten(maker, part, hops + 1)).reduce<Schema>(merge, without(schema, ['allOf']))
}

function without(schema: Schema, keys: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)))
}

function merge(left: Schema, right: Schema): Schema {
  return {
    ...left,
    ...right,
    ...(isObject(left['properties']) && isObject(right['properties'])
      ? { properties: { ...left['properties'], ...right['properties'] } }
      : {}),
    ...(Array.isArray(left['required']) && Array.isArray(right['required'])
      ? { required: [...left['required'], ...right['required']] }
      : {}),
  }
}

/** Local references only: `#`, `#/$defs/name`, `#/definitions/name`, any JSON pointer. */
function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return {}
  let value = root
  for (const segment of reference.slice(1).split('/').slice(1)) {
    const key = segment
      .replaceAll('%25', '%')
      .replaceAll('%24', '$')
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
    if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else if (Array.isArray(value)) value = value[Number(key)]
    else return {}
  }
  return value
}

/** The first branch; deep down the plainest, or a recursive schema would never end. */
function chooseBranch(maker: Making, branches: readonly unknown[], depth: number): unknown {
  if (depth < LEAN_DEPTH) return branches[0]
  const plain = branches.find((branch) => {
    const type = typeOf(flatten(maker, branch))
    return type !== 'object' && type !== 'array'
  })
  return plain ?? branches[0]
}

function typeOf(schema: Schema): unknown {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  if (type !== undefined) return type
  if (isObject(schema['properties'])) return 'object'
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array'
  if (schema['minimum'] !== undefined || schema['maximum'] !== undefined) return 'number'
  return 'string'
}

function makeObject(maker: Making, schema: Schema, place: Place): Record<string, unknown> {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const entries: [string, unknown][] = []
  for (const [name, property] of Object.entries(properties)) {
    const wanted = required.has(name) || (place.depth < LEAN_DEPTH && maker.dice.next() < OPTIONAL_SHARE)
    if (wanted) entries.push([name, valueFor(maker, property, { depth: place.depth + 1, name })])
  }
  // Required but not described: any value will do.
  for (const name of required) {
    if (typeof name === 'string' && !Object.hasOwn(properties, name)) {
      entries.push([name, valueFor(maker, schema['additionalProperties'], { depth: place.depth + 1, name })])
    }
  }
  return Object.fromEntries(entries)
}

function makeArray(maker: Making, schema: Schema, place: Place): unknown[] {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  const least = Math.max(numberOr(schema['minItems'], 0), prefix.length)
  const most = Math.min(numberOr(schema['maxItems'], Infinity), Math.max(least, ITEMS_DEFAULT_MAX))
  const closed = schema['items'] === false
  const lean = place.depth >= LEAN_DEPTH || closed
  const length = lean ? Math.min(least, most) : maker.dice.between(Math.max(least, Math.min(1, most)), most)
  const inner = { depth: place.depth + 1, name: place.name }
  const items: unknown[] = []
  for (
    let tries = 0;
    items.length < length && tries < length + UNIQUE_TRIES_MAX && maker.valuesLeft > 0;
    tries++
  ) {
    const item = valueFor(maker, prefix[items.length] ?? schema['items'], inner)
    if (
      schema['uniqueItems'] !== true ||
      !items.some((other) => JSON.stringify(other) === JSON.stringify(item))
    ) {
      items.push(item)
    }
  }
  return items
}

function makeNumber(maker: Making, schema: Schema, place: Place): number {
  const whole = typeOf(schema) === 'integer'
  const step = numberOr(schema['multipleOf'], whole ? 1 : 0)
  const { least, most } = rangeOf(schema, step > 0 ? step : RANGE_GAP)
  const named = /^confidence(_score)?$/i.test(place.name) && !whole
  const chosen = named ? maker.confidence : least + maker.dice.next() * (most - least)
  const clamp = (value: number): number => Math.min(Math.max(value, least), most)
  if (step === 0) return clamp(Math.round(clamp(chosen) * 1e4) / 1e4)
  // Whole steps only; the division is rounded because 0.3 / 0.1 is not 3.
  const lowest = Math.ceil(Number((least / step).toPrecision(12)))
  const highest = Math.floor(Number((most / step).toPrecision(12)))
  const steps = Math.min(Math.max(Math.round(chosen / step), lowest), highest)
  return Number((steps * step).toPrecision(12))
}

function rangeOf(schema: Schema, gap: number): { least: number; most: number } {
  const above = schema['exclusiveMinimum']
  const below = schema['exclusiveMaximum']
  const low = Math.max(
    typeof above === 'number' ? above + gap : -Infinity,
    numberOr(schema['minimum'], -Infinity),
  )
  const high = Math.min(
    typeof below === 'number' ? below - gap : Infinity,
    numberOr(schema['maximum'], Infinity),
  )
  const least = low > -Infinity ? low : Math.min(0, high - RANGE_DEFAULT)
  return { least, most: high < Infinity ? high : Math.max(least, 0) + RANGE_DEFAULT }
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise
}
