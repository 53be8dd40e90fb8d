// Hedging and stream guards in a whole engine: two deployments of one model, of which one is slow.

import { describe, expect, test } from 'vitest'
import type { UpstreamListener } from '../ports.js'
import { configured } from '../../testing/example-config.js'
import type { AtPort } from '../../testing/gate-ports.js'
import {
  BREAK,
  STALL,
  brokenAfter,
  chatAnswer,
  chatFrames,
  chatStream,
  openAiError,
} from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { type CallAsk, type TestEngine, createTestEngine } from '../../testing/test-engine.js'
import { type Learned, warmCapacity } from '../../testing/warm-capacity.js'

const TASKS = `
  support: { degrade: [], route: { default: twin-model }, retries: { max_attempts: 4 } }
  unhedged: { degrade: [], route: { default: twin-model }, retries: { hedge: off } }
  judged:
    degrade: []
    signals: { confidence: { from: logprobs } }
    route: { default: twin-model, escalate_if: [{ condition: "confidence < 0.1", model: large-model }] }
  judged_twice:
    degrade: []
    retries: { max_attempts: 2 }
    signals: { confidence: { from: logprobs } }
    route: { default: twin-model, escalate_if: [{ condition: "confidence < 0.1", model: large-model }] }
  short: { degrade: [], route: { default: twin-model }, budget: { max_latency_ms: 3000 }, retries: { max_attempts: 4 } }
  once: { degrade: [], route: { default: twin-model }, retries: { max_attempts: 1 } }
  one_call: { degrade: [], route: { default: twin-model }, budget: { max_model_calls: 1 } }
`

const P95_MS = 100
const QUICK = chatAnswer({ text: 'quick' })
const QUICK_STREAM = chatStream({ tokens: ['qu', 'ick'] })
const HEAD_ONLY = brokenAfter([], [])

interface Scripts {
  readonly main: readonly Script[]
  readonly spare: readonly Script[]
}

function engineWith(scripts: Scripts, learned?: Partial<Learned>, atPort?: AtPort) {
  const world: TestEngine = createTestEngine({
    ...configured(TASKS),
    ...(atPort === undefined ? {} : { atPort }),
  })
  warmCapacity(world, { model: 'twin-model', firstTokenMs: P95_MS, ...learned })
  world.provider('main').next(...scripts.main)
  world.provider('spare').next(...scripts.spare)
  return world
}

/** All of it at once. */
function perform(script: Script, listener: UpstreamListener): void {
  for (const act of script) {
    if (act.kind === 'head') listener.onHead(act.status, act.headers)
    if (act.kind === 'data') listener.onData(act.chunk)
    if (act.kind === 'end') listener.onEnd()
  }
}

const STREAM: CallAsk = { task: 'support', body: { stream: true } }
const WHOLE: CallAsk = { task: 'support' }

const ends = (world: TestEngine) =>
  world.lastStep().attempts.map(({ number, purpose, provider, end }) => ({ number, purpose, provider, end }))

function checkNothingIsLeft(world: TestEngine): void {
  const held = world.ledger.heldTotal()
  expect([held.nanoUsd, held.modelCalls, held.inputTokens, held.outputTokens]).toEqual([0, 0, 0, 0])
  expect(world.engine.capacity.snapshot().map(({ inFlight }) => inFlight)).toEqual([0, 0])
  expect([world.provider('main').openCalls, world.provider('spare').openCalls]).toEqual([0, 0])
  const made = world.entries('hold-made').map(({ id }) => id)
  expect(
    world
      .entries('hold-settled')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(made.sort())
}

describe('a call that is slow to begin', () => {
  test.each([
    { kind: 'stream that never says a word', ask: STREAM, slow: STALL, quick: QUICK_STREAM },
    { kind: 'stream with a head and no byte', ask: STREAM, slow: HEAD_ONLY, quick: QUICK_STREAM },
    { kind: 'whole answer', ask: WHOLE, slow: STALL, quick: QUICK },
    { kind: 'answer held back', ask: { ...STREAM, task: 'judged' }, slow: STALL, quick: QUICK_STREAM },
  ])('$kind: a copy is sent after the p95, wins, and the slow one is charged its prompt', async (given) => {
    const world = engineWith({ main: [given.slow], spare: [given.quick] })
    const startedMs = world.system.nowMs()
    const caller = await world.call(given.ask)
    expect(caller.text).toContain('ick')
    expect(world.system.nowMs() - startedMs).toBeLessThan(P95_MS * 1.2)
    expect(ends(world)).toEqual([
      { number: 1, purpose: 'answer', provider: 'main', end: 'hedge_lost' },
      { number: 2, purpose: 'hedge', provider: 'spare', end: 'ok' },
    ])
    expect(caller.headers).toMatchObject({
      'x-spillway-attempts': '2',
      'x-spillway-deployment': 'spare/twin-upstream',
    })
    const [lost] = world.lastStep().attempts
    expect(lost).toMatchObject({ basis: 'estimated', tokens: { output: 0 } })
    expect(lost?.chargedNanoUsd).toBe((lost?.tokens.input ?? 0) * 1_000)
    expect(lost?.chargedNanoUsd).toBeGreaterThan(0)
    expect(lost?.chargedNanoUsd).toBeLessThanOrEqual(lost?.held.nanoUsd ?? 0)
    expect(world.provider('main').requests[0]?.aborted).toBe(true)
    expect(world.lastStep().decisions.map(({ choice }) => choice)).toEqual(
      expect.arrayContaining(['hedge:spare/twin-upstream', 'lost']),
    )
    expect(world.lastStep().deployment).toBe('spare/twin-upstream')
    const spent = { hedges: 1, extraNanoUsd: lost?.chargedNanoUsd }
    expect(world.engine.capacity.hedging.state()).toMatchObject(spent)
    checkNothingIsLeft(world)
  })

  test.each([
    { kind: 'stream', ask: STREAM, slow: chatStream({ delayMs: 150 }) },
    { kind: 'whole answer', ask: WHOLE, slow: chatAnswer({ delayMs: 150 }) },
  ])('$kind: when the first is quicker after all, the copy loses', async ({ ask, slow }) => {
    const world = engineWith({ main: [slow], spare: [STALL] })
    const caller = await world.call(ask)
    expect(caller.text).toContain('nswer')
    expect(ends(world)).toEqual([
      { number: 1, purpose: 'answer', provider: 'main', end: 'ok' },
      { number: 2, purpose: 'hedge', provider: 'spare', end: 'hedge_lost' },
    ])
    expect(world.provider('spare').requests[0]?.aborted).toBe(true)
    checkNothingIsLeft(world)
  })

  test('what comes before the first token waits for it, and only the winner writes', async () => {
    const slow = chatFrames({ tokens: ['slow'] })
    const world = engineWith({ main: [brokenAfter(slow.slice(0, 1), [])], spare: [QUICK_STREAM] })
    const caller = await world.call(STREAM)
    expect(caller.begins).toBe(1)
    expect(caller.frames).toHaveLength(chatFrames({ tokens: ['qu', 'ick'] }).length - 1)
    expect(caller.outcome).toBe('stream')
  })

  test('two whole answers in the same instant: one is the answer, the other is charged what it says', async () => {
    const world = engineWith({ main: [], spare: [] })
    const listeners: UpstreamListener[] = []
    for (const name of ['main', 'spare']) {
      world.provider(name).send = (_request, listener) => {
        listeners.push(listener)
        return { abort() {}, pause() {}, resume() {} }
      }
    }
    const call = world.start(WHOLE)
    world.system.after(150, () => {
      for (const listener of listeners) perform(QUICK, listener)
    })
    await world.finish(call)
    expect(ends(world).map(({ end }) => end)).toEqual(expect.arrayContaining(['hedge_lost', 'ok']))
    const lost = world.attempts().find(({ end }) => end === 'hedge_lost')
    expect(lost?.tokens.output).toBe(8)
    checkNothingIsLeft(world)
  })
})

describe('there is no copy', () => {
  const slow = { main: [chatAnswer({ delayMs: 400 })], spare: [QUICK] }
  const calls = async (world: TestEngine, ask: CallAsk = WHOLE) => {
    await world.call(ask)
    checkNothingIsLeft(world)
    return world.provider('spare').requests.length
  }

  test('before the p95', async () => {
    expect(await calls(engineWith({ ...slow, main: [chatAnswer({ delayMs: 90 })] }))).toBe(0)
  })
  test('while nothing is known of the deployment', async () => {
    const world = createTestEngine(configured(TASKS))
    world.provider('main').next(chatAnswer({ delayMs: 400 }))
    expect(await calls(world)).toBe(0)
    expect(world.system.pendingTimers()).toBe(0)
  })
  test('when the contract says `hedge: off`', async () => {
    expect(await calls(engineWith(slow), { task: 'unhedged' })).toBe(0)
  })
  test('when the attempts of the task are used', async () => {
    expect(await calls(engineWith(slow), { task: 'once' })).toBe(0)
  })
  test('when the budget of the task has no room for it', async () => {
    const world = engineWith(slow)
    expect(await calls(world, { task: 'one_call' })).toBe(0)
    expect(world.engine.capacity.hedging.state()).toMatchObject({ hedges: 0, available: 10 })
  })
  test('when too few calls have earned it, and that is told', async () => {
    const world = engineWith(slow, { calls: 40 })
    expect(await calls(world)).toBe(0)
    expect(world.lastStep().decisions).toContainEqual({
      stage: 'attempt',
      choice: 'no hedge',
      reason: 'budget',
    })
  })
  test('from the last three, for one that may still come within twice the p95', async () => {
    const world = engineWith({ main: [chatAnswer({ delayMs: 180 })], spare: [QUICK] }, { calls: 160 })
    expect(await calls(world)).toBe(0)
    expect(await calls(engineWith(slow, { calls: 160 }))).toBe(1)
  })
  test('when the calls have cost too little for it', async () => {
    expect(await calls(engineWith(slow, { nanoUsd: 100 }))).toBe(0)
  })
  test('under load', async () => {
    const world = engineWith(slow)
    world.engine.capacity.overloadLevel = () => 1
    expect(await calls(world)).toBe(0)
  })
  test('once the caller has something', async () => {
    const gappy = chatStream({ delayMs: 10, gapMs: 300 })
    const world = engineWith({ main: [gappy], spare: [] })
    // Frames are 300 ms apart, and the first token comes with the second.
    warmCapacity(world, { model: 'twin-model', firstTokenMs: 700 })
    expect(await calls(world, STREAM)).toBe(0)
  })
})

describe('when it goes wrong', () => {
  test('both fail: two failures, and a third attempt', async () => {
    const fail = openAiError(500, 'as_scripted')
    const late: Script = [{ kind: 'wait', ms: 120 }, ...fail]
    const world = engineWith({ main: [late, QUICK], spare: [late, QUICK] })
    await world.call(WHOLE)
    expect(ends(world).map(({ end }) => end)).toEqual(['http_500', 'http_500', 'ok'])
    checkNothingIsLeft(world)
  })

  test('the first fails while the copy runs: the copy is waited for', async () => {
    const late: Script = [{ kind: 'wait', ms: 120 }, ...openAiError(500, 'as_scripted')]
    const world = engineWith({ main: [late], spare: [chatAnswer({ delayMs: 200 })] })
    expect((await world.call(WHOLE)).status).toBe(200)
    expect(ends(world).map(({ end }) => end)).toEqual(['http_500', 'ok'])
    checkNothingIsLeft(world)
  })

  test('the winner breaks off while it is held back: that is the failure, not the copy it beat', async () => {
    const frames = chatFrames({ tokens: ['a', 'b', 'c'] })
    const late: Script = [{ kind: 'wait', ms: 120 }, ...brokenAfter(frames.slice(0, 3), BREAK)]
    const world = engineWith({ main: [late], spare: [STALL] })
    const caller = await world.call({ ...STREAM, task: 'judged_twice' })
    expect(ends(world).map(({ end }) => end)).toEqual(['broken_stream', 'hedge_lost'])
    const { attempts } = caller.json['error'] as { attempts: readonly { end: string }[] }
    expect(attempts.map(({ end }) => end)).toEqual(['broken_stream'])
    checkNothingIsLeft(world)
  })

  test('the caller leaves: both are stopped, and nothing is left', async () => {
    const world = engineWith({ main: [STALL], spare: [STALL] })
    const call = world.start(STREAM)
    world.system.after(150, () => call.caller.hangUp())
    await world.finish(call)
    expect(ends(world).map(({ end }) => end)).toEqual(['caller_left', 'caller_left'])
    checkNothingIsLeft(world)
  })

  test('neither says a word until the deadline', async () => {
    const world = engineWith({ main: [STALL], spare: [STALL] })
    expect((await world.call({ ...STREAM, task: 'short' })).status).toBe(504)
    expect(ends(world).map(({ end }) => end)).toEqual(['slow_start', 'timeout'])
    checkNothingIsLeft(world)
  })

  test('a copy whose connection cannot be closed does not spoil the answer', async () => {
    const world = engineWith({ main: [STALL], spare: [QUICK_STREAM] })
    const provider = world.provider('main')
    const send = provider.send.bind(provider)
    provider.send = (request, listener) => {
      const call = send(request, listener)
      const abort = call.abort.bind(call)
      call.abort = () => {
        abort()
        throw new Error('broken on purpose')
      }
      return call
    }
    expect((await world.call(STREAM)).outcome).toBe('stream')
    checkNothingIsLeft(world)
  })

  test('a fault of ours in the first: the copy is stopped and settled before it is told', async () => {
    // The copy ends first, and its settlement takes longer.
    const delays = [100, 10]
    const world = engineWith({ main: [chatStream({ delayMs: 150 })], spare: [STALL] }, {}, (port) =>
      port === 'ledger.settle'
        ? new Promise((resolve) => void world.system.after(delays.shift() ?? 0, resolve))
        : undefined,
    )
    const call = world.start(STREAM)
    call.caller.begin = () => {
      throw new Error('broken on purpose')
    }
    await expect(world.finish(call)).rejects.toThrow('broken on purpose')
    expect(ends(world).map(({ end }) => end)).toEqual(['fault', 'hedge_lost'])
    checkNothingIsLeft(world)
  })
})

describe('guards', () => {
  test('without a copy, a stream that never begins is given up at a multiple of the p95', async () => {
    const world = engineWith({ main: [HEAD_ONLY], spare: [QUICK_STREAM] })
    const caller = await world.call({ ...STREAM, task: 'unhedged' })
    expect(caller.outcome).toBe('stream')
    expect(world.attempts()).toMatchObject([
      { end: 'slow_start', durationMs: 1_000, basis: 'estimated' },
      { end: 'ok', purpose: 'answer' },
    ])
    expect(caller.headers).toMatchObject({ 'x-spillway-attempts': '2' })
    checkNothingIsLeft(world)
  })

  test('a whole answer has a deadline for its head', async () => {
    const world = engineWith({ main: [STALL], spare: [QUICK] })
    await world.call({ task: 'unhedged' })
    expect(ends(world).map(({ end }) => end)).toEqual(['slow_start', 'ok'])
  })

  test('with nowhere else to go it may take its time', async () => {
    const world = engineWith({ main: [chatAnswer({ delayMs: 30_000 })], spare: [] })
    expect((await world.call({ task: 'once' })).status).toBe(200)
  })

  test('frames before the first token go out when nothing better is to be had', async () => {
    const world = engineWith({ main: [], spare: [] })
    const frames = chatFrames({ tokens: ['late'] })
    world
      .provider('main')
      .next([
        ...brokenAfter(frames.slice(0, 1), []),
        { kind: 'wait', ms: 20_000 },
        ...brokenAfter(frames.slice(1), []).slice(1),
        { kind: 'end' },
      ])
    const call = world.start({ ...STREAM, task: 'once' })
    await world.system.advance(0)
    await world.system.advance(900)
    expect(call.caller.begins).toBe(0)
    await world.system.advance(200)
    expect(call.caller.begins).toBe(1)
    expect((await world.finish(call)).outcome).toBe('stream')
  })

  test('an answer held back that stops coming is given up, and paid for', async () => {
    const frames = chatFrames({ tokens: ['a', 'b', 'c'], probability: 0.9 })
    const world = engineWith({ main: [brokenAfter(frames.slice(0, 3), [])], spare: [QUICK_STREAM] })
    await world.call({ ...STREAM, task: 'judged' })
    const [stalled] = world.attempts()
    expect(stalled).toMatchObject({ end: 'stalled', tokens: { output: 2 }, durationMs: 11_000 })
    expect(ends(world).at(-1)).toMatchObject({ end: 'ok', provider: 'spare' })
    checkNothingIsLeft(world)
  })

  test('an answer held back that crawls is given up', async () => {
    const tokens = Array.from({ length: 200 }, () => ' a')
    const crawling = chatStream({ tokens, gapMs: 50 })
    const world = engineWith({ main: [crawling], spare: [QUICK_STREAM] }, { perFrameMs: 5 })
    await world.call({ ...STREAM, task: 'judged' })
    expect(ends(world).map(({ end }) => end)).toEqual(['slow', 'ok'])
    checkNothingIsLeft(world)
  })

  test('after the commit nothing is given up: a stall ends in band', async () => {
    const frames = chatFrames({ tokens: ['a', 'b', 'c'] })
    const world = engineWith({ main: [brokenAfter(frames.slice(0, 3), [])], spare: [] })
    const caller = await world.call(STREAM)
    expect(caller.outcome).toBe('error')
    expect(ends(world)).toMatchObject([{ end: 'timeout' }])
  })
})
