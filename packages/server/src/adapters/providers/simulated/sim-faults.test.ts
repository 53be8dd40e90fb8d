import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { Simulation } from '../../../core/release/simulation.js'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { createLiveSystem } from '../../system/live-system.js'
import { createHttpProvider } from '../http-provider.js'
import { RecordingListener, upstreamRequest } from '../../../testing/recording-listener.js'
import { chooseFault } from './choose-fault.js'
import { readDirectives } from './directives.js'
import { goDuration, takeOne } from './rate-bucket.js'
import { BEHAVIOUR, chatBody, messagesBody, simulationWith } from '../../../testing/simulation-examples.js'
import { type SimServer, startSimServer } from './sim-server.js'

const servers: SimServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function start(more: Partial<Simulation> = {}, system = createLiveSystem()): Promise<SimServer> {
  const server = await startSimServer({ port: 0, simulation: simulationWith(more), system })
  servers.push(server)
  return server
}

const KEYS = { authorization: 'Bearer k', 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }

function post(server: SimServer, path: string, body: unknown, orders?: string): Promise<Response> {
  const headers = {
    ...KEYS,
    'content-type': 'application/json',
    ...(orders === undefined ? {} : { 'x-sim': orders }),
  }
  return fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

const askOpenAi = (server: SimServer, orders?: string, more = {}) =>
  post(server, '/v1/chat/completions', chatBody(more), orders)
const askAnthropic = (server: SimServer, orders?: string, more = {}) =>
  post(server, '/v1/messages', messagesBody(more), orders)

const anthropicProvider = (server: SimServer) =>
  createHttpProvider(
    {
      kind: 'anthropic',
      name: 'sim',
      apiKey: 'k',
      baseUrl: server.url,
      hosting: 'hosted',
      region: null,
      retentionDays: null,
      trainsOnData: null,
      timeoutMs: 1_000,
      headers: {},
    },
    { system: createLiveSystem() },
  )

describe('throttling', () => {
  test('OpenAI: 429 with the limits as headers, once the minute is used up', async () => {
    const server = await start({ requestsPerMinute: 2 }, createFakeSystem())
    const first = await askOpenAi(server)
    expect(first.status).toBe(200)
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2')
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect(first.headers.get('x-ratelimit-reset-requests')).toBe('30s')
    await askOpenAi(server)
    const refused = await askOpenAi(server)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('30')
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(refused.headers.get('x-ratelimit-reset-requests')).toBe('1m0s')
    expect(await refused.json()).toMatchObject({
      error: { type: 'requests', code: 'rate_limit_exceeded', param: null },
    })
  })

  test('the bucket refills with time', async () => {
    const system = createFakeSystem()
    const server = await start({ requestsPerMinute: 1 }, system)
    expect((await askOpenAi(server)).status).toBe(200)
    await system.advance(59_999)
    expect((await askOpenAi(server)).status).toBe(429)
    await system.advance(1)
    expect((await askOpenAi(server)).status).toBe(200)
  })

  test('Anthropic: 429 with its own headers and an RFC 3339 reset', async () => {
    const server = await start({ requestsPerMinute: 1 }, createFakeSystem({ startMs: Date.UTC(2026, 0, 1) }))
    await askAnthropic(server)
    const refused = await askAnthropic(server)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('anthropic-ratelimit-requests-limit')).toBe('1')
    expect(refused.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
    expect(refused.headers.get('anthropic-ratelimit-requests-reset')).toBe('2026-01-01T00:01:00Z')
    const body: unknown = await refused.json()
    expect(body).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    expect(body).toHaveProperty('request_id', refused.headers.get('request-id'))
  })

  test('models have buckets of their own, and an order names the wait', async () => {
    const server = await start({ models: { slow: { requestsPerMinute: 1 } } }, createFakeSystem())
    await post(server, '/v1/chat/completions', chatBody({ model: 'slow' }))
    expect((await post(server, '/v1/chat/completions', chatBody({ model: 'slow' }))).status).toBe(429)
    expect((await askOpenAi(server)).status).toBe(200)
    expect((await askOpenAi(server, 'status=429; retry_after=7')).headers.get('retry-after')).toBe('7')
  })

  test('durations are written as OpenAI writes them', () => {
    expect([120, 1_000, 1_500, 60_000, 360_000, 90_250].map(goDuration)).toEqual([
      '120ms',
      '1s',
      '1.5s',
      '1m0s',
      '6m0s',
      '1m30.25s',
    ])
  })

  test('a bucket never grants more than its limit in a minute, plus what it held', () => {
    let bucket: { left: number; atMs: number } | undefined
    let granted = 0
    for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
      const taken = takeOne(bucket, 30, nowMs)
      bucket = taken.bucket
      granted += taken.granted ? 1 : 0
    }
    expect(granted).toBeGreaterThanOrEqual(58)
    expect(granted).toBeLessThanOrEqual(60)
  })
})

describe('faults by chance', () => {
  test('come as often as their rates say, and a retry throws its own coin', () => {
    const behaviour = {
      ...BEHAVIOUR,
      errorRate: 0.1,
      throttleRate: 0.2,
      stallRate: 0.05,
      brokenStreamRate: 0.15,
    }
    const counts: Record<string, number> = {}
    for (let index = 0; index < 20_000; index++) {
      const at = {
        behaviour,
        directives: readDirectives(undefined, ''),
        seed: 3,
        stream: true,
        throttled: false,
      }
      const { kind } = chooseFault({ ...at, occasion: `same request\n${index}` })
      counts[kind] = (counts[kind] ?? 0) + 1 / 20_000
    }
    expect(counts['error']).toBeCloseTo(0.1, 1)
    expect(counts['throttle']).toBeCloseTo(0.2, 1)
    expect(counts['stall']).toBeCloseTo(0.05, 1)
    expect(counts['broken']).toBeCloseTo(0.15, 1)
    expect(counts['none']).toBeCloseTo(0.5, 1)
  })

  test('orders in the text work too, and the header wins', async () => {
    const server = await start()
    const text = 'Where is my card? [[sim:error=503]]'
    expect((await post(server, '/v1/chat/completions', chatBody({}, text))).status).toBe(503)
    expect((await post(server, '/v1/chat/completions', chatBody({}, text), 'error=500')).status).toBe(500)
    expect((await post(server, '/v1/messages', messagesBody({}, text))).status).toBe(503)
  })
})

describe('faults of the answer', () => {
  test('HTML with 200, garbage, missing and wrong usage', async () => {
    const server = await start()
    const html = await askOpenAi(server, 'html')
    expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await html.text()).toMatch(/^<!DOCTYPE html>/)
    const garbage = await askOpenAi(server, 'garbage')
    const text = await garbage.text()
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
    expect(await (await askOpenAi(server, 'no_usage')).json()).not.toHaveProperty('usage')
    expect(await (await askOpenAi(server, 'usage_factor=10')).json()).toMatchObject({
      usage: { completion_tokens: 480 },
    })
    expect(await (await askAnthropic(server, 'usage_factor=0.5')).json()).toMatchObject({
      usage: { output_tokens: 24 },
    })
  })

  test('a broken stream has its first tokens and neither a finish nor an end marker', async () => {
    const server = await start()
    for (const [wire, body] of [
      ['openai-chat', chatBody({ stream: true })],
      ['anthropic-messages', messagesBody({ stream: true })],
    ] as const) {
      const listener = new RecordingListener()
      const base = anthropicProvider(server)
      const request = upstreamRequest(body, { wire, stream: true, headers: { 'x-sim': 'broken_after=3' } })
      const provider = wire === 'anthropic-messages' ? base : openAiProvider(server)
      provider.send(request, listener)
      await listener.done
      expect(listener.ending).toMatch(/^broken: /)
      expect(listener.body).not.toMatch(/\[DONE\]|message_stop|"finish_reason":"|"stop_reason":"/)
      expect(listener.body.match(/"content":"[^"]|text_delta/g)).toHaveLength(3)
      await Promise.all([base.close(), provider === base ? undefined : provider.close()])
    }
  })

  test('an error in a stream is a frame, then the connection ends without an end marker', async () => {
    const server = await start()
    const openai = await (await askOpenAi(server, 'in_band_error=2', { stream: true })).text()
    expect(openai).toMatch(
      /data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":null\}\}\n\n$/,
    )
    const anthropic = await (await askAnthropic(server, 'in_band_error=2', { stream: true })).text()
    expect(anthropic).toMatch(
      /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"[^\n]+\n\n$/,
    )
  })

  test('a stall before the head never answers, one in a stream stays open after its tokens', async () => {
    const server = await start()
    const provider = openAiProvider(server)
    const system = createFakeSystem()
    const impatient = openAiProvider(server, system)
    const silent = new RecordingListener()
    impatient.send(
      upstreamRequest(chatBody(), { headers: { 'x-sim': 'stall' }, headTimeoutMs: 5_000 }),
      silent,
    )
    await until(async () => Object.keys(server.stats().models).length > 0)
    await system.advance(5_000)
    expect(silent.ending).toMatch(/^timeout/)
    const listener = new RecordingListener()
    const body = chatBody({ stream: true })
    const call = provider.send(
      upstreamRequest(body, { stream: true, headers: { 'x-sim': 'stall=2' } }),
      listener,
    )
    await until(async () => (listener.body.match(/"content":"[^"]/g) ?? []).length === 2)
    expect(listener.ending).toBeNull()
    call.abort()
    await Promise.all([provider.close(), impatient.close()])
  })

  test('malformed requests are answered, not crashed on', async () => {
    const server = await start()
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    for (const body of ['', '{', '[]', '"x"', '{"model":1}', '{"model":"m","messages":[5]}', deep]) {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: KEYS,
        body,
      })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
    }
    const nested = `{"type":"object","properties":{"a":`.repeat(3_000) + '{}' + '}}'.repeat(3_000)
    const format = `{"type":"json_schema","json_schema":{"name":"n","schema":${nested}}}`
    const body = `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":${format}}`
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers: KEYS, body })
    expect([200, 400]).toContain(response.status)
    expect((await askOpenAi(server)).status).toBe(200)
  })
})

function openAiProvider(server: SimServer, system = createLiveSystem()) {
  return createHttpProvider(
    {
      kind: 'openai',
      name: 'sim',
      apiKey: 'k',
      baseUrl: `${server.url}/v1`,
      hosting: 'hosted',
      region: null,
      retentionDays: null,
      trainsOnData: null,
      timeoutMs: 1_000,
      headers: {},
    },
    { system },
  )
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}

describe('knobs at run time', () => {
  const turn = (server: SimServer, body: unknown) =>
    fetch(`${server.url}/sim/behaviour`, { method: 'POST', body: JSON.stringify(body) })

  test('an outage begins and ends, for all models or for one', async () => {
    const server = await start()
    expect((await turn(server, { outage: true })).status).toBe(200)
    expect((await askOpenAi(server)).status).toBe(503)
    expect((await askAnthropic(server)).status).toBe(529)
    await turn(server, { outage: false })
    await turn(server, { model: 'gpt-4o', outage: true })
    expect((await askOpenAi(server)).status).toBe(200)
    expect((await post(server, '/v1/chat/completions', chatBody({ model: 'gpt-4o' }))).status).toBe(503)
  })

  test('unknown knobs and wrong values change nothing', async () => {
    const server = await start()
    for (const body of [
      { outrage: true },
      { error_rate: 2 },
      { outage: 1 },
      { output_tokens: 1.5 },
      { model: 3 },
      [],
    ]) {
      expect((await turn(server, body)).status).toBe(400)
    }
    expect(await (await fetch(`${server.url}/sim/behaviour`)).json()).toEqual(simulationWith())
  })
})

describe('its own books', () => {
  test('usage that was delivered is reported, the rest is not', async () => {
    const server = await start()
    const input = Math.ceil(
      Buffer.byteLength(String(JSON.stringify(chatBody()).match(/"content":"([^"]+)"/)?.[1])) / 4,
    )
    await (await askOpenAi(server)).text()
    await (
      await askOpenAi(server, undefined, { stream: true, stream_options: { include_usage: true } })
    ).text()
    await (await askOpenAi(server, undefined, { stream: true })).text()
    await (await askOpenAi(server, 'error=500')).text()
    const broken = await askOpenAi(server, 'broken_after=3', {
      stream: true,
      stream_options: { include_usage: true },
    })
    await expect(broken.text()).rejects.toThrow(/terminated/)
    const brokenAnthropic = await askAnthropic(server, 'broken_after=5', { stream: true })
    await expect(brokenAnthropic.text()).rejects.toThrow(/terminated/)
    const stats: unknown = await (await fetch(`${server.url}/sim/stats`)).json()
    expect(stats).toEqual({
      models: {
        'gpt-4o-mini': {
          requests: 5,
          answered: 3,
          aborted: 0,
          faults: { error: 1, broken: 1 },
          input_tokens: { reported: 2 * input, unreported: 2 * input },
          output_tokens: { reported: 96, unreported: 48 + 3 },
        },
        'claude-3-5-sonnet': {
          requests: 1,
          answered: 0,
          aborted: 0,
          faults: { broken: 1 },
          input_tokens: { reported: input, unreported: 0 },
          output_tokens: { reported: 0, unreported: 5 },
        },
      },
    })
  })

  test('a caller who leaves is counted with what was generated for it', async () => {
    const system = createFakeSystem()
    const server = await start({ tokensPerSecond: 10 }, system)
    const provider = openAiProvider(server)
    const listener = new RecordingListener()
    const call = provider.send(upstreamRequest(chatBody({ stream: true }), { stream: true }), listener)
    await listener.nextChunk()
    await until(async () => {
      await system.advance(100)
      return (listener.body.match(/"content":"[^"]/g) ?? []).length >= 4
    })
    call.abort()
    await until(async () => server.stats().models['gpt-4o-mini']?.aborted === 1)
    const { output_tokens: output } = server.stats().models['gpt-4o-mini'] ?? {}
    expect(output?.reported).toBe(0)
    expect(output?.unreported).toBeGreaterThanOrEqual(4)
    expect(output?.unreported).toBeLessThan(48)
    await provider.close()
  })

  test('a slow reader gets the whole stream', async () => {
    const server = await start()
    const body = await new Promise<string>((resolve, reject) => {
      const headers = { ...KEYS, 'x-sim': 'tokens=20000' }
      const asked = httpRequest(
        `${server.url}/v1/chat/completions`,
        { method: 'POST', headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk)
            response.pause()
            setImmediate(() => response.resume())
          })
          response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
          response.on('error', reject)
        },
      )
      asked.end(JSON.stringify(chatBody({ stream: true })))
    })
    expect(body.match(/"content":"[^"]/g)).toHaveLength(20_000)
    expect(body.endsWith('data: [DONE]\n\n')).toBe(true)
  })
})
