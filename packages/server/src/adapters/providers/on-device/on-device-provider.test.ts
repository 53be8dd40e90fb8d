// The provider around the model: places, waiting, time-outs, aborts, pauses, closing. The model is a fake that
// waits for the test; the real one is in llama-runner.test.ts.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Provider, UpstreamCall } from '../../../engine/ports.js'
import { FakeRunner } from '../../../testing/fake-runner.js'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { RecordingListener, upstreamRequest } from '../../../testing/recording-listener.js'
import type { OpenRunner } from './model-runner.js'
import { CALLS_WAITING_MAX, createOnDeviceProvider } from './on-device-provider.js'

interface Scene {
  readonly clock: ReturnType<typeof createFakeSystem>
  readonly runner: FakeRunner
  readonly provider: Provider
  readonly start: (more?: Record<string, unknown>, limits?: Limits) => Started
}
interface Started {
  readonly call: UpstreamCall
  readonly heard: RecordingListener
}
type Limits = { readonly headTimeoutMs?: number; readonly idleTimeoutMs?: number }

function scene(options: { sequences?: number; runner?: FakeRunner; open?: OpenRunner } = {}): Scene {
  const clock = createFakeSystem()
  const runner = options.runner ?? new FakeRunner()
  const provider = createOnDeviceProvider(
    { name: 'device' },
    {
      system: clock,
      open: options.open ?? (() => Promise.resolve(runner)),
      model: {
        path: '/models/a.gguf',
        threads: 1,
        contextTokens: null,
        sequences: options.sequences ?? 1,
        gpu: false,
      },
    },
  )
  const start = (more: Record<string, unknown> = {}, limits: Limits = {}): Started => {
    const heard = new RecordingListener()
    const body = { messages: [{ role: 'user', content: 'Hi' }], ...more }
    const call = provider.send(upstreamRequest(body, { model: 'm', ...limits }), heard)
    return { call, heard }
  }
  return { clock, runner, provider, start }
}

const errorOf = (heard: RecordingListener): unknown => (JSON.parse(heard.body) as { error: unknown }).error
const textOf = (heard: RecordingListener): string =>
  [...heard.body.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join('')

describe('places', () => {
  test('as many answers as there are sequences, the others wait in order', async () => {
    const { clock, runner, start } = scene({ sequences: 2 })
    runner.allow(0)
    const calls = [start(), start(), start(), start()]
    await clock.advance(0)
    expect(runner.running).toBe(2)
    runner.allow(20)
    await clock.advance(0)
    expect(calls.map(({ heard }) => heard.ending)).toEqual(['end', 'end', null, null])
    runner.allow(Infinity)
    await clock.advance(0)
    expect(calls.map(({ heard }) => heard.ending)).toEqual(Array(4).fill('end'))
  })

  test('a full line answers 503 as OpenAI would, and at once', async () => {
    const { clock, runner, start } = scene()
    runner.allow(0)
    const waiting = Array.from({ length: 1 + CALLS_WAITING_MAX }, () => start())
    const { heard } = start()
    await clock.advance(0)
    expect([heard.status, heard.ending, heard.headers['retry-after']]).toEqual([503, 'end', '1'])
    expect(errorOf(heard)).toEqual({
      message: expect.stringContaining('busy'),
      type: 'server_error',
      param: null,
      code: 'overloaded',
    })
    runner.allow(Infinity)
    await clock.advance(0)
    expect(waiting.every((one) => one.heard.ending === 'end')).toBe(true)
  })

  test('who leaves the line makes room in it and is never served', async () => {
    const { clock, runner, start } = scene()
    runner.allow(0)
    const [first, second, third] = [start(), start(), start()]
    await clock.advance(0)
    second?.call.abort()
    runner.allow(Infinity)
    await clock.advance(0)
    expect([first, second, third].map((one) => one?.heard.ending)).toEqual(['end', null, 'end'])
    expect(runner.generations).toHaveLength(2)
  })

  test('however calls come, stall and leave: none is lost, none answered twice, no place leaks', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant({ kind: 'start' as const }),
        fc.record({
          kind: fc.constantFrom('abort' as const, 'pause' as const, 'resume' as const),
          at: fc.nat(9),
        }),
        fc.record({ kind: fc.constant('allow' as const), at: fc.nat(25) }),
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (story, sequences) => {
        const { clock, runner, provider, start } = scene({ sequences })
        runner.allow(0)
        const calls: (Started & { left: boolean })[] = [{ ...start({ stream: true }), left: false }]
        await clock.advance(0)
        for (const step of story) {
          if (step.kind === 'start') calls.push({ ...start({ stream: true }), left: false })
          else if (step.kind === 'allow') runner.allow(step.at)
          else {
            const one = calls[step.at]
            one?.call[step.kind]()
            if (one !== undefined && step.kind === 'abort') one.left ||= one.heard.ending === null
          }
          await clock.advance(0)
          expect(runner.running).toBeLessThanOrEqual(sequences)
        }
        runner.allow(Infinity)
        for (const { call } of calls) call.resume()
        await clock.advance(0)
        for (const { heard, left } of calls) {
          expect([heard.ending, left || textOf(heard)]).toEqual(left ? [null, true] : ['end', 'abcdefghij'])
        }
        await provider.close()
        expect([runner.running, runner.isClosed, clock.pendingTimers()]).toEqual([0, true, 0])
      }),
      { numRuns: 60 },
    )
  })
})

describe('the port', () => {
  test('it never calls back before send returned, not even to refuse', async () => {
    const { clock, start } = scene()
    for (const more of [{}, { messages: 'no' }]) {
      const { heard } = start(more)
      expect(heard.calls).toEqual([])
      await clock.advance(0)
      expect(heard.calls).toEqual(['head', 'data', 'end'])
    }
  })

  test('a reader who pauses gets no token more, and none is generated ahead', async () => {
    const { clock, runner, start } = scene()
    runner.allow(3)
    const { call, heard } = start({ stream: true })
    await clock.advance(0)
    call.pause()
    runner.allow(Infinity)
    await clock.advance(0)
    // The one that was being made when the pause came.
    expect([runner.generated, textOf(heard), heard.ending]).toEqual([4, 'abcd', null])
    call.resume()
    await clock.advance(0)
    expect([textOf(heard), heard.ending]).toEqual(['abcdefghij', 'end'])
  })

  test('after an abort there is silence and nothing is generated, wherever it comes', async () => {
    for (const afterTokens of [0, 1, 5]) {
      const { clock, runner, start } = scene()
      runner.allow(afterTokens)
      const { call, heard } = start({ stream: true })
      await clock.advance(0)
      const before = heard.calls.length
      call.abort()
      runner.allow(Infinity)
      await clock.advance(100_000)
      expect([runner.generated, runner.running]).toEqual([afterTokens, 0])
      expect(heard.calls).toHaveLength(before)
      expect(clock.pendingTimers()).toBe(0)
    }
  })

  test('it says who it is', () => {
    const { provider } = scene()
    expect(provider).toMatchObject({ name: 'device', simulated: false })
    expect(provider.speaks('anthropic-messages', 'any')).toBe('openai-chat')
  })
})

describe('in time', () => {
  test('no token in time is a timeout, wherever the call waited', async () => {
    for (const open of [undefined, () => new Promise<never>(() => {})]) {
      const { clock, runner, start } = scene(open === undefined ? {} : { open })
      runner.allow(0)
      const [running, waiting] = [start({}, { headTimeoutMs: 500 }), start({}, { headTimeoutMs: 600 })]
      await clock.advance(499)
      expect(running?.heard.ending).toBeNull()
      await clock.advance(1)
      expect(running?.heard.ending).toMatch(/^timeout: no token within 500 ms/)
      await clock.advance(100)
      expect(waiting?.heard.ending).toMatch(/^timeout: /)
      expect(clock.pendingTimers()).toBe(0)
    }
  })

  test('silence between tokens is a timeout, but not while the reader is paused', async () => {
    const { clock, runner, start } = scene()
    runner.allow(2)
    const { call, heard } = start({ stream: true }, { idleTimeoutMs: 300 })
    await clock.advance(0)
    call.pause()
    await clock.advance(5_000)
    expect(heard.ending).toBeNull()
    call.resume()
    await clock.advance(299)
    expect(heard.ending).toBeNull()
    await clock.advance(1)
    expect(heard.ending).toMatch(/^timeout: no token for 300 ms/)
  })

  test('a whole answer is not silent while it is being generated', async () => {
    const { clock, runner, start } = scene()
    runner.allow(0)
    const { heard } = start({}, { headTimeoutMs: 500, idleTimeoutMs: 300 })
    for (let token = 0; token < 10; token++) {
      await clock.advance(250)
      runner.allow(1)
    }
    await clock.advance(0)
    expect([heard.status, heard.ending]).toEqual([200, 'end'])
  })
})

describe('faults', () => {
  test('before the first token are an error answer, after it a broken one', async () => {
    const early = scene()
    early.runner.fail('out of memory')
    const one = early.start()
    await early.clock.advance(0)
    expect([one.heard.status, one.heard.ending]).toEqual([500, 'end'])
    expect(errorOf(one.heard)).toMatchObject({
      code: 'model_failed',
      message: expect.stringContaining('out of'),
    })
    const late = scene()
    late.runner.allow(3)
    const two = late.start({ stream: true })
    await late.clock.advance(0)
    late.runner.fail('out of memory')
    await late.clock.advance(0)
    expect([two.heard.status, two.heard.ending]).toEqual([
      200,
      expect.stringMatching(/^broken: .*out of memory/),
    ])
  })

  test('a model that cannot be loaded is told and tried again with the next call', async () => {
    let isThere = false
    const runner = new FakeRunner()
    const open = () => (isThere ? Promise.resolve(runner) : Promise.reject(new Error('a.gguf is cut')))
    const { clock, start } = scene({ open })
    const { heard } = start()
    await clock.advance(0)
    expect([heard.status, errorOf(heard)]).toEqual([
      503,
      { message: 'a.gguf is cut', type: 'server_error', param: null, code: 'model_not_loaded' },
    ])
    isThere = true
    const again = start()
    await clock.advance(0)
    expect(again.heard.status).toBe(200)
  })

  test('a conversation that the template refuses is the caller’s to change', async () => {
    const { clock, start } = scene()
    const { heard } = start({ messages: [{ role: 'user', content: 'unspeakable' }] })
    await clock.advance(0)
    expect([heard.status, errorOf(heard)]).toMatchObject([400, { param: 'messages' }])
  })
})

describe('closing', () => {
  test('waits for the calls under way, then frees the model', async () => {
    const { clock, runner, provider, start } = scene()
    runner.allow(4)
    const [running, waiting] = [start(), start()]
    await clock.advance(0)
    const closing = provider.close()
    const late = start()
    await clock.advance(0)
    expect(runner.isClosed).toBe(false)
    expect(late.heard.ending).toMatch(/^connection: .*closed/)
    runner.allow(Infinity)
    await closing
    expect([running?.heard.ending, waiting?.heard.ending, runner.isClosed]).toEqual(['end', 'end', true])
  })

  test('without a call there is nothing to free, and a failed load is none', async () => {
    let opened = 0
    const open = () => {
      opened += 1
      return Promise.reject(new Error('no'))
    }
    const unused = scene({ open })
    await unused.provider.close()
    expect(opened).toBe(0)
    const failed = scene({ open })
    failed.start()
    await failed.provider.close()
    expect(opened).toBe(1)
  })
})
