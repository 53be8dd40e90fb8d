// R4, R5: the official clients cannot tell which kind of provider answered. Every suite that holds for
// OpenAI and Anthropic holds for Azure, Bedrock, Gemini, Vertex and the servers people host themselves.

import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatSuite } from './support/chat-suite.js'
import { helpersSuite } from './support/helpers-suite.js'
import { messagesSuite } from './support/messages-suite.js'
import { responsesSuite } from './support/responses-suite.js'
import { KEY, VENDOR_MODELS, type Vendors, startVendors } from './support/vendors/all.js'

let vendors: Vendors
beforeAll(async () => {
  vendors = await startVendors()
})
afterAll(() => vendors[Symbol.asyncDispose]())

const openai = () => new OpenAI({ baseURL: `${vendors.server.url}/v1`, apiKey: KEY, maxRetries: 0 })
const anthropic = () => new Anthropic({ baseURL: vendors.server.url, apiKey: KEY, maxRetries: 0 })

describe.each(Object.entries(VENDOR_MODELS))('%s', (_, model) => {
  describe('asked in chat completions', () => {
    chatSuite({ model, client: openai })
  })
  describe('asked in messages', () => {
    messagesSuite({ model, client: anthropic })
  })
  describe("asked through the clients' helpers", () => {
    helpersSuite({ model, openai, anthropic })
  })
  describe('asked in responses', () => {
    responsesSuite({ model, client: openai })
  })
})

test.each(['titan-embeddings', 'gemini-embeddings'])('embeddings of %s have their shape', async (model) => {
  for (const encoding_format of ['float', 'base64'] as const) {
    const input = 'Where is my order?'
    const { data, usage } = await openai().embeddings.create({ model, input, encoding_format })
    expect(data).toHaveLength(1)
    expect(typeof data[0]?.embedding).toBe(encoding_format === 'float' ? 'object' : 'string')
    expect(usage.prompt_tokens).toBeGreaterThan(0)
  }
})

test('tokens are counted by Claude on Vertex itself', async () => {
  const counted = await anthropic()
    .messages.countTokens({
      model: 'claude-on-vertex',
      messages: [{ role: 'user', content: 'Where is my order?' }],
    })
    .withResponse()
  expect(counted.data.input_tokens).toBeGreaterThan(0)
  expect(counted.response.headers.get('x-spillway-estimated')).toBeNull()
})
