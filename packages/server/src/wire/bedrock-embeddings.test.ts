// Embeddings on Bedrock: a body per maker, answers by their shape.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bedrockEmbeddings } from './bedrock-embeddings.js'
import type { EmbeddingsRequest } from './embeddings.js'
import { providerFormatOf } from './formats.js'

const request = (changes: Partial<EmbeddingsRequest>): EmbeddingsRequest => ({
  model: 'amazon.titan-embed-text-v2:0',
  inputs: ['Hello'],
  dimensions: null,
  encodingFormat: 'float',
  user: null,
  ...changes,
})

const TITAN_1 = 'amazon.titan-embed-text-v1'
const TITAN_2 = 'amazon.titan-embed-text-v2:0'
const TITAN_IMAGE = 'amazon.titan-embed-image-v1'
const NOVA = 'amazon.nova-2-multimodal-embeddings-v1:0'
const COHERE_3 = 'cohere.embed-multilingual-v3'
const COHERE_4 = 'us.cohere.embed-v4:0'

describe('a request', () => {
  test.each([
    [TITAN_1, null, { inputText: 'Hello' }],
    [TITAN_2, null, { inputText: 'Hello', normalize: true }],
    [TITAN_2, 256, { inputText: 'Hello', dimensions: 256, normalize: true }],
    [TITAN_IMAGE, 384, { inputText: 'Hello', embeddingConfig: { outputEmbeddingLength: 384 } }],
    [
      NOVA,
      1024,
      {
        schemaVersion: 'nova-multimodal-embed-v1',
        taskType: 'SINGLE_EMBEDDING',
        singleEmbeddingParams: {
          embeddingPurpose: 'GENERIC_INDEX',
          embeddingDimension: 1024,
          text: { truncationMode: 'NONE', value: 'Hello' },
        },
      },
    ],
    [COHERE_3, null, { texts: ['Hello'], input_type: 'search_document', embedding_types: ['float'] }],
    [
      COHERE_4,
      512,
      { texts: ['Hello'], input_type: 'search_document', embedding_types: ['float'], output_dimension: 512 },
    ],
  ])('to %s of %s dimensions', (model, dimensions, value) => {
    expect(bedrockEmbeddings.encodeEmbeddings(request({ model, dimensions }))).toEqual({ kind: 'ok', value })
  })

  test.each([
    ['an unknown model', { model: 'meta.llama3-8b-instruct-v1:0' }, 'model'],
    ['two texts at once, for Titan', { inputs: ['a', 'b'] }, 'input'],
    ['two texts at once, for Nova', { model: NOVA, inputs: ['a', 'b'] }, 'input'],
    ['97 texts, for Cohere', { model: COHERE_3, inputs: Array(97).fill('a') as string[] }, 'input'],
    ['token ids', { inputs: [[1, 2, 3]] }, 'input'],
    ['a length that the model does not have', { dimensions: 300 }, 'dimensions'],
    ['any length, for the first Titan', { model: TITAN_1, dimensions: 256 }, 'dimensions'],
  ])('%s is refused by the name of its field', (_, changes, at) => {
    expect(bedrockEmbeddings.encodeEmbeddings(request(changes))).toMatchObject({
      kind: 'invalid',
      problems: [{ at }],
    })
  })

  test('of 96 texts is one call of Cohere', () => {
    const inputs = Array.from({ length: 96 }, (_, index) => `text ${index}`)
    expect(bedrockEmbeddings.encodeEmbeddings(request({ model: COHERE_4, inputs }))).toMatchObject({
      kind: 'ok',
      value: { texts: inputs },
    })
  })
})

describe('an answer', () => {
  test.each([
    ['Titan', { embedding: [0.1, 0.2], inputTextTokenCount: 4 }, [[0.1, 0.2]], 4],
    [
      'Titan, by type',
      { embedding: [0.1], embeddingsByType: { float: [0.1] }, inputTextTokenCount: 4 },
      [[0.1]],
      4,
    ],
    [
      'Cohere',
      { embeddings: [[0.1], [0.2]], id: 'x', response_type: 'embeddings_floats', texts: ['a', 'b'] },
      [[0.1], [0.2]],
      null,
    ],
    [
      'Cohere, by type',
      { embeddings: { float: [[0.1], [0.2]] }, id: 'x', response_type: 'embeddings_by_type' },
      [[0.1], [0.2]],
      null,
    ],
    ['Nova', { embeddings: [{ embeddingType: 'TEXT', embedding: [0.1, 0.2] }] }, [[0.1, 0.2]], null],
  ])('of %s', (_, body, vectors, inputTokens) => {
    expect(bedrockEmbeddings.decodeEmbeddings(body)).toEqual({ model: '', vectors, inputTokens })
  })

  test('tells its tokens as usage, or no usage', () => {
    const readAnswer = (body: unknown) => bedrockEmbeddings.readAnswer(body)
    expect(readAnswer({ embedding: [0.1], inputTextTokenCount: 4 })?.usage).toMatchObject({
      tokens: { input: 4, output: 0 },
      providerTotals: { input: 4, output: 0 },
    })
    expect(readAnswer({ embeddings: [[0.1]] })).toMatchObject({ usage: null })
  })

  test.each([
    [null],
    ['<html>'],
    [{}],
    [{ message: 'no' }],
    [{ embedding: [] }],
    [{ embedding: ['0.1'] }],
    [{ embeddings: [] }],
    [{ embeddings: [[0.1], []] }],
    [{ embeddings: [{ embeddingType: 'TEXT' }] }],
  ])('%j is none', (body) => {
    expect(bedrockEmbeddings.decodeEmbeddings(body)).toBe(null)
    expect(bedrockEmbeddings.readAnswer(body)).toBe(null)
  })

  test('of any shape does not throw', () => {
    const body = fc.record({ embedding: fc.jsonValue(), embeddings: fc.jsonValue() }, { requiredKeys: [] })
    fc.assert(fc.property(body, (one) => void bedrockEmbeddings.decodeEmbeddings(one)))
  })
})

test('it is no format of conversations', () => {
  const format = providerFormatOf('bedrock-embeddings')
  const options = { keepUsage: true, keepLogprobs: true, collect: false }
  expect(format.decodeAnswer({ embedding: [0.1] })).toBe(null)
  expect(format.scanner(options).facts.malformed).toBe(true)
  expect(format.decoder().push(Buffer.from('x'))).toMatchObject([{ kind: 'error' }])
})
