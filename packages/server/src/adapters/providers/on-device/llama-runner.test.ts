// The real library with a real file: small enough to be made on the spot.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Provider, UpstreamRequest } from '../../../engine/ports.js'
import { RecordingListener, upstreamRequest } from '../../../testing/recording-listener.js'
import { type TinyGgufOptions, tinyGguf, writeTinyGguf } from '../../../testing/tiny-gguf.js'
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

function device(more: Partial<OnDeviceProviderConfig> = {}): Provider {
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
  const provider = openOnDeviceProvider(config, { system: createLiveSystem(), folder })
  open.push(provider)
  return provider
}

function chat(more: Record<string, unknown> = {}, text = 'Hello there'): UpstreamRequest {
  const body = { model: 'tiny', messages: [{ role: 'user', content: text }], seed: 7, max_tokens: 12, ...more }
  return upstreamRequest(body, { model: 'tiny', stream: more['stream'] === true })
}

async function ask(provider: Provider, request: UpstreamRequest): Promise<RecordingListener> {
  const listener = new RecordingListener()
  provider.send(request, listener)
  await listener.done
  return listener
}

test('x', async () => {
  const d = device()
  for (const r of [chat(), chat({ stream: true, logprobs: true, top_logprobs: 2, stream_options: { include_usage: true } }), chat({ response_format: { type: 'json_object' }, max_tokens: 200 }), chat({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', properties: { ok: { type: 'boolean' }, n: { enum: ['a', 'b'] } }, required: ['ok', 'n'] } } }, max_tokens: 200 })]) {
    const l = await ask(d, r)
    console.log(l.status, l.headers, l.body, l.ending)
  }
  const l = await ask(d, upstreamRequest({ model: 't', input: ['a', 'b'] }, { wire: 'openai-embeddings' }))
  console.log(l.status, l.body.slice(0, 300))
  await writeFile(join(folder, 'trunc.gguf'), tinyGguf().subarray(0, 200_000))
  const k = await ask(device({ modelPath: 'trunc.gguf' }), chat())
  console.log(k.status, k.headers, k.body)
})
