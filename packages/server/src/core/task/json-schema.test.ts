import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../cache/canonical-json.js'
import { type SchemaVerdict, validateJson } from './json-schema.js'

const REPLY = {
  type: 'object',
  properties: {
    reply: { type: 'string', minLength: 1 },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    tags: { type: 'array', items: { enum: ['refund', 'order'] }, maxItems: 2, uniqueItems: true },
    next: { anyOf: [{ type: 'null' }, { $ref: '#' }] },
  },
  required: ['reply', 'confidence'],
  additionalProperties: false,
}

describe('validateJson', () => {
  test.each<[unknown, unknown, SchemaVerdict]>([
    [{ reply: 'Hi', confidence: 0.5 }, REPLY, 'valid'],
    [
      { reply: 'Hi', confidence: 1, tags: ['order'], next: { reply: 'Yo', confidence: 0, next: null } },
      REPLY,
      'valid',
    ],
    [{ reply: '', confidence: 0.5 }, REPLY, 'invalid'],
    [{ reply: 'Hi' }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: 1.5 }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: '1' }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: 1, more: 1 }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: 1, tags: ['other'] }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: 1, tags: ['order', 'order'] }, REPLY, 'invalid'],
    [{ reply: 'Hi', confidence: 1, next: { reply: 'Yo' } }, REPLY, 'invalid'],
    [[REPLY], REPLY, 'invalid'],
    [5, { type: 'integer', exclusiveMinimum: 5 }, 'invalid'],
    [5, { type: 'integer', exclusiveMaximum: 6 }, 'valid'],
    [5.5, { type: ['integer', 'string'] }, 'invalid'],
    [null, { type: ['string', 'null'] }, 'valid'],
    ['😀', { maxLength: 1 }, 'valid'],
    [{ b: 1, a: [2] }, { const: { a: [2], b: 1 } }, 'valid'],
    [null, { enum: [false, 0, ''] }, 'invalid'],
    [[1, 'x', true], { prefixItems: [{ type: 'number' }], items: { type: ['string', 'boolean'] } }, 'valid'],
    [[1, 2], { prefixItems: [{ type: 'number' }], items: false }, 'invalid'],
    [[1], { minItems: 2 }, 'invalid'],
    [{ x: 1 }, { additionalProperties: { type: 'string' } }, 'invalid'],
    [{ toString: 1 }, { properties: {}, additionalProperties: false }, 'invalid'],
    [{}, { required: ['toString'] }, 'invalid'],
    [3, { allOf: [{ minimum: 1 }, { maximum: 2 }] }, 'invalid'],
    [3, { oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 'invalid'],
    [3, { oneOf: [{ minimum: 1 }, { minimum: 4 }] }, 'valid'],
    [3, { anyOf: [{ minimum: 4 }, { type: 'string' }] }, 'invalid'],
    [3, { not: { type: 'number' } }, 'invalid'],
    [3, { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'string' } } }, 'invalid'],
    [3, { $ref: '#/$defs/none' }, 'unknown'],
    [3, { $ref: 'https://example.com/schema' }, 'unknown'],
    [3, { $ref: '#' }, 'unknown'],
    [3, 'no schema', 'unknown'],
    [3, true, 'valid'],
    [3, false, 'invalid'],
    ['x', { pattern: '(a+)+$', format: 'email' }, 'valid'],
  ])('%j against %j is %s', (value, schema, verdict) => {
    expect(validateJson(value, schema)).toBe(verdict)
  })

  test('a schema that multiplies work is given up, not followed', () => {
    const twice = { allOf: [{ $ref: '#' }, { $ref: '#' }] }
    expect(validateJson(1, twice)).toBe('unknown')
    const wide = { anyOf: Array.from({ length: 60 }, () => ({ not: { $ref: '#' } })) }
    expect(validateJson(1, wide)).toBe('unknown')
    const values = Array.from({ length: 2_000 }, (_, n) => n)
    expect(validateJson(values, { items: { enum: Array.from({ length: 2_000 }, () => 'x') } })).toBe(
      'invalid',
    )
    expect(validateJson(values, { items: { enum: [...values] } })).toBe('unknown')
  })

  test('nesting beyond the bound is unknown, not a crash', () => {
    let value: unknown = 1
    for (let level = 0; level < 100_000; level += 1) value = [value]
    expect(validateJson(value, { items: { $ref: '#' } })).toBe('unknown')
  })

  test('a value is an instance of its own const, and of no other', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        expect(validateJson(value, { const: value })).toBe('valid')
        const same = canonicalJson(value) === canonicalJson(other)
        expect(validateJson(value, { const: other }) === 'valid').toBe(same)
      }),
    )
  })

  test('any schema and value get a verdict', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, schema) => {
        expect(['valid', 'invalid', 'unknown']).toContain(validateJson(value, schema))
      }),
    )
  })
})
