// An hour that goes wrong, as an engineer on call sees it: how often the provider is bothered, what callers
// are told, and how long it takes until all is well again.

import { describe, expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, openAiError } from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { type RunningCall, type TestEngine, createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  work: { degrade: [], budget: { max_latency_ms: 10000 }, retries: { max_attempts: 4 }, route: { default: small-model } }
  twins: { degrade: [], budget: { max_latency_ms: 10000 }, retries: { max_attempts: 4 }, route: { default: twin-model } }
`
const HOUR_S = 3_600
const ANSWERED = chatAnswer({ delayMs: 300 })

interface Hour {
  readonly made: TestEngine
  readonly calls: RunningCall[]
}

/** `concurrency`: of the only deployment that serves `work`; null: no limit is known. */
function hour(concurrency: number | null = null): Hour {
  const { yaml, providers } = configured(TASKS)
  const limits = concurrency === null ? '' : `, limits: { concurrency: ${concurrency} }`
  const limited = yaml.replace('model: small-upstream', `model: small-upstream${limits}`)
  const made = createTestEngine({ yaml: limited, providers })
  for (const name of ['main', 'spare']) made.provider(name).otherwise(() => ANSWERED)
  return { made, calls: [] }
}

interface Load {
  readonly perSecond: number
  readonly seconds: number
  readonly task?: string
}

/** Whatever becomes of the calls before, as many come. */
async function offer({ made, calls }: Hour, { perSecond, seconds, task = 'work' }: Load): Promise<void> {
  const gapMs = 1_000 / perSecond
  for (let n = 0; n < perSecond * seconds; n++) {
    calls.push(made.start({ task }))
    await made.system.advance(gapMs)
  }
}

/** Of the calls since, the share that was answered. */
function answered(calls: readonly RunningCall[]): number {
  return calls.filter(({ caller }) => caller.status === 200).length / calls.length
}

function countOf({ made }: Hour, provider = 'main'): number {
  return made.provider(provider).requests.length
}

const DOWN = openAiError(500, 'server_error')

function fails(made: TestEngine, script: Script, name = 'main'): void {
  made.provider(name).otherwise(() => script)
}

const levelOf = ({ made }: Hour) => made.engine.capacity.queues.levelOf('small-model', made.system.nowMs())

function told(calls: readonly RunningCall[]): readonly number[] {
  return calls.flatMap(({ caller }) => {
    const after = caller.headers['retry-after']
    return after === undefined ? [] : [Number(after)]
  })
}

describe('a provider answers 429 for an hour', () => {
  test.each([
    // Without a word it rests for up to half a minute.
    ['without a word on how long', {}, { probesPerMinute: 4, backWithin: 31 }],
    ['and asks for 20 s of rest', { 'retry-after': '20' }, { probesPerMinute: 4, backWithin: 21 }],
  ])('%s', async (_what, headers, { probesPerMinute, backWithin }) => {
    const at = hour()
    const { made, calls } = at
    await offer(at, { perSecond: 1, seconds: 60 })
    fails(made, openAiError(429, 'rate_limit_exceeded', headers))
    const before = countOf(at)
    await offer(at, { perSecond: 1, seconds: HOUR_S })
    // The retries that were saved up may go, once.
    expect(countOf(at) - before).toBeLessThanOrEqual(60 * probesPerMinute + 50)
    expect(made.engine.capacity.snapshot()[0]?.breaker.kind).toBe('closed')
    const refused = calls.slice(60).filter(({ isDone }) => isDone)
    const waits = told(refused.filter(({ caller }) => caller.status !== 502))
    expect(waits.length).toBeGreaterThan(0.8 * refused.length)
    expect(waits.every((seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 60)).toBe(true)
    fails(made, ANSWERED)
    await offer(at, { perSecond: 2, seconds: backWithin })
    const from = calls.length
    await offer(at, { perSecond: 2, seconds: 60 })
    expect(answered(calls.slice(from, -2))).toBe(1)
    expect(levelOf(at)).toBe(0)
  })

  test('and a call that was itself refused is told how long its provider wants to rest', async () => {
    const { made } = hour()
    fails(made, openAiError(429, 'rate_limit_exceeded', { 'retry-after': '40' }))
    const { status, headers } = await made.call({ task: 'work' })
    expect(status).toBe(502)
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(40)
  })
})

describe('a provider is down', () => {
  test('under load it gets two tries a second, nobody waits for his deadline, and it is back at once', async () => {
    const at = hour()
    const { made, calls } = at
    await offer(at, { perSecond: 5, seconds: 20 })
    fails(made, DOWN)
    const [sent, begun] = [countOf(at), calls.length]
    await offer(at, { perSecond: 20, seconds: 120 })
    // Five to open it, at each of the attempts that were allowed by the budget of retries, then two a second.
    expect(countOf(at) - sent).toBeLessThanOrEqual(120 * 2 + 60)
    const old = calls.slice(begun, -3 * 20)
    expect(old.every(({ isDone }) => isDone)).toBe(true)
    expect(Math.max(...told(calls.slice(begun)))).toBeLessThanOrEqual(3)
    expect(levelOf(at)).toBe(0)
    fails(made, ANSWERED)
    await made.system.advance(1_000)
    const from = calls.length
    await offer(at, { perSecond: 20, seconds: 10 })
    await made.system.advance(2_000)
    expect(answered(calls.slice(from))).toBe(1)
  })

  test('one that was put away for minutes is tried at once when the other one fails too', async () => {
    const at = hour()
    const { made, calls } = at
    fails(made, DOWN)
    await offer(at, { perSecond: 2, seconds: 1_200, task: 'twins' })
    expect(answered(calls.slice(0, -2))).toBe(1)
    expect(countOf(at)).toBeLessThan(20)
    fails(made, ANSWERED)
    fails(made, DOWN, 'spare')
    await offer(at, { perSecond: 2, seconds: 10, task: 'twins' })
    const from = calls.length
    await offer(at, { perSecond: 2, seconds: 30, task: 'twins' })
    expect(answered(calls.slice(from, -2))).toBe(1)
  })
})

describe('clients that do not give up', () => {
  test('every second call fails: retries stay a tenth, and whoever fails is told not to come back', async () => {
    const at = hour()
    const { made, calls } = at
    let sent = 0
    made.provider('main').otherwise(() => (sent++ % 2 === 0 ? DOWN : ANSWERED))
    await offer(at, { perSecond: 10, seconds: 300 })
    expect(sent).toBeLessThanOrEqual(1.1 * calls.length + 50 + 30)
    const failed = calls.filter(({ caller }) => caller.status === 502)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.every(({ caller }) => caller.headers['x-should-retry'] === 'false')).toBe(true)
  })

  // 34, 44
  test('who is refused comes back at once, four times: the provider is not asked more, and serves as many', async () => {
    const at = hour(5)
    const { made, calls } = at
    const storm = async (seconds: number): Promise<void> => {
      let again: RunningCall[] = []
      for (let tick = 0; tick < seconds * 10; tick++) {
        // Five callers in each tenth of a second, where two can be served.
        again = again.filter((call) => call.isDone && call.caller.status !== 200).slice(0, 20)
        for (let n = 0; n < 5 + again.length; n++) calls.push(made.start({ task: 'work' }))
        again = calls.slice(-40)
        await made.system.advance(100)
      }
    }
    await offer(at, { perSecond: 10, seconds: 10 })
    const [sent, begun] = [countOf(at), calls.length]
    await storm(60)
    // Five at once, each for 300 ms.
    expect(countOf(at) - sent).toBeLessThanOrEqual((60 / 0.3) * 5 + 10)
    expect(countOf(at) - sent).toBeGreaterThan(0.9 * (60 / 0.3) * 5)
    const served = calls.slice(begun).filter(({ caller }) => caller.status === 200).length
    expect(served).toBeGreaterThan(0.98 * (countOf(at) - sent))
    // Nothing is sent that cannot be answered any more.
    expect(made.attempts().filter(({ end }) => end === 'timeout')).toEqual([])
    await made.system.advance(10_000)
    const from = calls.length
    await offer(at, { perSecond: 10, seconds: 45 })
    await made.system.advance(1_000)
    expect(answered(calls.slice(from))).toBe(1)
    expect(levelOf(at)).toBe(0)
  })
})
