import { describe, expect, test } from 'vitest'
import type { EmbeddingsRequest } from './embeddings.js'
import { geminiEmbeddings, vertexEmbeddings } from './gemini-embeddings.js'

const request: EmbeddingsRequest = {
  model: 'gemini-embedding-001',
  inputs: ['What is the meaning of life?', 'How does the brain work?'],
  dimensions: null,
  encodingFormat: 'float',
  user: null,
}

describe('AI Studio', () => {
  test('texts become a batch, each with the model', () => {
    expect(geminiEmbeddings.encodeEmbeddings({ ...request, dimensions: 768 })).toEqual({
      kind: 'ok',
      value: {
        requests: request.inputs.map((text) => ({
          model: 'models/gemini-embedding-001',
          content: { parts: [{ text }] },
          outputDimensionality: 768,
        })),
      },
    })
  })

  test('without dimensions none are sent, and a full model name stays as it is', () => {
    const encoded = geminiEmbeddings.encodeEmbeddings({ ...request, model: 'models/x', inputs: ['a'] })
    expect(encoded).toEqual({
      kind: 'ok',
      value: { requests: [{ model: 'models/x', content: { parts: [{ text: 'a' }] } }] },
    })
  })

  test('vectors come in order; tokens only where told', () => {
    const body = { embeddings: [{ values: [-0.022, -0.01] }, { values: [-0.007, 0] }] }
    const vectors = [
      [-0.022, -0.01],
      [-0.007, 0],
    ]
    expect(geminiEmbeddings.decodeEmbeddings(body)).toEqual({ model: '', vectors, inputTokens: null })
    expect(geminiEmbeddings.readAnswer(body)).toMatchObject({ text: '', usage: null, toolCalls: [] })
    const told = { ...body, usageMetadata: { promptTokenCount: 12 } }
    expect(geminiEmbeddings.decodeEmbeddings(told)).toMatchObject({ inputTokens: 12 })
    expect(geminiEmbeddings.readAnswer(told)?.usage).toMatchObject({ tokens: { input: 12, output: 0 } })
  })
})

describe('Vertex', () => {
  test('texts become instances, and too long ones are refused rather than cut', () => {
    expect(vertexEmbeddings.encodeEmbeddings({ ...request, dimensions: 256 })).toEqual({
      kind: 'ok',
      value: {
        instances: request.inputs.map((content) => ({ content })),
        parameters: { autoTruncate: false, outputDimensionality: 256 },
      },
    })
  })

  const prediction = (values: readonly number[], tokens: unknown) => ({
    embeddings: { statistics: { truncated: false, token_count: tokens }, values },
  })

  test('the tokens of all instances are added up', () => {
    const body = {
      predictions: [prediction([0.1, 0.2], 7), prediction([0.3, 0.4], 6)],
      metadata: { billableCharacterCount: 52 },
    }
    const vectors = [
      [0.1, 0.2],
      [0.3, 0.4],
    ]
    expect(vertexEmbeddings.decodeEmbeddings(body)).toEqual({ model: '', vectors, inputTokens: 13 })
    expect(vertexEmbeddings.readAnswer(body)?.usage?.tokens.input).toBe(13)
  })

  test.each([[-1], ['7'], [1.5], [undefined]])('a count of %j is none', (count) => {
    const body = { predictions: [prediction([0.1], 7), prediction([0.3], count)] }
    expect(vertexEmbeddings.decodeEmbeddings(body)).toMatchObject({ inputTokens: null })
  })
})

describe.each([geminiEmbeddings, vertexEmbeddings])('$wire', (format) => {
  test('token ids are refused by their place', () => {
    const encoded = format.encodeEmbeddings({ ...request, inputs: ['a', [1, 2]] })
    expect(encoded).toMatchObject({ kind: 'invalid', problems: [{ at: 'input[1]' }] })
  })

  test.each([
    [null],
    ['<html>'],
    [{}],
    [{ embeddings: [], predictions: [] }],
    [{ embeddings: [{ values: ['a'] }], predictions: [{ embeddings: { values: [] } }] }],
    [{ embeddings: [{ values: [1] }, {}], predictions: [{ embeddings: { values: [1] } }, null] }],
    [{ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }],
  ])('%j is no answer', (body) => {
    expect(format.decodeEmbeddings(body)).toBeNull()
    expect(format.readAnswer(body)).toBeNull()
  })

  test('it has no conversation', () => {
    expect(format.decodeAnswer({})).toBeNull()
    expect(format.decoder().push(new Uint8Array(1))).toMatchObject([{ kind: 'error' }])
    const scanner = format.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
    expect(scanner.facts).toMatchObject({ malformed: true, ended: false })
  })

  test('errors are Google’s', () => {
    const body = JSON.stringify({
      error: {
        code: 429,
        message: 'Quota exceeded for key AIzaSyA1234567890abcdefghij',
        status: 'RESOURCE_EXHAUSTED',
      },
    })
    expect(format.readError(429, body)).toEqual({
      type: 'RESOURCE_EXHAUSTED',
      code: '429',
      message: 'Quota exceeded for key [redacted]',
    })
  })
})
