import { describe, expect, test } from 'vitest'
import type { Caller } from '../ports.js'
import { type TestEngine, createTestEngine } from '../../testing/test-engine.js'
import type { Task } from '../task-registry.js'
import { type DependencyResult, callDependency } from './call-dependency.js'
import type { DependencyAnswer, DependencyRequest } from '../ports.js'
import { endReported, givePermit } from './give-permit.js'

const STAYS: Pick<Caller, 'gone' | 'onGone'> = { gone: false, onGone() {} }

type Script = (request: DependencyRequest, world: TestEngine) => Promise<DependencyAnswer>

function setUp(dependency: string, script: Script = () => Promise.resolve(ok())) {
  const sent: DependencyRequest[] = []
  const world: TestEngine = createTestEngine({
    yaml: `
models: { m: { tier: small, deployments: [{ provider: p, model: m }] } }
providers: { p: { kind: openai, api_key: k } }
dependencies: { search: ${dependency} }
tasks:
  work: { budget: { max_tool_calls: 3, max_tool_ms: 4000, max_latency_ms: 20000, max_cost_usd: 0.01 } }
  nightly: { criticality: sheddable }
`,
    providers: { p: {} },
    sendToDependency: (request) => {
      sent.push(request)
      return script(request, world)
    },
  })
  return { world, sent }
}

const ok = (status = 200, headers: Readonly<Record<string, string>> = {}): DependencyAnswer => ({
  kind: 'answered',
  status,
  headers,
  body: Buffer.from('{}'),
})
const failure = (end: 'connection' | 'timeout'): DependencyAnswer => ({ kind: 'failed', end, detail: end })
const inTurn = (...answers: DependencyAnswer[]): Script => {
  return () => Promise.resolve(answers.shift() ?? ok())
}
const after = (ms: number, answer: DependencyAnswer): Script => {
  return (_request, { system }) => new Promise((resolve) => void system.after(ms, () => resolve(answer)))
}

const search = (world: TestEngine) => {
  const dependency = world.release.dependencies.get('search')
  if (dependency === undefined) throw new Error('not configured')
  return dependency
}

function use(world: TestEngine, task: Task, some: { isRepeatable?: boolean; caller?: typeof STAYS } = {}) {
  return callDependency(world.engine, task, {
    dependency: search(world),
    request: { method: 'GET', url: 'http://s/q', headers: {}, body: null },
    isRepeatable: some.isRepeatable ?? true,
    caller: some.caller ?? STAYS,
  })
}

/** From timer to timer, so that no more time passes than it needs. */
async function settled<T>(world: TestEngine, promise: Promise<T>): Promise<T> {
  const state = { isDone: false }
  const end = () => void (state.isDone = true)
  promise.then(end, end)
  for (let i = 0; i < 500; i += 1) {
    await world.system.advance(0)
    if (state.isDone) break
    await world.system.advance(Math.max(0, (world.system.nextTimerMs() ?? 0) - world.system.nowMs()))
  }
  return promise
}

const spent = (world: TestEngine, task: Task) => {
  const state = world.ledger.read(task.accounts[0] ?? '')
  if (state === null) throw new Error('closed')
  return { settled: state.settled, held: state.held }
}
const inFlight = (world: TestEngine) =>
  world.engine.capacity.snapshot().reduce((sum, one) => sum + one.inFlight, 0)

describe('a request to a dependency', () => {
  test('is one step of the task: its time, its cost, and its place given back', async () => {
    const { world } = setUp('{ cost_usd: 0.002 }', after(300, ok()))
    const task = await world.open('work')
    const result = await settled(world, use(world, task))
    expect(result).toMatchObject({ kind: 'answered', status: 200, attempts: 1 })
    expect(spent(world, task)).toMatchObject({
      settled: { toolCalls: 1, toolMs: 300, nanoUsd: 2_000_000 },
      held: { toolCalls: 0, toolMs: 0, nanoUsd: 0 },
    })
    expect(world.lastStep()).toMatchObject({
      step: 'tool',
      name: 'search',
      durationMs: 300,
      toolMs: 300,
      otherNanoUsd: 2_000_000,
      error: null,
      deployment: 'dependency:search',
    })
    expect(inFlight(world)).toBe(0)
    expect(task.running).toBe(0)
  })

  test('is tried again where that is safe, and counts as one tool call', async () => {
    const { world, sent } = setUp('{ cost_usd: 0.001 }', inTurn(ok(503), ok()))
    const task = await world.open('work')
    expect(await settled(world, use(world, task))).toMatchObject({ status: 200, attempts: 2 })
    expect(sent).toHaveLength(2)
    expect(spent(world, task).settled).toMatchObject({ toolCalls: 1, nanoUsd: 2_000_000 })
    expect(world.lastStep().decisions).toMatchObject([{ choice: 'retry', reason: 'http_503' }])
  })

  test('is not tried again when a repetition could do harm', async () => {
    const { world, sent } = setUp('{}', inTurn(ok(503), ok()))
    const task = await world.open('work')
    const result = await settled(world, use(world, task, { isRepeatable: false }))
    expect(result).toMatchObject({ kind: 'answered', status: 503 })
    expect(sent).toHaveLength(1)
    expect(world.lastStep().error).toBe('http_503')
  })

  test('that is refused by the dependency itself is an answer, and nothing against it', async () => {
    const { world, sent } = setUp('{}', () => Promise.resolve(ok(404)))
    const task = await world.open('work')
    expect(await settled(world, use(world, task))).toMatchObject({ status: 404, attempts: 1 })
    expect(sent).toHaveLength(1)
    expect(world.engine.capacity.snapshot()[0]?.successes).toBe(1)
  })

  test('has as much time as the tool time and the deadline leave', async () => {
    const { world, sent } = setUp('{ timeout_ms: 60000 }', after(100, ok()))
    const task = await world.open('work')
    await settled(world, use(world, task))
    expect(sent[0]?.timeoutMs).toBe(4_000)
    const custom = setUp('{ kind: custom, timeout_ms: 60000 }')
    const other = await custom.world.open('work')
    await custom.world.system.advance(15_000)
    await settled(custom.world, use(custom.world, other))
    expect(custom.sent[0]?.timeoutMs).toBe(5_000)
  })

  test('is refused before anything is sent when calls, time or money are used up', async () => {
    const { world, sent } = setUp('{}')
    const task = await world.open('work')
    for (let i = 0; i < 3; i += 1) await settled(world, use(world, task))
    const refused = await settled(world, use(world, task))
    expect(refused).toMatchObject({ kind: 'refused', code: 'budget.exhausted' })
    expect(sent).toHaveLength(3)
    const dear = setUp('{ kind: retrieval, cost_usd: 0.02 }')
    const poor = await dear.world.open('work')
    expect(await settled(dear.world, use(dear.world, poor))).toMatchObject({ code: 'budget.exhausted' })
    expect(dear.sent).toHaveLength(0)
  })

  test('that is never answered fails with a code of its own, and no connection costs nothing', async () => {
    const { world } = setUp(
      '{ max_attempts: 1, cost_usd: 0.001 }',
      inTurn(failure('timeout'), failure('connection')),
    )
    const task = await world.open('work')
    expect(await settled(world, use(world, task))).toMatchObject({ code: 'upstream.timeout' })
    expect(await settled(world, use(world, task))).toMatchObject({ code: 'upstream.failed' })
    expect(spent(world, task).settled.nanoUsd).toBe(1_000_000)
  })

  test('waits for a place when the dependency is full, and leaves nothing when its caller leaves', async () => {
    const { world, sent } = setUp('{ limits: { concurrency: 1 }, kind: retrieval }', after(200, ok()))
    const task = await world.open('work')
    const first = use(world, task)
    const second = use(world, task)
    await world.system.advance(100)
    expect(sent).toHaveLength(1)
    const ends = (await settled(world, Promise.all([first, second]))) as DependencyResult[]
    expect(ends.map(({ status }) => status)).toEqual([200, 200])
    let hangUp = (): void => undefined
    const leaves = { gone: false, onGone: (run: () => void) => void (hangUp = run) }
    const third = use(world, task)
    const fourth = use(world, task, { caller: leaves })
    await world.system.advance(50)
    hangUp()
    expect((await settled(world, fourth)).kind).toBe('refused')
    await settled(world, third)
    expect(sent).toHaveLength(3)
    expect(inFlight(world)).toBe(0)
    expect(task.running).toBe(0)
  })

  test('is refused at once when no place can be ready in its time', async () => {
    const { world, sent } = setUp('{ limits: { rpm: 1 }, kind: retrieval }')
    const task = await world.open('work')
    await settled(world, use(world, task))
    const beganMs = world.system.nowMs()
    const refused = await settled(world, use(world, task))
    expect(refused).toMatchObject({ kind: 'refused', code: 'capacity.queue_timeout' })
    expect(world.system.nowMs()).toBe(beganMs)
    expect(refused.kind === 'refused' && refused.retryAfterSeconds).toBeGreaterThanOrEqual(45)
    expect(refused.kind === 'refused' && refused.retryAfterSeconds).toBeLessThanOrEqual(60)
    expect(sent).toHaveLength(1)
  })

  test('gets a place that nobody waits for, also while its class is given up', async () => {
    const { world, sent } = setUp('{ kind: retrieval }')
    const task = await world.open('nightly')
    const { pool } = search(world)
    const queue = world.engine.capacity.queues.of(pool.name, world.release.capacity.queue)
    for (let second = 0; second < 3; second += 1) {
      queue.overload.observe(2, world.system.nowMs())
      await world.system.advance(1_000)
    }
    expect(queue.overload.has('sheddable_off')).toBe(true)
    expect(await settled(world, use(world, task))).toMatchObject({ kind: 'answered' })
    expect(sent).toHaveLength(1)
  })

  test('stops reaching a dependency that is down, and reaches it again when it is up', async () => {
    let isUp = false
    const { world, sent } = setUp('{ kind: retrieval, max_attempts: 1 }', () =>
      Promise.resolve(isUp ? ok() : ok(500)),
    )
    const task = await world.open('work')
    for (let i = 0; i < 5; i += 1) await settled(world, use(world, task))
    const before = sent.length
    const held = await Promise.all(Array.from({ length: 20 }, () => settled(world, use(world, task))))
    expect(sent.length - before).toBeLessThan(15)
    expect(held.some((end) => end.kind === 'refused' && end.code === 'capacity.queue_timeout')).toBe(true)
    isUp = true
    const later = await world.open('work')
    await world.system.advance(3_000)
    expect(await settled(world, use(world, later))).toMatchObject({ status: 200 })
  })
})

describe('a permit', () => {
  const take = async (world: TestEngine, task: Task) => {
    const permit = await settled(
      world,
      givePermit(world.engine, task, { dependency: search(world), caller: STAYS }),
    )
    if (permit.kind === 'refused') throw new Error(permit.code)
    return permit
  }
  const report = { kind: 'custom' as const, name: 'db', started_at: '2026-11-24T00:00:00Z', duration_ms: 1 }

  test('ends with its step, in the name and by the clock of the dependency', async () => {
    const { world } = setUp('{ timeout_ms: 1000 }')
    const task = await world.open('work')
    const permit = await take(world, task)
    expect([permit.timeoutMs, inFlight(world), task.running]).toEqual([1_000, 1, 1])
    await world.system.advance(250)
    const step = await settled(world, endReported(world.engine, task, { ...report, permit: permit.id }))
    expect(typeof step).toBe('string')
    expect(world.lastStep()).toMatchObject({ name: 'search', step: 'tool', toolMs: 250, error: null })
    expect([inFlight(world), task.running]).toEqual([0, 0])
    const again = await settled(world, endReported(world.engine, task, { ...report, permit: permit.id }))
    expect(again).toMatchObject({ code: 'request.conflict' })
  })

  test('that nobody ends has timed out: its place is free and its time is charged', async () => {
    const { world } = setUp('{ timeout_ms: 1000 }')
    const task = await world.open('work')
    await take(world, task)
    await world.system.advance(1_000)
    expect(world.lastStep()).toMatchObject({ error: 'timeout', toolMs: 1_000 })
    expect(spent(world, task)).toMatchObject({ settled: { toolCalls: 1 }, held: { toolCalls: 0, toolMs: 0 } })
    expect(inFlight(world)).toBe(0)
  })

  test('of another task is not known, and stays with its own', async () => {
    const { world } = setUp('{}')
    const task = await world.open('work')
    const permit = await take(world, task)
    const other = await world.open('work')
    const end = await settled(world, endReported(world.engine, other, { ...report, permit: permit.id }))
    expect(end).toMatchObject({ code: 'request.conflict' })
    const step = await settled(world, endReported(world.engine, task, { ...report, permit: permit.id }))
    expect(typeof step).toBe('string')
    expect([inFlight(world), task.running]).toEqual([0, 0])
  })
})
