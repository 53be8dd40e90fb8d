import { describe, expect, test } from 'vitest'
import { type CheckedAnswer, runChecks } from './checks.js'

const answer = (some: Partial<CheckedAnswer> = {}): CheckedAnswer => ({
  text: 'Hello',
  finishReason: 'stop',
  toolCalls: [],
  schema: null,
  ...some,
})
const KEY = `AKIA${'Q7'.repeat(8)}`

describe('runChecks', () => {
  test('a plain answer passes them all', () => {
    expect(runChecks(answer())).toEqual({
      schema_valid: true,
      finished: true,
      not_empty: true,
      leaked_secret: false,
    })
  })

  test.each([
    ['text where JSON was asked for', { text: 'Hello', schema: {} }, false],
    ['any object for any object', { text: '{"a":1}', schema: {} }, true],
    ['an array for any object', { text: '[1]', schema: {} }, false],
    ['what the schema says', { text: '{"a":1}', schema: { required: ['a'] } }, true],
    ['something else', { text: '{"b":1}', schema: { required: ['a'] } }, false],
    ['JSON that was cut', { text: '{"a":', schema: { required: ['a'] } }, false],
  ])('%s', (_, some, valid) => {
    expect(runChecks(answer(some)).schema_valid).toBe(valid)
  })

  test('a schema that cannot be judged, or an answer that only calls tools, leaves the check out', () => {
    expect(runChecks(answer({ text: '1', schema: { $ref: '#/nowhere' } }))).not.toHaveProperty('schema_valid')
    const calls = answer({ text: '', toolCalls: [{ argumentsJson: '{}' }], schema: { type: 'object' } })
    expect(runChecks(calls)).not.toHaveProperty('schema_valid')
  })

  test.each([
    ['stop', true],
    ['tool-calls', true],
    ['length', false],
    ['refusal', false],
    ['other', false],
    [null, false],
  ])('finish reason %s: finished is %s', (finishReason, finished) => {
    expect(runChecks(answer({ finishReason })).finished).toBe(finished)
  })

  test('white space is empty, a tool call is not', () => {
    expect(runChecks(answer({ text: ' \n' })).not_empty).toBe(false)
    expect(runChecks(answer({ text: '', toolCalls: [{ argumentsJson: '{}' }] })).not_empty).toBe(true)
  })

  test('a secret is found in the text and in the arguments of tools', () => {
    expect(runChecks(answer({ text: `Use ${KEY}.` })).leaked_secret).toBe(true)
    const calls = [{ argumentsJson: '{}' }, { argumentsJson: JSON.stringify({ key: KEY }) }]
    expect(runChecks(answer({ toolCalls: calls })).leaked_secret).toBe(true)
  })
})
