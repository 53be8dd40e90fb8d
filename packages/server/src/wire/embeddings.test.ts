// OpenAI's embeddings on the caller's side: requests read, answers written.

import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { type EmbeddingsRequest, decodeEmbeddingsRequest, encodeEmbeddingsAnswer } from './embeddings.js'

describe('a request', () => {
  test.each([
    ['text', ['text']],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1], [2, 3]],
      [[1], [2, 3]],
    ],
  ])('with the input %j', (input, inputs) => {
    expect(decodeEmbeddingsRequest({ model: 'm', input })).toEqual({
      kind: 'ok',
      value: { model: 'm', inputs, dimensions: null, encodingFormat: 'float', user: null },
    })
  })

  test('with everything it can say', () => {
    const body = { model: 'm', input: 'x', dimensions: 256, encoding_format: 'base64', user: 'u' }
    expect(decodeEmbeddingsRequest(body)).toEqual({
      kind: 'ok',
      value: { model: 'm', inputs: ['x'], dimensions: 256, encodingFormat: 'base64', user: 'u' },
    })
  })

  test.each([
    [{}, 'input'],
    [{ input: '' }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: ['x', ''] }, 'input'],
    [{ input: [[]] }, 'input'],
    [{ input: [1, 'x'] }, 'input'],
    [{ input: 'x', dimensions: 0 }, 'dimensions'],
    [{ input: 'x', encoding_format: 'int8' }, 'encoding_format'],
    [{ input: 'x', input_type: 'query' }, 'input_type'],
    [{ input: 'x', model: 7 }, 'model'],
  ])('%j is refused at %s', (fields, at) => {
    expect(decodeEmbeddingsRequest({ model: 'm', ...fields })).toMatchObject({
      kind: 'invalid',
      problems: [{ at }],
    })
  })

  test('is an object, and nothing makes its reading throw', () => {
    expect(decodeEmbeddingsRequest('x')).toMatchObject({ kind: 'invalid' })
    fc.assert(fc.property(fc.jsonValue(), (input) => void decodeEmbeddingsRequest({ model: 'm', input })))
  })
})

const REQUEST: EmbeddingsRequest = {
  model: 'asked-for',
  inputs: ['x'],
  dimensions: null,
  encodingFormat: 'float',
  user: null,
}

describe('an answer', () => {
  const answer = { model: '', vectors: [[0.5, -0.25], [1]], inputTokens: 7 }

  test('has a vector per input, in order, and the tokens', () => {
    expect(encodeEmbeddingsAnswer(answer, REQUEST)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -0.25] },
        { object: 'embedding', index: 1, embedding: [1] },
      ],
      model: 'asked-for',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    })
  })

  test('names the model that the provider named', () => {
    expect(encodeEmbeddingsAnswer({ ...answer, model: 'theirs' }, REQUEST)).toMatchObject({ model: 'theirs' })
  })

  test('without tokens has no usage: a zero would be believed', () => {
    expect(encodeEmbeddingsAnswer({ ...answer, inputTokens: null }, REQUEST)).not.toHaveProperty('usage')
  })

  test('in base64 is what the official client asks for by itself, and reads', async () => {
    const vector = [0.1, -2.5, 3e-8, 1e20]
    const client = new OpenAI({
      apiKey: 'none',
      maxRetries: 0,
      fetch: async (_, init) => {
        const body = typeof init?.body === 'string' ? init.body : ''
        const request = decodeEmbeddingsRequest(JSON.parse(body))
        const value = request.kind === 'ok' ? request.value : REQUEST
        expect(value.encodingFormat).toBe('base64')
        return Response.json(encodeEmbeddingsAnswer({ ...answer, vectors: [vector] }, value))
      },
    })
    const read = await client.embeddings.create({ model: 'm', input: 'x' })
    expect(read.data[0]?.embedding).toEqual(vector.map(Math.fround))
  })
})
