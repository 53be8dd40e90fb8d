// AWS Bedrock: Converse, ConverseStream and InvokeModel, behind a signature that is computed again and
// compared. Answers are the simulator's, said in Converse; streams are event-stream frames with checksums.

import { createHash, createHmac } from 'node:crypto'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { SignatureV4 } from '@smithy/signature-v4'
import {
  type SimAnswer,
  type Vendor,
  type VendorCall,
  askSim,
  dataOf,
  json,
  startVendor,
  textOf,
} from './front.js'

type Fields = Record<string, unknown>
type List = readonly Fields[]

export const AWS = {
  accessKeyId: 'AKIDEXAMPLE0001',
  secretAccessKey: 'aws-secret-0001',
  region: 'eu-central-1',
}

export function startBedrock(simUrl: string): Promise<Vendor> {
  return startVendor(async (call) => {
    if (!(await isSigned(call))) {
      const message = 'The request signature we calculated does not match the signature you provided.'
      return failed(403, 'InvalidSignatureException', message)
    }
    const [, model = '', operation = ''] = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(call.path) ?? []
    const asked = JSON.parse(call.body.toString('utf8')) as Fields
    const id = decodeURIComponent(model)
    if (operation === 'invoke')
      return embedded(await askSim(simUrl, '/v1/embeddings', embeddingsOf(id, asked)))
    const stream = operation === 'converse-stream'
    const answer = await askSim(simUrl, '/v1/chat/completions', {
      ...chatOf(asked),
      model: id,
      stream,
      ...usage(stream),
    })
    if (answer.status !== 200) return failedLike(answer)
    if (!stream) return json(200, conversed(JSON.parse(await textOf(answer)) as Fields))
    const headers = { 'content-type': 'application/vnd.amazon.eventstream' }
    return { status: 200, headers, body: frames(dataOf(answer.body)) }
  })
}

const usage = (stream: boolean) => (stream ? { stream_options: { include_usage: true } } : {})

function failed(status: number, type: string, message: string) {
  return json(status, { message }, { 'x-amzn-errortype': `${type}:http://internal.amazon.com/` })
}

async function failedLike(answer: SimAnswer) {
  const text = await textOf(answer)
  if (answer.status === 429) return failed(429, 'ThrottlingException', 'Too many requests, please wait.')
  if (answer.status >= 500) return failed(500, 'InternalServerException', 'The system met an error.')
  return failed(400, 'ValidationException', text)
}

/** As the signer wants it: a hash, or with a secret a keyed one. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' ? secret : secret === undefined ? undefined : bytesOf(secret)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {}
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Signs what came with the same key, date and headers: the signatures must be equal. */
async function isSigned(call: VendorCall): Promise<boolean> {
  const header = call.headers['authorization'] ?? ''
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/
  const [, key, region, names = '', signature] = found.exec(header) ?? []
  if (key !== AWS.accessKeyId || region !== AWS.region) return false
  const date = String(call.headers['x-amz-date'] ?? '')
  const signer = new SignatureV4({
    credentials: AWS,
    region: AWS.region,
    service: 'bedrock',
    sha256: Sha256,
    applyChecksum: false,
  })
  const headers = Object.fromEntries(names.split(';').map((name) => [name, String(call.headers[name] ?? '')]))
  const [hostname = '', port] = String(call.headers['host']).split(':')
  const request = {
    method: call.method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: call.path,
    query: Object.fromEntries(call.query),
    headers,
    body: call.body,
  }
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const signed = await signer.sign(request, {
    signingDate: new Date(iso),
    signableHeaders: new Set(names.split(';')),
  })
  return String(signed.headers['authorization']).endsWith(`Signature=${signature}`)
}

function chatOf({ messages, system, inferenceConfig, toolConfig }: Fields): Fields {
  const { maxTokens, temperature, topP, stopSequences } = (inferenceConfig ?? {}) as Fields
  const { tools, toolChoice } = (toolConfig ?? {}) as { tools?: List; toolChoice?: Fields }
  return {
    messages: [
      ...((system ?? []) as List).flatMap(({ text }) =>
        text === undefined ? [] : [{ role: 'system', content: text }],
      ),
      ...(messages as List).flatMap(({ role, content }) => messagesOf(String(role), content as List)),
    ],
    max_tokens: maxTokens,
    temperature,
    top_p: topP,
    stop: stopSequences,
    ...(tools && { tools: tools.flatMap(toolOf), tool_choice: choiceOf(toolChoice) }),
  }
}

function toolOf({ toolSpec }: Fields): List {
  if (toolSpec === undefined) return []
  const { name, description, inputSchema } = toolSpec as Fields
  return [{ type: 'function', function: { name, description, parameters: (inputSchema as Fields)['json'] } }]
}

function choiceOf(choice: Fields | undefined): unknown {
  if (choice?.['any'] !== undefined) return 'required'
  const named = choice?.['tool'] as Fields | undefined
  return named === undefined ? 'auto' : { type: 'function', function: { name: named['name'] } }
}

function messagesOf(role: string, content: List): List {
  const results = content.flatMap(({ toolResult }) => {
    const { toolUseId, content: said } = (toolResult ?? {}) as { toolUseId?: string; content?: List }
    if (toolUseId === undefined) return []
    const text = (said ?? [])
      .map((part) => (part['text'] as string | undefined) ?? JSON.stringify(part['json']))
      .join('')
    return [{ role: 'tool', tool_call_id: toolUseId, content: text }]
  })
  const parts = content.flatMap(partOf)
  const calls = content.flatMap(({ toolUse }) => {
    const { toolUseId: id, name, input } = (toolUse ?? {}) as Fields
    return id === undefined
      ? []
      : [{ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }]
  })
  const said =
    parts.length === 0 && calls.length === 0
      ? []
      : [{ role, content: parts, ...(calls.length > 0 && { tool_calls: calls }) }]
  return [...results, ...said]
}

function partOf({ text, image }: Fields): List {
  if (typeof text === 'string') return [{ type: 'text', text }]
  if (image === undefined) return []
  const { format, source } = image as { format: string; source: { bytes: string } }
  return [{ type: 'image_url', image_url: { url: `data:image/${format};base64,${source.bytes}` } }]
}

const STOPS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'content_filtered',
}

function usageOf(used: unknown): Fields {
  const { prompt_tokens: input, completion_tokens: output } = used as {
    prompt_tokens: number
    completion_tokens: number
  }
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: 0,
    cacheWriteInputTokens: 0,
  }
}

function conversed({ choices, usage: used }: Fields): Fields {
  const [choice = {}] = choices as List
  const { content, tool_calls: calls } = choice['message'] as { content: string | null; tool_calls?: List }
  const blocks = (calls ?? []).map((call) => {
    const { name, arguments: args } = call['function'] as { name: string; arguments: string }
    return { toolUse: { toolUseId: call['id'], name, input: JSON.parse(args) as unknown } }
  })
  return {
    metrics: { latencyMs: 42 },
    output: { message: { role: 'assistant', content: [...(content ? [{ text: content }] : []), ...blocks] } },
    stopReason: STOPS[String(choice['finish_reason'])] ?? 'end_turn',
    usage: usageOf(used),
  }
}

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
)

function eventFrame(type: string, payload: Fields): Uint8Array {
  const text = (value: string) => ({ type: 'string' as const, value })
  return codec.encode({
    headers: {
      ':event-type': text(type),
      ':content-type': text('application/json'),
      ':message-type': text('event'),
    },
    body: Buffer.from(JSON.stringify(payload)),
  })
}

async function* frames(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let open = -1
  let isText = false
  let used: unknown = null
  let stop = 'end_turn'
  yield eventFrame('messageStart', { p: 'abcdefghij', role: 'assistant' })
  for await (const data of chunks) {
    if (data === '[DONE]') break
    const chunk = JSON.parse(data) as Fields
    used = chunk['usage'] ?? used
    const [choice] = chunk['choices'] as List
    if (choice === undefined) continue
    const { content, tool_calls: calls } = choice['delta'] as { content?: string; tool_calls?: List }
    if (content) {
      if (!isText) {
        if (open >= 0) yield eventFrame('contentBlockStop', { contentBlockIndex: open })
        open += 1
        isText = true
      }
      yield eventFrame('contentBlockDelta', { contentBlockIndex: open, delta: { text: content }, p: 'abc' })
    }
    for (const call of calls ?? []) {
      const { name, arguments: args } = call['function'] as { name?: string; arguments?: string }
      if (call['id'] !== undefined) {
        if (open >= 0) yield eventFrame('contentBlockStop', { contentBlockIndex: open })
        open += 1
        isText = false
        yield eventFrame('contentBlockStart', {
          contentBlockIndex: open,
          start: { toolUse: { name, toolUseId: call['id'] } },
        })
      }
      if (args)
        yield eventFrame('contentBlockDelta', {
          contentBlockIndex: open,
          delta: { toolUse: { input: args } },
        })
    }
    stop = STOPS[String(choice['finish_reason'])] ?? stop
  }
  if (open >= 0) yield eventFrame('contentBlockStop', { contentBlockIndex: open })
  yield eventFrame('messageStop', { stopReason: stop })
  yield eventFrame('metadata', { metrics: { latencyMs: 42 }, usage: usageOf(used) })
}

function embeddingsOf(model: string, { inputText, dimensions }: Fields): Fields {
  return { model, input: [inputText], dimensions }
}

/** Titan's answer: one vector. */
async function embedded(answer: SimAnswer) {
  if (answer.status !== 200) return failedLike(answer)
  const { data, usage: used } = JSON.parse(await textOf(answer)) as { data: List; usage: Fields }
  const body = { embedding: data[0]?.['embedding'], inputTextTokenCount: used['prompt_tokens'] }
  return json(200, body, { 'x-amzn-bedrock-input-token-count': String(used['prompt_tokens']) })
}
