import { describe, expect, test } from 'vitest'
import { grammarSchema } from './grammar-schema.js'

const read = (schema: unknown) => grammarSchema(schema, 'schema')

describe('a schema for a grammar', () => {
  test('is taken over without its notes, `anyOf` by its other name', () => {
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'T',
      type: 'object',
      properties: {
        a: { type: 'string', minLength: 1, description: 'd' },
        b: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/c' }] },
        d: { type: 'array', items: { enum: ['x', 1] }, maxItems: 3 },
      },
      required: ['a', 'b', 'd'],
      additionalProperties: false,
      $defs: { c: { type: ['string', 'null'] } },
    }
    expect(read(schema)).toEqual({
      kind: 'ok',
      value: {
        type: 'object',
        properties: {
          a: { type: 'string', minLength: 1 },
          b: { oneOf: [{ type: 'null' }, { $ref: '#/$defs/c' }] },
          d: { type: 'array', items: { enum: ['x', 1] }, maxItems: 3 },
        },
        additionalProperties: false,
        $defs: { c: { type: ['string', 'null'] } },
      },
    })
  })

  test('an object of which nothing is said stays open', () => {
    expect(read({ type: 'object' })).toEqual({
      kind: 'ok',
      value: { type: 'object', additionalProperties: true },
    })
  })

  test.each([
    [{ type: 'object', properties: { n: { type: 'integer', minimum: 3 } } }, 'schema.properties.n.minimum'],
    [{ type: 'string', pattern: '^a' }, 'schema.pattern'],
    [{ type: 'string', format: 'email' }, 'schema.format'],
    [{ anyOf: [{ type: 'string' }, { allOf: [] }] }, 'schema.anyOf[1].allOf'],
    [{ type: 'decimal' }, 'schema.type'],
    [{ type: ['object', 'null'] }, 'schema.type'],
    [{ $ref: '#/$defs/none' }, 'schema.$ref'],
    [{ $ref: 'http://elsewhere/schema' }, 'schema.$ref'],
    [{}, 'schema'],
    ['text', 'schema'],
    [{ type: 'array', items: 3 }, 'schema.items'],
    [{ anyOf: [] }, 'schema.anyOf'],
  ])('%j is refused at its place', (schema, at) => {
    expect(read(schema)).toMatchObject({
      kind: 'invalid',
      problems: expect.arrayContaining([{ at, message: expect.any(String) }]),
    })
  })

  test('depth has a limit', () => {
    let schema: unknown = { type: 'string' }
    for (let depth = 0; depth < 10_000; depth++) schema = { type: 'array', items: schema }
    expect(read(schema).kind).toBe('invalid')
  })
})
