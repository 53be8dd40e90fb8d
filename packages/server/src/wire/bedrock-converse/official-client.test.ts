// AWS's own client as the judge: it writes the same requests, and reads the frames that stand in for Bedrock's.

import { Readable } from 'node:stream'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { describe, expect, test } from 'vitest'
import type { ModelRequest } from '../../core/model/message.js'
import { exceptionFrame } from '../../testing/converse-frames.js'
import { modelRequest } from '../../testing/model-request.js'
import { CONVERSE_STREAMS, converseEvents, converseStream } from '../../testing/recorded-streams.js'
import { bedrockConverse } from '../bedrock-converse.js'

interface Answer {
  readonly type: string
  readonly body: Uint8Array
}

/** A client whose requests go nowhere: each is kept, and answered with `answer`. */
function clientOf(answer: Answer) {
  const bodies: unknown[] = []
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: {
      handle: (request: { readonly body?: unknown }) => {
        bodies.push(JSON.parse(new TextDecoder().decode(request.body as Uint8Array)))
        const headers = { 'content-type': answer.type }
        const response = { statusCode: 200, headers, body: Readable.from([Buffer.from(answer.body)]) }
        return Promise.resolve({ response })
      },
    },
  })
  return { client, bodies }
}

async function officialBody(input: Omit<ConverseCommandInput, 'modelId'>): Promise<unknown> {
  const { client, bodies } = clientOf({ type: 'application/json', body: Buffer.from('{}') })
  await client.send(new ConverseCommand({ modelId: 'm', ...input }))
  return bodies[0]
}

function ourBody(changes: Partial<ModelRequest>): unknown {
  const encoded = bedrockConverse.encodeRequest(modelRequest(changes))
  return encoded.kind === 'ok' ? JSON.parse(JSON.stringify(encoded.value)) : encoded
}

const BYTES = Buffer.from('some bytes')
const data = BYTES.toString('base64')

describe('the official client writes the same body', () => {
  test('of turns, tools, images, documents, reasoning, marks and limits', async () => {
    const ours = ourBody({
      messages: [
        { role: 'system', parts: [{ kind: 'text', text: 'Brief.', cacheControl: { type: 'ephemeral' } }] },
        {
          role: 'user',
          parts: [
            { kind: 'text', text: 'Look.' },
            { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data } },
            {
              kind: 'document',
              title: 'One',
              source: { kind: 'base64', mediaType: 'application/pdf', data },
            },
            { kind: 'document', title: 'Two', source: { kind: 'text', text: 'Words' }, cite: true },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { kind: 'reasoning', text: 'hm', signature: 's' },
            { kind: 'reasoning', text: '', redacted: data },
            { kind: 'tool-call', id: 'a', name: 'f', argumentsJson: '{"at":1}' },
          ],
        },
        {
          role: 'user',
          parts: [
            { kind: 'tool-result', callId: 'a', content: [{ kind: 'text', text: 'No.' }], isError: true },
          ],
        },
      ],
      tools: [{ name: 'f', description: 'Does f.', parameters: { type: 'object', properties: {} } }],
      toolChoice: { kind: 'required' },
      maxOutputTokens: 50,
      temperature: 0.5,
      topP: 0.9,
      topK: 7,
      stop: ['END'],
    })
    const theirs = await officialBody({
      system: [{ text: 'Brief.' }, { cachePoint: { type: 'default' } }],
      messages: [
        {
          role: 'user',
          content: [
            { text: 'Look.' },
            { image: { format: 'png', source: { bytes: BYTES } } },
            { document: { format: 'pdf', name: 'One', source: { bytes: BYTES } } },
            {
              document: {
                format: 'txt',
                name: 'Two',
                source: { text: 'Words' },
                citations: { enabled: true },
              },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
            { reasoningContent: { redactedContent: BYTES } },
            { toolUse: { toolUseId: 'a', name: 'f', input: { at: 1 } } },
          ],
        },
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: 'a', content: [{ text: 'No.' }], status: 'error' } }],
        },
      ],
      inferenceConfig: { maxTokens: 50, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'f',
              description: 'Does f.',
              inputSchema: { json: { type: 'object', properties: {} } },
            },
          },
        ],
        toolChoice: { any: {} },
      },
      additionalModelRequestFields: { top_k: 7 },
      additionalModelResponseFieldPaths: ['/stop_sequence'],
    })
    expect(ours).toEqual(theirs)
  })

  test('of a schema and an effort', async () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false }
    const ours = ourBody({
      model: 'anthropic.claude-opus-4-6-v1',
      json: { name: 'reply', schema, strict: true },
      reasoning: { effort: 'low', budgetTokens: null, visible: false },
      maxOutputTokens: null,
    })
    const theirs = await officialBody({
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      outputConfig: {
        textFormat: {
          type: 'json_schema',
          structure: { jsonSchema: { name: 'reply', schema: JSON.stringify(schema) } },
        },
        effort: 'low',
      },
      additionalModelRequestFields: { thinking: { type: 'adaptive' } },
    })
    expect(ours).toEqual(theirs)
  })
})

async function readByClient(body: Uint8Array): Promise<readonly object[]> {
  const { client } = clientOf({ type: 'application/vnd.amazon.eventstream', body })
  const { stream } = await client.send(new ConverseStreamCommand({ modelId: 'm', messages: [] }))
  const events: object[] = []
  for await (const event of stream ?? []) events.push(event)
  return events
}

describe('the official client reads the frames', () => {
  test.each(CONVERSE_STREAMS)('of %s', async (name) => {
    const events = await readByClient(converseStream(name))
    expect(events.map((event) => Object.keys(event)[0])).toEqual(converseEvents(name).map(([type]) => type))
  })

  test('and what an exception says', async () => {
    const frame = exceptionFrame('throttlingException', { message: 'Too many requests' })
    const refused = readByClient(Buffer.concat([converseStream('text'), frame]))
    await expect(refused).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Too many requests' })
  })

  test('and refuses a damaged one, as we do', async () => {
    const damaged = Buffer.from(converseStream('text'))
    damaged[40] = (damaged[40] ?? 0) ^ 1
    await expect(readByClient(damaged)).rejects.toThrow(/checksum/)
  })
})
