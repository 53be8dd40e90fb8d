import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendMember, membersOf, spliceObject } from './json-splice.js'

const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ')
const key = fc.oneof(
  fc.constantFrom('model', 'stream', 'messages', 'a"b', 'ключ', '\\'),
  fc.string({ maxLength: 4 }),
)

/** JSON text of an object with white space everywhere, and what it parses to. */
const objectText = fc
  .array(fc.tuple(key, fc.jsonValue({ maxDepth: 2 }), space, space), { maxLength: 6 })
  .map((members) => {
    const text = members.map(
      ([name, value, before, after]) =>
        `${before}${JSON.stringify(name)}${after}:${before}${JSON.stringify(value)}${after}`,
    )
    return ` {${text.join(',')} } `
  })

const without = (object: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([own]) => own !== name))
const plain = (name: string) => name !== '__proto__'

describe('splicing', () => {
  test('sets, adds and removes exactly what was asked', () => {
    fc.assert(
      fc.property(
        objectText,
        key.filter(plain),
        fc.option(fc.jsonValue({ maxDepth: 1 })),
        (text, name, value) => {
          const edited = JSON.parse(
            spliceObject(Buffer.from(text), {
              [name]: value === null ? null : JSON.stringify(value),
            }).toString(),
          )
          const before = JSON.parse(text)
          const expected =
            value === null ? without(before, name) : { ...before, [name]: JSON.parse(JSON.stringify(value)) }
          expect(edited).toEqual(expected)
        },
      ),
    )
  })

  test('several edits at once equal the same edits one by one', () => {
    fc.assert(
      fc.property(
        objectText,
        fc.dictionary(key.filter(plain), fc.constantFrom('1', 'null', '"x"', null)),
        (text, edits) => {
          let single: Buffer = Buffer.from(text)
          for (const [name, value] of Object.entries(edits)) single = spliceObject(single, { [name]: value })
          expect(JSON.parse(spliceObject(Buffer.from(text), edits).toString())).toEqual(
            JSON.parse(single.toString()),
          )
        },
      ),
    )
  })

  test('the raw bytes of every other member stay as they were', () => {
    fc.assert(
      fc.property(objectText, fc.constantFrom('model', 'stream'), (text, name) => {
        const raw = (json: Buffer) =>
          membersOf(json)
            .filter((member) => member.key !== name)
            .map((member) => json.toString('utf8', member.start, member.end))
        const json = Buffer.from(text)
        expect(raw(spliceObject(json, { [name]: '"edited"' }))).toEqual(raw(json))
        expect(raw(spliceObject(json, { [name]: null }))).toEqual(raw(json))
      }),
    )
  })

  test('no edit is no change', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        expect(spliceObject(Buffer.from(text), {}).toString()).toBe(text)
      }),
    )
  })

  test('numbers beyond 2^53, odd spacing, escapes and unknown fields survive byte for byte', () => {
    const body =
      '{ "model" : "a",\n "seed":12345678901234567890123, "x":1.0e+02, "t":"\\u00e9\\"}{" , "n":{"model":"inner"}}'
    const edited = spliceObject(Buffer.from(body), { model: '"b"' }).toString()
    expect(edited).toBe(body.replace('"a"', '"b"'))
  })

  test('every one of a duplicate key is edited, so that no reader keeps the old value', () => {
    const edited = spliceObject(Buffer.from('{"model":"a","x":1,"mod\\u0065l":"b"}'), {
      model: '"c"',
    }).toString()
    expect(edited).toBe('{"model":"c","x":1,"mod\\u0065l":"c"}')
  })

  test('what is not an object is a bug of the caller', () => {
    for (const text of [
      '',
      '[1]',
      '"a"',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a" 1}',
      '{"a":1 "b"',
      '<html>',
    ]) {
      expect(() => spliceObject(Buffer.from(text), { a: '1' })).toThrow('not a JSON object')
    }
  })
})

describe('appending', () => {
  test('adds before the last brace and leaves all bytes before it alone', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const appended = appendMember(Buffer.from(text), 'spillway', '{"cost_usd":1}').toString()
        expect(JSON.parse(appended)).toEqual({ ...JSON.parse(text), spillway: { cost_usd: 1 } })
        expect(appended.startsWith(text.slice(0, text.lastIndexOf('}')))).toBe(true)
      }),
    )
  })
})
