import fc from 'fast-check'
import { expect, test } from 'vitest'
import { vertexBody } from './vertex-body.js'

const spliced = (text: string, betas?: readonly string[]) =>
  Buffer.from(vertexBody(Buffer.from(text), betas)).toString()

test('the model goes, the version comes, and every other byte stays', () => {
  const body = '{ "model" : "claude-sonnet-4-5", "max_tokens":1e2,  "x":12345678901234567890 , "é":"\\u0041"}'
  expect(spliced(body)).toBe(
    '{ "max_tokens":1e2,  "x":12345678901234567890 , "é":"\\u0041","anthropic_version":"vertex-2023-10-16"}',
  )
})

test.each([
  [
    'the model is last',
    '{"max_tokens":1,"model":"m"}',
    '{"max_tokens":1,"anthropic_version":"vertex-2023-10-16"}',
  ],
  ['there is nothing else', '{"model":"m"}', '{"anthropic_version":"vertex-2023-10-16"}'],
  ['there is no model', '{"max_tokens":1}', '{"max_tokens":1,"anthropic_version":"vertex-2023-10-16"}'],
  [
    'the model comes twice',
    '{"model":"a","x":{"model":"b"},"model":"c"}',
    '{"x":{"model":"b"},"anthropic_version":"vertex-2023-10-16"}',
  ],
  [
    'the caller says a version',
    '{"anthropic_version":"bedrock-2023-05-31","model":"m","stream":true}',
    '{"anthropic_version":"vertex-2023-10-16","stream":true}',
  ],
])('also when %s', (_, body, expected) => {
  expect(spliced(body)).toBe(expected)
})

test('betas move from their header into the body', () => {
  expect(spliced('{"model":"m","stream":true}', ['context-1m-2025-08-07', 'b'])).toBe(
    '{"stream":true,"anthropic_version":"vertex-2023-10-16","anthropic_beta":["context-1m-2025-08-07","b"]}',
  )
})

test('betas of the body stay where the header has none', () => {
  expect(spliced('{"anthropic_beta":["a"],"model":"m"}')).toContain('"anthropic_beta":["a"]')
})

test('whatever the body, it means the same but for these members', () => {
  const members = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('model', 'stream')), fc.jsonValue())
  fc.assert(
    fc.property(members, fc.nat({ max: 3 }), (object, indent) => {
      const whole: Record<string, unknown> = JSON.parse(JSON.stringify(object))
      const { model: _model, ...rest } = whole
      expect(JSON.parse(spliced(JSON.stringify(whole, null, indent)))).toEqual({
        ...rest,
        anthropic_version: 'vertex-2023-10-16',
      })
    }),
  )
})
