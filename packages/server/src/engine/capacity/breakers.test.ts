import { describe, expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  STALL,
  chatAnswer,
  chatStream,
  failWith,
  openAiError,
  reply,
} from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { type TestEngine, createTestEngine } from '../../testing/test-engine.js'
import { steerBreaker } from './breaker-events.js'

const TASKS = `
  solo: { degrade: [], retries: { max_attempts: 1 }, route: { default: small-model } }
  stubborn: { degrade: [], retries: { max_attempts: 9 }, route: { default: small-model } }
  twins: { degrade: [], retries: { max_attempts: 2 }, route: { default: twin-model } }
  hasty: { degrade: [], budget: { max_latency_ms: 400 }, retries: { max_attempts: 1 }, route: { default: small-model } }
`
const DOWN = openAiError(500, 'server_error')

function world(rest = ''): TestEngine {
  return createTestEngine(configured(TASKS, rest))
}

/** Its only small deployment answers five calls at once. */
function narrow(): TestEngine {
  const { yaml, providers } = configured(TASKS)
  const limited = 'model: small-upstream, limits: { concurrency: 5 } }'
  return createTestEngine({ yaml: yaml.replace('model: small-upstream }', limited), providers })
}

async function calls(made: TestEngine, task: string, times: number): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let n = 0; n < times; n++) statuses.push((await made.call({ task })).status)
  return statuses
}

const kindOf = (made: TestEngine, id: string) =>
  made.engine.capacity
    .snapshot()
    .find((state) => state.id === id)
    ?.breaker.view(made.system.nowMs()).automatic

function fails(made: TestEngine, provider: string, script: Script): void {
  made.provider(provider).otherwise(() => script)
}

describe('one of two deployments is down', () => {
  // 40, 42
  test('after five failures it is not asked any more, and nobody notices', async () => {
    const made = world()
    fails(made, 'main', DOWN)
    fails(made, 'spare', chatAnswer())
    expect(new Set(await calls(made, 'twins', 30))).toEqual(new Set([200]))
    expect(made.provider('main').requests).toHaveLength(5)
    expect(kindOf(made, 'main/twin-upstream')).toBe('open')
  })

  test('after half a minute one real call tries it, and it is back when that is answered', async () => {
    const made = world()
    fails(made, 'main', DOWN)
    fails(made, 'spare', chatAnswer())
    await calls(made, 'twins', 20)
    fails(made, 'main', chatAnswer({ delayMs: 500 }))
    await made.system.advance(30_000)
    const running = Array.from({ length: 6 }, () => made.start({ task: 'twins' }))
    await made.system.advance(100)
    expect(made.provider('main').requests).toHaveLength(6)
    for (const call of running) expect((await made.finish(call)).status).toBe(200)
    expect(kindOf(made, 'main/twin-upstream')).toBe('closed')
  })

  // 41
  test('with both down calls wait for the one that is tried first, and are answered when it is back', async () => {
    const made = world()
    for (const name of ['main', 'spare']) fails(made, name, failWith('connection'))
    const statuses = await calls(made, 'twins', 6)
    expect(new Set(statuses)).toEqual(new Set([502]))
    const kinds = ['main', 'spare'].map((name) => kindOf(made, `${name}/twin-upstream`))
    expect(kinds).toEqual(['open', 'open'])
    for (const name of ['main', 'spare']) fails(made, name, chatAnswer())
    expect(await calls(made, 'twins', 1)).toEqual([200])
  })
})

describe('an only deployment is down', () => {
  test('it is tried by one call at a time, and the others are told within two seconds', async () => {
    const made = world()
    fails(made, 'main', failWith('timeout', 2_000))
    await calls(made, 'solo', 5)
    expect(kindOf(made, 'main/small-upstream')).toBe('open')
    const before = made.provider('main').requests.length
    const running = Array.from({ length: 40 }, () => made.start({ task: 'solo' }))
    await made.system.advance(2_100)
    expect(running.filter(({ isDone }) => isDone).length).toBeGreaterThan(37)
    expect(made.provider('main').requests.length - before).toBeLessThanOrEqual(3)
    const refused = running.filter(({ caller }) => caller.status === 503)
    expect(refused.length).toBeGreaterThan(37)
    expect(refused[0]?.caller.json).toMatchObject({ error: { code: 'capacity.queue_timeout' } })
    expect(Number(refused[0]?.caller.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  })

  // The ladder answers soon, whoever waits.
  test('who waited already when it went out is told within two seconds too, deadline or not', async () => {
    const made = narrow()
    fails(made, 'main', failWith('timeout', 1_000))
    const running = Array.from({ length: 25 }, () => made.start({ task: 'solo' }))
    await made.system.advance(1_000)
    expect(kindOf(made, 'main/small-upstream')).toBe('open')
    await made.system.advance(1_900)
    expect(running.filter(({ isDone }) => isDone).length).toBeLessThan(12)
    await made.system.advance(200)
    const told = running.filter(({ caller }) => caller.status === 503)
    expect(told.length).toBeGreaterThan(12)
    for (const { caller } of told)
      expect(caller.json).toMatchObject({ error: { code: 'capacity.queue_timeout' } })
  })

  test('which is no overload: nothing is given up for it', async () => {
    const made = narrow()
    fails(made, 'main', failWith('timeout', 1_000))
    for (let second = 0; second < 60; second++) {
      for (let n = 0; n < 4; n++) made.start({ task: 'solo' })
      await made.system.advance(1_000)
      expect(made.engine.capacity.queues.levelOf('small-model', made.system.nowMs())).toBe(0)
    }
    fails(made, 'main', chatAnswer())
    await made.system.advance(3_000)
    expect(await calls(made, 'solo', 5)).toEqual([200, 200, 200, 200, 200])
  })

  test('it is found again within a second', async () => {
    const made = world()
    fails(made, 'main', DOWN)
    for (let n = 0; n < 12; n++) await calls(made, 'solo', 1)
    fails(made, 'main', chatAnswer())
    const brokenMs = made.system.nowMs()
    expect(await calls(made, 'solo', 3)).toEqual([200, 200, 200])
    expect(made.system.nowMs() - brokenMs).toBeLessThan(1_000)
  })

  test('a probe that has begun to answer lets the others in: its stream may take minutes', async () => {
    const made = world()
    fails(made, 'main', DOWN)
    await calls(made, 'solo', 5)
    fails(made, 'main', chatStream({ gapMs: 900 }))
    const streams = Array.from({ length: 8 }, () => made.start({ task: 'solo', body: { stream: true } }))
    await made.system.advance(60_000)
    expect(streams.map(({ caller }) => caller.status)).toEqual(streams.map(() => 200))
    for (const stream of streams) await made.finish(stream)
  })
})

describe('what never opens a breaker', () => {
  const QUIET: readonly (readonly [string, Script])[] = [
    ['a rate limit for an hour', openAiError(429, 'rate_limit_exceeded')],
    ['requests that are refused', openAiError(400, 'invalid_request_error')],
  ]
  test.each(QUIET)('%s', async (_what, script) => {
    const made = world()
    fails(made, 'main', script)
    for (let n = 0; n < 30; n++) {
      await calls(made, 'solo', 1)
      await made.system.advance(120_000)
    }
    expect(kindOf(made, 'main/small-upstream')).toBe('closed')
  })

  test('callers in a hurry', async () => {
    const made = world()
    fails(made, 'main', STALL)
    const statuses = await calls(made, 'hasty', 8)
    expect(new Set(statuses)).toEqual(new Set([504]))
    expect(kindOf(made, 'main/small-upstream')).toBe('closed')
  })

  test('a caller who leaves while their call is the probe: the next one is', async () => {
    const made = world()
    fails(made, 'main', DOWN)
    await calls(made, 'solo', 5)
    fails(made, 'main', STALL)
    const left = made.start({ task: 'solo', body: { stream: true } })
    await made.system.advance(600)
    left.caller.hangUp()
    await made.finish(left)
    expect(kindOf(made, 'main/small-upstream')).toBe('half-open')
    fails(made, 'main', chatAnswer())
    expect(await calls(made, 'solo', 1)).toEqual([200])
    expect(kindOf(made, 'main/small-upstream')).toBe('closed')
  })
})

describe('an outlier among three', () => {
  const TRIPLE = `
  trio: { degrade: [], retries: { max_attempts: 3 }, route: { default: trio-model } }`
  const more = (name: string) => `      - { provider: ${name}, model: trio-upstream }\n`
  const made = createTestEngine({
    ...configured(TASKS),
    yaml: configured(TASKS + TRIPLE).yaml.replace(
      'models:\n',
      `  third: { kind: openai-compatible, base_url: "http://third.test/v1" }
models:
  trio-model:
    tier: small
    price: { input: 1, output: 2 }
    deployments:\n${['main', 'spare', 'third'].map(more).join('')}`,
    ),
    providers: { main: {}, spare: {}, third: {} },
  })

  test('is left alone though it never fails five times in a row', async () => {
    let asked = 0
    fails(made, 'spare', chatAnswer())
    fails(made, 'third', chatAnswer())
    made.provider('main').otherwise(() => (asked++ % 2 === 0 ? DOWN : chatAnswer()))
    expect(new Set(await calls(made, 'trio', 100))).toEqual(new Set([200]))
    expect(made.engine.capacity.snapshot().find(({ id }) => id.startsWith('main'))?.breaker.kind).toBe('open')
    expect(asked).toBeLessThan(30)
  })
})

describe('the retry budget', () => {
  const budgetless = (made: TestEngine) =>
    made
      .entries('step-ended')
      .filter(({ decisions }) =>
        decisions.some(({ reason }) => reason.startsWith('the retries of small-model are used up')),
      )

  // 34
  test('a storm of failures gets its fifty retries and then a tenth, and callers are told not to repeat', async () => {
    const made = world()
    // Never five in a row: it is the budget that has to hold.
    let asked = 0
    made.provider('main').otherwise(() => (asked++ % 5 === 4 ? chatAnswer() : DOWN))
    for (let n = 0; n < 200; n++) {
      const caller = await made.call({ task: 'stubborn' })
      const says = caller.headers['x-should-retry']
      expect([caller.status, says]).toEqual(caller.status === 200 ? [200, undefined] : [502, 'false'])
    }
    const minutes = made.system.nowMs() / 60_000 - Date.UTC(2026, 10, 24) / 60_000
    expect(asked - 200).toBeGreaterThanOrEqual(50)
    expect(asked - 200).toBeLessThanOrEqual(50 + 200 / 10 + 6 * minutes + 1)
    expect(budgetless(made).length).toBeGreaterThan(50)
  })

  test('leaving a deployment that was just ejected costs nothing', async () => {
    const made = world()
    fails(made, 'spare', chatAnswer())
    fails(made, 'main', failWith('connection', 1_000))
    // They all are on their way when it goes down.
    const running = Array.from({ length: 300 }, () => made.start({ task: 'twins' }))
    for (const call of running) expect((await made.finish(call)).status).toBe(200)
    expect(made.engine.capacity.retriesLeft('twin-model')).toBeGreaterThanOrEqual(40)
  })

  test('neither does leaving one that asked to be left alone: the other has room', async () => {
    const made = world()
    fails(made, 'spare', chatAnswer())
    fails(made, 'main', openAiError(429, 'rate_limit_exceeded'))
    for (let n = 0; n < 200; n++) {
      expect((await made.call({ task: 'twins' })).status).toBe(200)
      await made.system.advance(60_000)
    }
    expect(made.engine.capacity.retriesLeft('twin-model')).toBe(50)
  })
})

test.each(['auto', 'close'] as const)(
  'who waits goes on at once when an operator orders %s',
  async (action) => {
    const made = world()
    fails(made, 'main', chatAnswer())
    const [deployment] = made.release.models.get('small-model')?.deployments ?? []
    if (deployment === undefined) throw new Error('the model has no deployment')
    const order = { forMs: 1_500, by: 'ops', reason: 'an incident' }
    steerBreaker(made.engine, deployment, { action: 'open', ...order })
    const call = made.start({ task: 'solo' })
    await made.system.advance(100)
    expect(made.provider('main').requests).toHaveLength(0)
    const startedMs = made.system.nowMs()
    steerBreaker(made.engine, deployment, { action, ...order })
    expect((await made.finish(call)).status).toBe(200)
    expect(made.system.nowMs()).toBe(startedMs)
  },
)

test('a body that is no answer is not one for the breaker either', async () => {
  const made = world()
  fails(made, 'main', reply({ hello: 'world' }))
  await calls(made, 'solo', 5)
  expect(kindOf(made, 'main/small-upstream')).toBe('open')
})

// 34
test('after an attempt a fault of ours is not to be repeated either', async () => {
  const made = world()
  const says = async () => {
    const call = made.start({ task: 'stubborn' })
    await made.finish(call).catch(() => {})
    return [call.caller.status, call.caller.headers['x-should-retry']]
  }
  made.provider('main').next(DOWN, [{ kind: 'throw' }])
  expect(await says()).toEqual([500, 'false'])
})
