import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject } from '../../../core/json.js'
import { makeJson } from './make-json.js'
import { makeFromPattern } from './make-text-value.js'
import { diceOf } from './seeded.js'

function make(root: unknown, seed = 1, confidence = 0.83): unknown {
  return makeJson({
    dice: diceOf('test', seed),
    keywords: ['card', 'transfer', 'landlord'],
    confidence,
    root,
  })
}

// A checker of its own, so that generator and test cannot share a mistake.
function problems(schema: unknown, value: unknown, root: unknown, at = '$'): string[] {
  if (!isObject(schema)) return []
  const found: string[] = []
  const check = (ok: boolean, what: string): void => void (ok || found.push(`${at}: ${what}`))
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].split('/').at(-1) ?? ''
    const defs = isObject(root) && isObject(root['$defs']) ? root['$defs'] : {}
    found.push(...problems(schema['$ref'] === '#' ? root : defs[name], value, root, at))
  }
  if ('const' in schema) check(JSON.stringify(value) === JSON.stringify(schema['const']), 'const')
  if (Array.isArray(schema['enum'])) check(schema['enum'].includes(value), 'enum')
  for (const key of ['anyOf', 'oneOf']) {
    const branches = schema[key]
    if (Array.isArray(branches))
      check(
        branches.some((each) => problems(each, value, root, at).length === 0),
        key,
      )
  }
  if (Array.isArray(schema['allOf']))
    for (const part of schema['allOf']) found.push(...problems(part, value, root, at))
  if (schema['type'] !== undefined) {
    const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
    check(
      types.some((type) => hasType(type, value)),
      `type ${types.join()}`,
    )
  }
  found.push(...sizeProblems(schema, value, at))
  if (Array.isArray(value))
    value.forEach((item, i) => found.push(...problems(schema['items'], item, root, `${at}[${i}]`)))
  if (isObject(value)) {
    const properties = isObject(schema['properties']) ? schema['properties'] : {}
    for (const name of Array.isArray(schema['required']) ? schema['required'] : [])
      check(Object.hasOwn(value, name), name)
    for (const [name, item] of Object.entries(value)) {
      if (schema['additionalProperties'] === false) check(Object.hasOwn(properties, name), `extra ${name}`)
      found.push(...problems(properties[name], item, root, `${at}.${name}`))
    }
  }
  return found
}

function hasType(type: unknown, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'null') return value === null
  return typeof value === type
}

function sizeProblems(schema: Record<string, unknown>, value: unknown, at: string): string[] {
  const limits: [string, number | null, (a: number, b: number) => boolean][] = [
    ['minimum', typeof value === 'number' ? value : null, (a, b) => a >= b],
    ['maximum', typeof value === 'number' ? value : null, (a, b) => a <= b],
    ['exclusiveMinimum', typeof value === 'number' ? value : null, (a, b) => a > b],
    ['exclusiveMaximum', typeof value === 'number' ? value : null, (a, b) => a < b],
    ['minLength', typeof value === 'string' ? Array.from(value).length : null, (a, b) => a >= b],
    ['maxLength', typeof value === 'string' ? Array.from(value).length : null, (a, b) => a <= b],
    ['minItems', Array.isArray(value) ? value.length : null, (a, b) => a >= b],
    ['maxItems', Array.isArray(value) ? value.length : null, (a, b) => a <= b],
  ]
  const broken = limits.filter(([name, actual, ok]) => {
    const limit = schema[name]
    return typeof limit === 'number' && actual !== null && !ok(actual, limit)
  })
  const step = schema['multipleOf']
  const offStep =
    typeof step === 'number' &&
    typeof value === 'number' &&
    Math.abs(value / step - Math.round(value / step)) > 1e-9
  return [...broken.map(([name]) => `${at}: ${name}`), ...(offStep ? [`${at}: multipleOf`] : [])]
}

const range = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 50 }))
const { schema: anySchema } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constant({ type: 'boolean' }),
    fc.constant({ type: 'null' }),
    fc.record({ const: fc.oneof(fc.string(), fc.integer()) }),
    fc.record({ enum: fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 }) }),
    range.map(([low, span]) => ({ type: 'integer', minimum: low, maximum: low + span })),
    range.map(([low, span]) => ({ type: 'number', minimum: low, maximum: low + span })),
    range.map(([low]) => ({ type: 'number', exclusiveMinimum: low })),
    range.map(([high]) => ({ type: 'integer', exclusiveMaximum: high })),
    fc
      .constantFrom(0.01, 0.5, 3)
      .map((step) => ({ type: 'number', multipleOf: step, minimum: -9, maximum: 9 })),
    fc
      .tuple(fc.nat(40), fc.nat(40))
      .map(([low, span]) => ({ type: 'string', minLength: low, maxLength: low + span })),
    fc.constant({ type: ['string', 'null'] }),
    fc.constant({ $ref: '#/$defs/shared' }),
  ),
  object: fc
    .tuple(
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        tie('schema'),
        { maxKeys: 4 },
      ),
      fc.boolean(),
    )
    .map(([properties, strict]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter((_, index) => strict || index % 2 === 0),
      additionalProperties: false,
    })),
  array: fc
    .tuple(tie('schema'), fc.nat(3), fc.nat(3))
    .map(([items, low, span]) => ({ type: 'array', items, minItems: low, maxItems: low + span })),
  branches: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  schema: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('object'), tie('array'), tie('branches')),
}))

describe('values for a schema', () => {
  test('are valid, whatever the schema and the seed', () => {
    fc.assert(
      fc.property(anySchema, fc.integer(), (schema, seed) => {
        const root = { ...(schema as object), $defs: { shared: { type: 'integer', minimum: 3, maximum: 5 } } }
        expect(problems(root, make(root, seed), root)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('a recursive schema ends', () => {
    const root = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { $ref: '#' } },
        next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
      },
      required: ['name', 'children', 'next'],
      additionalProperties: false,
    }
    for (let seed = 0; seed < 30; seed++) expect(problems(root, make(root, seed), root)).toEqual([])
  })

  test('a schema that asks for more than fits is answered with a bounded value', () => {
    const nested = (depth: number): object =>
      depth === 0 ? { type: 'integer' } : { type: 'array', minItems: 1_000, items: nested(depth - 1) }
    expect(JSON.stringify(make(nested(4))).length).toBeLessThan(1_000_000)
    expect(make({ allOf: [{ $ref: '#' }, { $ref: '#' }] })).toBeDefined()
  })

  test('allOf is one schema', () => {
    const root = {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: { const: 'x' } }, required: ['b'] },
      ],
    }
    expect(make(root)).toEqual({ a: expect.any(Number), b: 'x' })
  })

  test('a field named confidence holds its own confidence, inside the bounds', () => {
    const property = { type: 'number', minimum: 0, maximum: 1 }
    const root = { type: 'object', properties: { confidence: property }, required: ['confidence'] }
    expect(make(root)).toEqual({ confidence: 0.83 })
    const percent = {
      type: 'object',
      properties: { confidence: { ...property, maximum: 0.5 } },
      required: ['confidence'],
    }
    expect(make(percent)).toEqual({ confidence: 0.5 })
  })

  test.each([
    ['email', /^[^@\s]+@[^@\s]+$/],
    ['date', /^\d{4}-\d\d-\d\d$/],
    ['date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/],
    ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/],
    ['uri', /^https:\/\//],
    ['ipv4', /^\d+\.\d+\.\d+\.\d+$/],
  ])('the format %s is kept', (format, expected) => {
    for (let seed = 0; seed < 20; seed++) expect(make({ type: 'string', format }, seed)).toMatch(expected)
  })

  test.each([
    '^[A-Z]{3}-\\d{4}$',
    '^(red|green|blue)$',
    '^[a-z0-9_.]+@example\\.com$',
    '^#[0-9a-fA-F]{6}$',
    '^\\+?\\d{7,9}$',
  ])('the pattern %s is matched', (pattern) => {
    for (let seed = 0; seed < 20; seed++)
      expect(make({ type: 'string', pattern }, seed)).toMatch(new RegExp(pattern, 'u'))
  })

  test('a pattern beyond it is given up, not got wrong, and never runs away', () => {
    expect(makeFromPattern('^(?=x)x$', diceOf('p', 1))).toBeNull()
    expect(makeFromPattern('((a{1000}){1000}){1000}', diceOf('p', 1))).toBeNull()
    expect(makeFromPattern('[unclosed', diceOf('p', 1))).toBeNull()
  })
})
