import { expect, test } from 'vitest'
import { openAiEmbeddings } from './openai-embeddings.js'

const viewOf = (input: unknown) => openAiEmbeddings.view({ model: 'text-embedding-3-small', input })

test.each([
  ['Grüße', 7],
  [['ab', 'cd'], 4],
  [[1, 2, 3], 12],
  [[[1, 2], [3]], 12],
])('input %j is sized as %i bytes', (input, promptBytes) => {
  const view = viewOf(input)
  expect(view.kind === 'ok' && view.value).toMatchObject({ promptBytes, maxOutputTokens: 0, stream: false })
})

test.each(['', [], [null], 7, undefined, [{}]])('input %j is refused', (input) => {
  expect(viewOf(input)).toMatchObject({ kind: 'invalid', problems: [{ at: 'input' }] })
})

test('only the model is patched: there is no output to limit', () => {
  const patched = openAiEmbeddings.patch(Buffer.from('{"model":"a","input":[1]}'), {
    model: 'b',
    maxOutputTokens: 5,
  })
  expect(Buffer.from(patched).toString()).toBe('{"model":"b","input":[1]}')
})

test('an answer is its vectors and the usage of the prompt', () => {
  const body = {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
    usage: { prompt_tokens: 8, total_tokens: 8 },
  }
  expect(openAiEmbeddings.readAnswer(body)?.usage?.tokens.input).toBe(8)
  for (const other of ['<html>', {}, { data: [] }, { data: [{}] }, { error: { message: 'x' } }]) {
    expect(openAiEmbeddings.readAnswer(other)).toBeNull()
  }
})

test('neither streams nor crosses formats', () => {
  const scanner = openAiEmbeddings.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
  expect(scanner.push(Buffer.from('data: x\n\n'))).toBeNull()
  expect(scanner.facts).toMatchObject({ malformed: true, ended: false })
  expect(openAiEmbeddings.decodeRequest({}).kind).toBe('invalid')
  expect(openAiEmbeddings.decodeAnswer({})).toBeNull()
  expect(openAiEmbeddings.decoder().push(Buffer.from('data: x\n\n'))).toMatchObject([{ kind: 'error' }])
})
