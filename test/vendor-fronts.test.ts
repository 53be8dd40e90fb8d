// The vendors' own clients accept the fronts that stand in for the vendors: what Spillway is tested against
// is what these clients are made for.

import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AzureOpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningProcess, startSim } from './support/server.js'
import { AWS, startBedrock } from './support/vendors/bedrock.js'
import type { Vendor } from './support/vendors/front.js'
import { GEMINI_KEY, startGemini } from './support/vendors/google.js'
import { AZURE_KEY, startAzure } from './support/vendors/openai-like.js'

let sim: RunningProcess
beforeAll(async () => {
  sim = await startSim(['--output-tokens', '24'])
})
afterAll(() => sim.stop())

const PARAMETERS = {
  type: 'object',
  properties: { order_id: { type: 'integer' } },
  required: ['order_id'],
}

describe('AWS', () => {
  let front: Vendor
  beforeAll(async () => {
    front = await startBedrock(sim.url)
  })
  afterAll(() => front[Symbol.asyncDispose]())
  const client = (credentials = AWS) =>
    new BedrockRuntimeClient({
      region: AWS.region,
      endpoint: front.url,
      credentials,
      maxAttempts: 1,
      // Its own choice is HTTP/2, which Bedrock does not insist on.
      requestHandler: new NodeHttpHandler(),
    })
  const modelId = 'eu.anthropic.claude-3-5-haiku-20241022-v1:0'
  const ask = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'Where is my order?' }] }] }

  test('reads a whole answer', async () => {
    const { output, stopReason, usage } = await client().send(new ConverseCommand(ask))
    expect(output?.message?.content?.[0]?.text).toMatch(/\w/)
    expect([stopReason, (usage?.outputTokens ?? 0) > 0]).toEqual(['end_turn', true])
  })

  test('reads a stream of frames with a tool call', async () => {
    const toolConfig = {
      tools: [{ toolSpec: { name: 'find_order', inputSchema: { json: PARAMETERS } } }],
      toolChoice: { any: {} },
    }
    const { stream } = await client().send(new ConverseStreamCommand({ ...ask, toolConfig }))
    const kinds: string[] = []
    const inputs: string[] = []
    for await (const event of stream ?? []) {
      kinds.push(Object.keys(event)[0] ?? '')
      const { contentBlockIndex: index = 0, delta } = event.contentBlockDelta ?? {}
      if (delta?.toolUse !== undefined) inputs[index] = (inputs[index] ?? '') + (delta.toolUse.input ?? '')
    }
    expect(kinds.slice(0, 2)).toEqual(['messageStart', 'contentBlockStart'])
    expect(kinds.slice(-2)).toEqual(['messageStop', 'metadata'])
    expect(JSON.parse(inputs[0] ?? '')).toEqual({ order_id: expect.any(Number) })
  })

  test('reads a vector', async () => {
    const body = JSON.stringify({ inputText: 'Where is my order?' })
    const answer = await client().send(
      new InvokeModelCommand({
        modelId: 'amazon.titan-embed-text-v2:0',
        body,
        contentType: 'application/json',
      }),
    )
    const { embedding } = JSON.parse(Buffer.from(answer.body).toString('utf8')) as { embedding: number[] }
    expect(embedding.length).toBeGreaterThan(0)
  })

  test('is told that its signature is wrong', async () => {
    const sent = client({ ...AWS, secretAccessKey: 'another' }).send(new ConverseCommand(ask))
    await expect(sent).rejects.toMatchObject({ name: 'InvalidSignatureException' })
  })
})

describe('Google', () => {
  let front: Vendor
  beforeAll(async () => {
    front = await startGemini(sim.url)
  })
  afterAll(() => front[Symbol.asyncDispose]())
  const client = () => new GoogleGenAI({ apiKey: GEMINI_KEY, httpOptions: { baseUrl: front.url } })
  const ask = { model: 'gemini-2.5-flash', contents: 'Where is my order?' }

  test('reads a whole answer', async () => {
    const answer = await client().models.generateContent(ask)
    expect(answer.text).toMatch(/\w/)
    expect(answer.usageMetadata?.candidatesTokenCount).toBeGreaterThan(0)
  })

  test('reads a stream, and a function call in it', async () => {
    const declaration = { name: 'find_order', parametersJsonSchema: PARAMETERS }
    const config = { tools: [{ functionDeclarations: [declaration] }], toolConfig: ANY }
    const calls: unknown[] = []
    for await (const chunk of await client().models.generateContentStream({ ...ask, config }))
      calls.push(...(chunk.functionCalls ?? []).map(({ args }) => args))
    expect(calls).toEqual([{ order_id: expect.any(Number) }])
  })

  test('reads vectors', async () => {
    const asked = { model: 'gemini-embedding-001', contents: ['One.', 'Two.'] }
    const { embeddings } = await client().models.embedContent(asked)
    expect(embeddings).toHaveLength(2)
  })
})

const ANY = { functionCallingConfig: { mode: 'ANY' as never } }

test('Azure: its client reads answers and streams', async () => {
  await using front = await startAzure(sim.url)
  const client = new AzureOpenAI({ endpoint: front.url, apiKey: AZURE_KEY, apiVersion: '2024-10-21' })
  const ask = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Where is my order?' }] }
  const answer = await client.chat.completions.create(ask)
  expect(answer.choices[0]?.message.content).toMatch(/\w/)
  let text = ''
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
    text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toMatch(/\w/)
})
