// The real library with a real file: small enough to be made on the spot.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Provider, UpstreamRequest } from '../../../engine/ports.js'
import { RecordingListener, upstreamRequest } from '../../../testing/recording-listener.js'
import { tinyGguf, writeTinyGguf } from '../../../testing/tiny-gguf.js'
import { createLiveSystem } from '../../system/live-system.js'
import { openOnDeviceProvider } from './open-on-device.js'
import type { OnDeviceProviderConfig } from './on-device-provider.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-device-'))
  await writeTinyGguf(join(folder, 'tiny.gguf'))
  await writeTinyGguf(join(folder, 'sharp.gguf'), { sharpness: 40 })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const open: Provider[] = []
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.close()
})

function device(more: Partial<OnDeviceProviderConfig> = {}, isInstalled = true): Provider {
  const config: OnDeviceProviderConfig = {
    kind: 'on-device',
    name: 'device',
    hosting: 'on-device',
    region: null,
    retentionDays: null,
    trainsOnData: null,
    timeoutMs: 60_000,
    headers: {},
    modelPath: 'tiny.gguf',
    threads: 1,
    contextTokens: null,
    sequences: 2,
    gpu: false,
    ...more,
  }
  const provider = openOnDeviceProvider(config, {
    system: createLiveSystem(),
    folder,
    ...(!isInstalled && { isInstalled: () => false }),
  })
  open.push(provider)
  return provider
}

function chat(more: Record<string, unknown> = {}, text = 'Hello there'): UpstreamRequest {
  const body = {
    model: 'tiny',
    messages: [{ role: 'user', content: text }],
    seed: 7,
    max_tokens: 12,
    ...more,
  }
  return upstreamRequest(body, { model: 'tiny', stream: more['stream'] === true })
}

async function ask(provider: Provider, request: UpstreamRequest): Promise<RecordingListener> {
  const listener = new RecordingListener()
  provider.send(request, listener)
  await listener.done
  return listener
}

const lines = (listener: RecordingListener): unknown[] =>
  listener.body
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice('data: '.length)) as unknown)

interface Logprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
  readonly top_logprobs: readonly Omit<Logprob, 'top_logprobs'>[]
}
interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string }
    readonly logprobs: { readonly content: readonly Logprob[] } | null
    readonly finish_reason: string
  }[]
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number }
}

async function complete(provider: Provider, request: UpstreamRequest) {
  const listener = await ask(provider, request)
  const body = JSON.parse(listener.body) as Completion
  const [choice] = body.choices ?? []
  if (choice === undefined) throw new Error(listener.body)
  return { ...choice, usage: body.usage, text: choice.message.content }
}

describe('a chat', () => {
  test('is answered whole, with the tokens it really took', async () => {
    const listener = await ask(device(), chat())
    expect([listener.status, listener.headers['content-type']]).toEqual([200, 'application/json'])
    // A beginning token, and one for each character of `[user] Hello there\n[assistant] `.
    const usage = { prompt_tokens: 32, completion_tokens: 12, total_tokens: 44 }
    expect(JSON.parse(listener.body)).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      model: 'tiny',
      choices: [{ index: 0, message: { role: 'assistant', content: expect.any(String) }, logprobs: null }],
      usage,
    })
  })

  test('streams the very tokens it answers whole, then usage, then the end', async () => {
    const provider = device()
    const whole = await complete(provider, chat())
    const more = { stream: true, stream_options: { include_usage: true } }
    const listener = await ask(provider, chat(more))
    expect(listener.headers['content-type']).toContain('text/event-stream')
    const chunks = lines(listener) as {
      choices: { delta: { content?: string }; finish_reason: string | null }[]
      usage: unknown
    }[]
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
    expect(text).toBe(whole.text)
    expect(chunks.at(-2)).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: null })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
    expect(listener.body.endsWith('data: [DONE]\n\n')).toBe(true)
    // A token at a time, not all at the end.
    expect(listener.calls.filter((name) => name === 'data').length).toBeGreaterThan(10)
  })

  test('gives the same answer for the same seed, another for another', async () => {
    const provider = device()
    const texts = await Promise.all(
      [7, 7, 8].map(async (seed) => (await complete(provider, chat({ seed }))).text),
    )
    expect(texts[0]).toBe(texts[1])
    expect(texts[2]).not.toBe(texts[0])
  })

  test('tells log probabilities that are true: at temperature 0 the chosen token is the most probable', async () => {
    const more = { temperature: 0, logprobs: true, top_logprobs: 3 }
    const { logprobs, text } = await complete(device(), chat(more))
    const content = logprobs?.content ?? []
    expect(content.map(({ token }) => token).join('')).toBe(text)
    for (const { token, logprob, bytes, top_logprobs: top } of content) {
      expect(bytes).toEqual([...Buffer.from(token)])
      expect(logprob).toBeLessThan(0)
      expect(top[0]).toEqual({ token, logprob, bytes })
      expect(top.map((one) => one.logprob)).toEqual(top.map((one) => one.logprob).toSorted((a, b) => b - a))
      expect(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)).toBeLessThanOrEqual(1.000_001)
    }
  })

  test('a sharp model is sure, a flat one is not: confidence is measured, not made up', async () => {
    const more = { temperature: 0, logprobs: true }
    const meanOf = async (provider: Provider) => {
      const { logprobs } = await complete(provider, chat(more))
      const content = logprobs?.content ?? []
      return content.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) / content.length
    }
    expect(await meanOf(device({ modelPath: 'sharp.gguf' }))).toBeGreaterThan(0.9)
    expect(await meanOf(device())).toBeLessThan(0.7)
  })

  test('keeps a schema', async () => {
    const schema = {
      type: 'object',
      properties: { paid: { type: 'boolean' }, tone: { enum: ['calm', 'angry'] } },
      required: ['paid', 'tone'],
      additionalProperties: false,
    }
    const format = { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } }
    for (const seed of [1, 2, 3]) {
      const answer = await complete(device(), chat({ response_format: format, max_tokens: 200, seed }))
      expect(answer.finish_reason).toBe('stop')
      expect(answer.text.endsWith('}')).toBe(true)
      const value = JSON.parse(answer.text) as { paid: unknown; tone: unknown }
      expect(typeof value.paid).toBe('boolean')
      expect(['calm', 'angry']).toContain(value.tone)
    }
  })

  test('writes JSON when JSON is asked for', async () => {
    const { text } = await complete(
      device(),
      chat({ response_format: { type: 'json_object' }, max_tokens: 8 }),
    )
    expect(text[0]).toBe('{')
  })

  test('ends before a stop sequence', async () => {
    const provider = device()
    const { text } = await complete(provider, chat())
    const stop = text.slice(4, 6)
    const stopped = await complete(provider, chat({ stop }))
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)))
    expect(stopped.finish_reason).toBe('stop')
  })

  test('penalties change what is said', async () => {
    const provider = device({ modelPath: 'sharp.gguf' })
    const more = { temperature: 0, max_tokens: 120 }
    const plain = await complete(provider, chat(more))
    const penalised = await complete(provider, chat({ ...more, frequency_penalty: 2, presence_penalty: 2 }))
    expect(new Set(penalised.text).size).toBeGreaterThan(new Set(plain.text).size)
  })

  test('fills its context and says that this was the end', async () => {
    const { usage, finish_reason: finish } = await complete(
      device({ modelPath: 'sharp.gguf', contextTokens: 64 }),
      chat({ max_tokens: 5_000, temperature: 0 }),
    )
    expect(usage.prompt_tokens + usage.completion_tokens).toBe(64)
    expect(finish).toBe('length')
  })

  test.each([
    ['a little', 600],
    ['beyond counting', 200_000],
  ])('a prompt that is too long by %s is refused by its code', async (_, characters) => {
    const listener = await ask(device(), chat({}, 'a'.repeat(characters)))
    expect(listener.status).toBe(400)
    expect(JSON.parse(listener.body)).toMatchObject({
      error: { code: 'context_length_exceeded', param: 'messages', message: expect.stringContaining('512') },
    })
  })

  test('what a caller writes is text, not control', async () => {
    const provider = device()
    const plain = await complete(provider, chat({}, 'a'))
    const marked = await complete(provider, chat({}, 'a</s>'))
    expect(marked.usage.prompt_tokens - plain.usage.prompt_tokens).toBe('</s>'.length)
  })
})

describe('a caller', () => {
  test('who leaves stops the generation, and the sequence serves the next', async () => {
    const provider = device({ sequences: 1, modelPath: 'sharp.gguf' })
    let abort = (): void => {}
    const listener = new RecordingListener(() => abort())
    const request = chat({ stream: true, temperature: 0, max_tokens: 400 })
    const call = provider.send(request, listener)
    abort = () => call.abort()
    await listener.nextChunk()
    expect((await ask(provider, chat())).status).toBe(200)
    expect(listener.calls).toEqual(['head', 'data'])
  })

  test('who leaves during a long prompt is not waited for', async () => {
    const provider = device({ sequences: 1 })
    const listener = new RecordingListener()
    provider.send(chat({}, 'a'.repeat(400)), listener).abort()
    expect((await ask(provider, chat())).status).toBe(200)
    expect(listener.calls).toEqual([])
  })

  test('many at once are all answered', async () => {
    const provider = device({ sequences: 2 })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => complete(provider, chat({ seed: index }, `Question ${index}`))),
    )
    expect(answers.map(({ usage }) => usage.completion_tokens)).toEqual(Array(8).fill(12))
  })
})

describe('embeddings', () => {
  test('are unit vectors, in both encodings, with the tokens they took', async () => {
    const provider = device()
    const embed = async (more: Record<string, unknown> = {}) => {
      const body = { model: 'tiny', input: ['one text', 'another'], ...more }
      const listener = await ask(
        provider,
        upstreamRequest(body, { wire: 'openai-embeddings', model: 'tiny' }),
      )
      return { status: listener.status, body: JSON.parse(listener.body) as { data: { embedding: never }[] } }
    }
    const { status, body } = await embed()
    expect(status).toBe(200)
    expect(body).toMatchObject({ object: 'list', model: 'tiny', usage: { prompt_tokens: 15 } })
    const vectors = body.data.map(({ embedding }) => embedding as number[])
    expect(vectors.map(({ length }) => length)).toEqual([64, 64])
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    const encoded = await embed({ encoding_format: 'base64' })
    const bytes = Buffer.from(encoded.body.data[0]?.embedding ?? '', 'base64')
    expect(bytes.readFloatLE(0)).toBeCloseTo(vectors[0]?.[0] ?? 0, 6)
    expect((await embed({ dimensions: 32 })).status).toBe(400)
    expect((await embed({ input: 'a'.repeat(600) })).status).toBe(400)
    expect((await embed({ input: [[1, 2]] })).status).toBe(400)
  })
})

describe('a model file', () => {
  test('that is not there, or something else, stops the release', async () => {
    expect(() => device({ modelPath: 'none.gguf' })).toThrow(/provider device: model_path: there is no file/)
    await writeFile(join(folder, 'text.gguf'), 'not a model')
    expect(() => device({ modelPath: 'text.gguf' })).toThrow(/text\.gguf is not a GGUF file/)
    expect(() => device({ modelPath: '.' })).toThrow(/cannot be read/)
  })

  test('is of no use without the package that runs it, which the release is told to install', () => {
    expect(() => device({}, false)).toThrow(
      'provider device: it needs the package node-llama-cpp: npm install node-llama-cpp@3.22.1',
    )
  })

  test.each([
    ['in its tensors', 200_000],
    ['in its header', 2_000],
  ])('that was cut %s fails the call, and the file is named without its folder', async (_, bytes) => {
    const path = `cut-${bytes}.gguf`
    await writeFile(join(folder, path), tinyGguf().subarray(0, bytes))
    const listener = await ask(device({ modelPath: path }), chat())
    expect(listener.status).toBe(503)
    const { error } = JSON.parse(listener.body) as { error: { code: string; message: string } }
    expect(error.code).toBe('model_not_loaded')
    expect(error.message).toContain(`The model file ${path} cannot be loaded`)
    expect(error.message).not.toContain(folder)
  })

  test('is loaded by a later call once it is whole', async () => {
    const path = join(folder, 'late.gguf')
    await writeFile(path, tinyGguf().subarray(0, 2_000))
    const provider = device({ modelPath: 'late.gguf' })
    expect((await ask(provider, chat())).status).toBe(503)
    await writeFile(path, tinyGguf())
    expect((await ask(provider, chat())).status).toBe(200)
  })

  test('is freed by closing, and nothing is answered after', async () => {
    const provider = device()
    expect((await ask(provider, chat())).status).toBe(200)
    await provider.close()
    expect((await ask(provider, chat())).ending).toMatch(/^connection: .*closed/)
  })
})
