import { expect, test } from 'vitest'
import { stripLogprobs } from './strip-logprobs.js'

const token = { token: 'a"}', logprob: -0.1, bytes: [97], top_logprobs: [] }

test('log probabilities become null and every other byte stays', () => {
  const answer = `{ "id":"x", "choices":[{"logprobs": {"content":${JSON.stringify([token])},"refusal":null} ,"n":12345678901234567890}]}`
  expect(stripLogprobs(Buffer.from(answer)).toString()).toBe(
    '{ "id":"x", "choices":[{"logprobs": null ,"n":12345678901234567890}]}',
  )
})

test('every choice is stripped', () => {
  const choices = [0, 1].map((index) => ({
    index,
    message: { content: 'x' },
    logprobs: { content: [token], refusal: null },
  }))
  const stripped = JSON.parse(stripLogprobs(Buffer.from(JSON.stringify({ choices }))).toString())
  expect(stripped).toEqual({ choices: choices.map((choice) => ({ ...choice, logprobs: null })) })
})

test('an answer without them, or that only talks about them, is untouched', () => {
  for (const content of ['plain', 'logprobs', '"logprobs":{"a":1}']) {
    const answer = Buffer.from(JSON.stringify({ choices: [{ message: { content }, logprobs: null }] }))
    expect(stripLogprobs(answer)).toBe(answer)
  }
})
