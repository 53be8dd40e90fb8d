import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Wire } from '../../../core/release/release.js'
import type { Simulation } from '../../../core/release/simulation.js'
import type { UpstreamRequest } from '../../../engine/ports.js'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { RecordingListener, upstreamRequest } from '../../../testing/recording-listener.js'
import { QUESTION, chatBody, messagesBody, simulationWith } from '../../../testing/simulation-examples.js'
import { type SimServer, startSimServer } from './sim-server.js'
import { type SimulatedProvider, createSimulatedProvider } from './simulated-provider.js'

const system = createFakeSystem()
const servers: SimServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

function provider(more: Partial<Simulation> = {}, on = system): SimulatedProvider {
  return createSimulatedProvider(
    {
      kind: 'simulated',
      name: 'sim',
      hosting: 'self-hosted',
      region: null,
      retentionDays: null,
      trainsOnData: null,
      timeoutMs: 60_000,
      headers: {},
      simulation: simulationWith(more),
    },
    { system: on },
  )
}

async function play(on: SimulatedProvider, request: UpstreamRequest): Promise<RecordingListener> {
  const listener = new RecordingListener()
  on.send(request, listener)
  await listener.done
  return listener
}

const PATHS: Readonly<Partial<Record<Wire, string>>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-embeddings': '/v1/embeddings',
  'openai-responses': '/v1/responses',
  'anthropic-messages': '/v1/messages',
}

const TOOLS = [
  {
    name: 'refund',
    parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
  },
]
const requests: readonly UpstreamRequest[] = [
  upstreamRequest(chatBody()),
  upstreamRequest(chatBody({ logprobs: true, top_logprobs: 2, n: 2 })),
  upstreamRequest(chatBody({ stream: true, stream_options: { include_usage: true }, logprobs: true }), {
    stream: true,
  }),
  upstreamRequest(
    chatBody({
      stream: true,
      tools: TOOLS.map((tool) => ({ type: 'function', function: tool })),
      tool_choice: 'required',
    }),
    { stream: true },
  ),
  upstreamRequest(messagesBody(), { wire: 'anthropic-messages' }),
  upstreamRequest(messagesBody({ stream: true }), { wire: 'anthropic-messages', stream: true }),
  upstreamRequest({ model: 'e', input: ['a b', 'c'], dimensions: 64 }, { wire: 'openai-embeddings' }),
  upstreamRequest({ model: 'r', input: QUESTION }, { wire: 'openai-responses' }),
  upstreamRequest({ model: 'r', input: QUESTION, stream: true }, { wire: 'openai-responses', stream: true }),
  upstreamRequest(chatBody(), { headers: { 'x-sim': 'status=429; retry_after=3' } }),
  upstreamRequest(messagesBody(), { wire: 'anthropic-messages', headers: { 'x-sim': 'status=529' } }),
  upstreamRequest('{', {}),
]

describe('in process', () => {
  test('it answers byte for byte what the HTTP server answers', async () => {
    const server = await startSimServer({ port: 0, simulation: simulationWith(), system })
    servers.push(server)
    const local = provider()
    for (const request of requests) {
      const here = await play(local, request)
      const there = await fetch(`${server.url}${PATHS[request.wire] ?? ''}`, {
        method: 'POST',
        headers: { authorization: 'Bearer k', ...request.headers },
        body: Buffer.from(request.body),
      })
      expect(here.status).toBe(there.status)
      expect(here.body).toBe(await there.text())
      expect(here.ending).toBe('end')
      for (const [name, value] of Object.entries(here.headers)) expect(there.headers.get(name)).toBe(value)
    }
  })

  test('the same seed gives the same bytes, call by call', async () => {
    const texts = fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.integer({ min: 0, max: 1e6 }),
        fc.boolean(),
        async (prompts, seed, stream) => {
          const rates = { seed, errorRate: 0.2, throttleRate: 0.2, brokenStreamRate: 0.3 }
          const [left, right] = [provider(rates), provider(rates)]
          for (const prompt of [...prompts, ...prompts]) {
            const request = upstreamRequest(chatBody({ stream, logprobs: true }, prompt), { stream })
            const [one, two] = [await play(left, request), await play(right, request)]
            expect([one.status, one.headers, one.body, one.ending]).toEqual([
              two.status,
              two.headers,
              two.body,
              two.ending,
            ])
          }
          expect(left.stats()).toEqual(right.stats())
        },
      ),
      { numRuns: 40 },
    )
  })

  test('it never calls back before send returned, not even without latency', async () => {
    for (const request of requests) {
      const listener = new RecordingListener()
      provider().send(request, listener)
      expect(listener.calls).toEqual([])
      await listener.done
      expect(listener.calls[0]).toBe('head')
    }
  })

  test('a stream is one frame per delta, none after the end', async () => {
    const listener = await play(provider(), upstreamRequest(chatBody({ stream: true }), { stream: true }))
    // Role, 48 tokens, finish, [DONE].
    expect(listener.calls.filter((name) => name === 'data')).toHaveLength(51)
    expect(listener.body.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('it says who it is', () => {
    expect(provider()).toMatchObject({ name: 'sim', simulated: true })
  })

  test('it speaks what it is asked in', () => {
    const wires = ['openai-chat', 'anthropic-messages', 'openai-embeddings', 'openai-responses'] as const
    expect(wires.map((wire) => provider().speaks(wire, 'm'))).toEqual(wires)
  })
})

describe('in time', () => {
  test('the head comes after the latency, tokens at their speed, a whole answer at the end', async () => {
    const clock = createFakeSystem()
    const on = provider({ latencyMs: 200, tokensPerSecond: 100, outputTokens: 11 }, clock)
    const stream = new RecordingListener()
    on.send(upstreamRequest(chatBody({ stream: true }), { stream: true }), stream)
    const whole = new RecordingListener()
    on.send(upstreamRequest(chatBody({}, 'another')), whole)
    await clock.advance(199)
    expect(stream.calls).toEqual([])
    await clock.advance(1)
    // The role and the first token.
    expect(stream.calls).toEqual(['head', 'data', 'data'])
    await clock.advance(50)
    expect(stream.calls.filter((name) => name === 'data')).toHaveLength(7)
    await clock.advance(49)
    expect(stream.ending).toBeNull()
    expect(whole.calls).toEqual([])
    await clock.advance(1)
    expect(stream.ending).toBe('end')
    expect(whole.calls).toEqual(['head', 'data', 'end'])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('jitter varies the latency inside its share', async () => {
    const clock = createFakeSystem()
    const on = provider({ latencyMs: 1_000, jitter: 0.5 }, clock)
    const listeners = Array.from({ length: 60 }, (_, index) => {
      const listener = new RecordingListener()
      on.send(upstreamRequest(chatBody({}, `question ${index}`)), listener)
      return listener
    })
    const answered = (): number => listeners.filter((listener) => listener.ending === 'end').length
    await clock.advance(499)
    expect(answered()).toBe(0)
    await clock.advance(501)
    expect(answered()).toBeGreaterThan(15)
    expect(answered()).toBeLessThan(45)
    await clock.advance(500)
    expect(answered()).toBe(60)
  })

  test.each([
    ['no head in time', { headTimeoutMs: 100 }, 'stall', 100],
    ['silence in a stream', { stream: true, idleTimeoutMs: 100 }, 'stall=3', 100],
    ['latency beyond the head timeout', { headTimeoutMs: 100 }, 'latency_ms=500', 100],
    ['tokens slower than the idle timeout', { stream: true, idleTimeoutMs: 100 }, 'tokens_per_second=1', 100],
  ])('%s is a timeout', async (_name, limits, orders, afterMs) => {
    const clock = createFakeSystem()
    const body = chatBody({ stream: 'stream' in limits })
    const listener = new RecordingListener()
    provider({}, clock).send(upstreamRequest(body, { ...limits, headers: { 'x-sim': orders } }), listener)
    await clock.advance(afterMs - 1)
    expect(listener.ending).toBeNull()
    await clock.advance(1)
    expect(listener.ending).toMatch(/^timeout: /)
    await clock.advance(10_000)
    expect(listener.calls.filter((name) => name === 'failure')).toHaveLength(1)
    expect(clock.pendingTimers()).toBe(0)
  })

  test('after an abort there is silence, wherever it comes', async () => {
    for (const abortAfter of [0, 1, 2, 10]) {
      const clock = createFakeSystem()
      let chunks = 0
      let abort = (): void => {}
      const listener = new RecordingListener(() => {
        chunks += 1
        if (chunks === abortAfter) abort()
      })
      const call = provider({ tokensPerSecond: 100 }, clock).send(
        upstreamRequest(chatBody({ stream: true }), { stream: true }),
        listener,
      )
      abort = () => call.abort()
      if (abortAfter === 0) abort()
      await clock.advance(5_000)
      expect(listener.calls.filter((name) => name === 'data')).toHaveLength(abortAfter)
      expect(listener.ending).toBeNull()
      expect(clock.pendingTimers()).toBe(0)
    }
  })

  test('a paused call is held, and then goes on where it was', async () => {
    const clock = createFakeSystem()
    let pause = (): void => {}
    const listener = new RecordingListener(() => pause())
    const call = provider({}, clock).send(
      upstreamRequest(chatBody({ stream: true }), { stream: true }),
      listener,
    )
    pause = () => call.pause()
    await clock.advance(100)
    expect(listener.calls).toEqual(['head', 'data'])
    call.resume()
    await clock.advance(100)
    expect(listener.calls).toEqual(['head', 'data', 'data'])
    pause = () => {}
    call.resume()
    await listener.done
    expect(listener.body).toMatch(/\[DONE\]/)
  })

  test('a stream that breaks fails after its tokens, and the books know', async () => {
    const on = provider()
    const request = upstreamRequest(chatBody({ stream: true }), {
      stream: true,
      headers: { 'x-sim': 'broken_after=3' },
    })
    const listener = await play(on, request)
    expect(listener.ending).toMatch(/^broken: /)
    expect(listener.body.match(/"content":"[^"]/g)).toHaveLength(3)
    const tokens = Math.ceil(Buffer.byteLength(QUESTION) / 4)
    expect(on.stats().models['gpt-4o-mini']).toMatchObject({
      requests: 1,
      answered: 0,
      faults: { broken: 1 },
      input_tokens: { reported: 0, unreported: tokens },
      output_tokens: { reported: 0, unreported: 3 },
    })
  })
})
