import { describe, expect, test } from 'vitest'
import { chatAnswer, openAiError } from '../../testing/provider-answers.js'
import type { RecordingCaller } from '../../testing/recording-caller.js'
import { type CallAsk, LOCAL, type RunningCall, createTestEngine } from '../../testing/test-engine.js'

interface Shape {
  readonly concurrency?: number
  readonly queue?: string
  readonly tasks?: string
  readonly deployments?: string
  readonly targets?: string
}

const SPARE = '{ provider: spare, model: narrow, limits: { concurrency: 1 } }'

function world({ concurrency = 1, queue = '{}', tasks = '', deployments = '', targets = '' }: Shape = {}) {
  const made = createTestEngine({
    yaml: `
providers:
  main: { kind: openai, api_key: k }
  spare: { kind: openai-compatible, base_url: "http://h/v1" }
models:
  narrow:
    tier: mid
    ${targets}
    deployments: [{ provider: main, model: narrow, limits: { concurrency: ${concurrency} } }${deployments}]
  little: { tier: small, deployments: [{ provider: spare, model: little }] }
capacity: { queue: ${queue} }
tasks:
  work: { degrade: [], budget: { max_latency_ms: 60000 }, route: { default: narrow } }
  urgent: { degrade: [], criticality: critical_plus, route: { default: narrow } }
  slack: { degrade: [], criticality: sheddable_plus, route: { default: narrow } }
  spare_time: { degrade: [], criticality: sheddable, route: { default: narrow } }
  hurried: { degrade: [], budget: { max_latency_ms: 1000 }, route: { default: narrow } }
  hurried_slack:
    { degrade: [], criticality: sheddable_plus, budget: { max_latency_ms: 1000 }, route: { default: narrow } }
  ${tasks}
`,
    providers: { main: {}, spare: {} },
  })
  made.provider('main').otherwise(() => chatAnswer({ delayMs: 100 }))
  made.provider('spare').otherwise(() => chatAnswer({ delayMs: 100 }))
  const start = (what: string, ask: CallAsk = {}) =>
    made.start({ task: 'work', body: { messages: [{ role: 'user', content: what }] }, ...ask })
  const sent = () => made.provider('main').requests.map(({ json }) => contentOf(json))
  const queueOf = () =>
    made.engine.capacity.queues.snapshot(made.system.nowMs()).find(({ model }) => model === 'narrow')
  const finishAll = async (calls: readonly RunningCall[]): Promise<readonly RecordingCaller[]> => {
    for (const call of calls) await made.finish(call)
    return calls.map(({ caller }) => caller)
  }
  return { ...made, begin: start, sent, queue: queueOf, finishAll }
}

function contentOf(json: Readonly<Record<string, unknown>>): string {
  const [message] = json['messages'] as readonly { readonly content: string }[]
  return message?.content ?? ''
}

const codeOf = (caller: RecordingCaller) => (caller.json['error'] as { readonly code: string }).code
const tenant = (name: string, weight = 1) => ({ ...LOCAL, name, weight })
const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index))

test('a call that finds a free deployment does not touch the queue', async () => {
  const made = world()
  expect((await made.finish(made.begin('one'))).status).toBe(200)
  expect(made.queue()).toBe(undefined)
  expect(made.lastStep().decisions.filter(({ stage }) => stage === 'acquire')).toEqual([])
})

test('classes are served in order, and a header only makes a call less urgent', async () => {
  const made = world()
  const calls = [made.begin('first')]
  await made.system.advance(10)
  calls.push(made.begin('batch', { priority: 'batch' }))
  calls.push(made.begin('background', { priority: 'background' }))
  calls.push(made.begin('slack', { task: 'slack' }))
  calls.push(made.begin('urgent and batch', { task: 'urgent', priority: 'batch' }))
  calls.push(made.begin('critical'))
  calls.push(made.begin('urgent', { task: 'urgent' }))
  await made.finishAll(calls)
  expect(made.sent()).toEqual([
    'first',
    'urgent',
    'critical',
    'background',
    'slack',
    'batch',
    'urgent and batch',
  ])
})

describe('tenants', () => {
  test('one who floods makes another wait for one call, not for the flood', async () => {
    const made = world()
    const flood = times(100, (index) => made.begin(`flood ${index}`, { tenant: tenant('flood') }))
    await made.system.advance(1_050)
    const startedMs = made.system.nowMs()
    const calm = made.begin('calm', { tenant: tenant('calm') })
    expect((await made.finish(calm)).status).toBe(200)
    expect(made.system.nowMs() - startedMs).toBeLessThanOrEqual(200)
    await made.finishAll(flood)
  })

  test('that both wait share by their weights', async () => {
    const made = world()
    const calls = times(60, (index) =>
      made.begin(index % 2 === 0 ? 'one' : 'three', {
        tenant: index % 2 === 0 ? tenant('one') : tenant('three', 3),
      }),
    )
    await made.system.advance(4_050)
    expect(made.sent().filter((name) => name === 'three').length).toBeGreaterThanOrEqual(29)
    await made.finishAll(calls)
  })
})

describe('deadlines', () => {
  test('of a tenant’s calls the earliest is served first, and what expired is never sent', async () => {
    const made = world()
    const calls = [made.begin('first'), made.begin('work')]
    calls.push(...times(12, (index) => made.begin(`hurried ${index}`, { task: 'hurried' })))
    const callers = await made.finishAll(calls)
    expect(made.sent().slice(0, 2)).toEqual(['first', 'hurried 0'])
    const late = callers.filter(({ status }) => status !== 200)
    const timedOut = late.filter((caller) => codeOf(caller) === 'capacity.queue_timeout')
    expect(timedOut.length).toBeGreaterThanOrEqual(3)
    expect(made.sent()).toHaveLength(calls.length - timedOut.length)
    expect(made.ledger.heldTotal().nanoUsd).toBe(0)
    expect(made.system.pendingTimers()).toBe(0)
  })

  test('what would be too late is refused before it waits, and told when to come back', async () => {
    const made = world()
    const calls = times(60, (index) => made.begin(`work ${index}`))
    await made.system.advance(2_000)
    const startedMs = made.system.nowMs()
    // Forty critical calls of 100 ms are before it, and it has a second.
    const late = await made.finish(made.begin('late', { task: 'hurried_slack' }))
    expect(made.system.nowMs()).toBe(startedMs)
    expect([late.status, codeOf(late)]).toEqual([429, 'capacity.shed'])
    expect(late.headers['x-should-retry']).toBe('false')
    expect(Number(late.headers['retry-after'])).toBeGreaterThanOrEqual(4)
    expect(Number(late.headers['retry-after'])).toBeLessThanOrEqual(6)
    // Of its own tenant it is the most urgent, and beside another it has its share.
    const urgent = made.begin('urgent', { task: 'hurried' })
    const calm = made.begin('calm', { task: 'hurried', tenant: tenant('calm') })
    expect((await made.finishAll([urgent, calm])).map(({ status }) => status)).toEqual([200, 200])
    expect(made.system.nowMs() - startedMs).toBeLessThanOrEqual(300)
    await made.finishAll(calls)
  })
})

test('a caller who leaves while waiting leaves the queue at once, and holds nothing', async () => {
  const made = world()
  const [first, second, third] = ['first', 'second', 'third'].map((name) => made.begin(name))
  await made.system.advance(10)
  expect(made.queue()?.size).toBe(2)
  second?.caller.hangUp()
  await made.system.advance(0)
  expect(made.queue()?.size).toBe(1)
  expect(second?.isDone).toBe(true)
  for (const call of [first, third]) if (call !== undefined) await made.finish(call)
  expect(made.sent()).toEqual(['first', 'third'])
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

describe('bounds', () => {
  test('ten thousand callers at once: those that fit wait, the others are told at once, nothing is left', async () => {
    const made = world({ concurrency: 8, queue: '{ max_waiting: 500 }' })
    const calls = times(10_000, (index) =>
      made.begin('herd', { tenant: tenant(`t${index % 10}`), body: { max_tokens: 10 } }),
    )
    await made.system.advance(10)
    const told = calls.filter(({ isDone }) => isDone).map(({ caller }) => caller)
    expect(told).toHaveLength(10_000 - 508)
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([429]))
    expect(new Set(told.map(({ headers }) => headers['retry-after'])).size).toBeGreaterThan(1)
    await made.system.advance(10_000)
    const served = calls.filter(({ caller }) => caller.status === 200)
    expect(served).toHaveLength(508)
    expect(new Set(calls.map(({ isDone }) => isDone))).toEqual(new Set([true]))
    expect(made.ledger.heldTotal().nanoUsd).toBe(0)
    expect(made.system.pendingTimers()).toBe(0)
    const perTenant = times(10, (index) => served.filter((call) => calls.indexOf(call) % 10 === index).length)
    expect(Math.max(...perTenant) - Math.min(...perTenant)).toBeLessThanOrEqual(2)
  })

  test('a tenant at its own bound leaves room for others', async () => {
    const made = world({ queue: '{ max_waiting: 10, max_waiting_per_tenant: 3 }' })
    const flood = times(10, (index) => made.begin(`flood ${index}`, { tenant: tenant('flood') }))
    const calm = times(3, (index) => made.begin(`calm ${index}`, { tenant: tenant('calm') }))
    const [floodCallers, calmCallers] = [await made.finishAll(flood), await made.finishAll(calm)]
    expect(floodCallers.filter(({ status }) => status === 200)).toHaveLength(4)
    expect(calmCallers.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

describe('deployments that rest', () => {
  test('are waited for, the earliest of them, within the deadline', async () => {
    const made = world({ deployments: `, ${SPARE}` })
    made.provider('main').next(openAiError(429, 'slow', { 'retry-after': '9' }))
    made.provider('spare').next(openAiError(429, 'slow', { 'retry-after': '4' }))
    const startedMs = made.system.nowMs()
    const caller = await made.finish(made.begin('patient'))
    expect(caller.status).toBe(200)
    expect(caller.headers['x-spillway-deployment']).toBe('spare/narrow')
    expect(Math.round((made.system.nowMs() - startedMs) / 1_000)).toBe(4)
  })

  test('say nothing of how fast calls are served: who comes too late is not sent away for a minute', async () => {
    const made = world()
    const calls = times(60, (index) => made.begin(`work ${index}`))
    await made.system.advance(2_050)
    made.provider('main').next(openAiError(429, 'slow', { 'retry-after': '20' }))
    await made.system.advance(19_500)
    // Forty calls of 100 ms are before it, as soon as the rest is over.
    const late = await made.finish(made.begin('late', { task: 'hurried_slack' }))
    expect([late.status, codeOf(late)]).toEqual([429, 'capacity.shed'])
    expect(Number(late.headers['retry-after'])).toBeGreaterThanOrEqual(4)
    expect(Number(late.headers['retry-after'])).toBeLessThanOrEqual(6)
    const callers = await made.finishAll(calls)
    expect(new Set(callers.map(({ status }) => status))).toEqual(new Set([200]))
  })

  test('a herd that waits for one is let in as it can be served, not at once', async () => {
    const made = world({ concurrency: 4 })
    made.provider('main').next(...times(4, () => openAiError(429, 'slow', { 'retry-after': '5' })))
    const calls = times(80, (index) => made.begin(`herd ${index}`))
    await made.system.advance(4_900)
    expect(made.sent()).toHaveLength(4)
    await made.system.advance(300)
    expect(made.provider('main').openCalls).toBeLessThanOrEqual(4)
    const callers = await made.finishAll(calls)
    expect(new Set(callers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(made.system.pendingTimers()).toBe(0)
  })
})

describe('overload', () => {
  /** 300 critical calls of 100 ms, one at a time. */
  async function overloaded(shape: Shape, seconds: number) {
    const made = world(shape)
    const flood = times(300, (index) => made.begin(`flood ${index}`))
    await made.system.advance(seconds * 1_000)
    return { ...made, flood }
  }

  test('rises while critical calls would wait too long, and is over after some calm', async () => {
    const made = await overloaded({}, 3)
    expect(made.queue()?.overload.level).toBeGreaterThanOrEqual(2)
    await made.system.advance(27_500)
    await made.system.advance(10_000)
    expect(made.engine.capacity.queues.levelOf('narrow', made.system.nowMs())).toBe(0)
    await made.finishAll(made.flood)
  })

  test('sheddable work is refused, what can wait waits', async () => {
    const made = await overloaded({}, 4)
    const shed = await made.finish(made.begin('shed', { task: 'spare_time' }))
    expect([shed.status, codeOf(shed)]).toEqual([429, 'capacity.shed'])
    const batch = made.begin('batch', { priority: 'batch' })
    const slack = made.begin('slack', { task: 'slack' })
    await made.finishAll([...made.flood, batch, slack])
    expect([batch.caller.status, slack.caller.status]).toEqual([200, 200])
  })

  test('what is refused and nothing else could answer is no task, and its level is in the books', async () => {
    const made = await overloaded(
      { tasks: 'kind: { criticality: sheddable, degrade: [refine], route: { default: narrow } }' },
      4,
    )
    const opened = made.entries('task-opened').length
    await made.finish(made.begin('shed', { task: 'spare_time' }))
    expect(made.entries('task-opened')).toHaveLength(opened)
    expect(made.entries('call-refused').at(-1)).toMatchObject({ code: 'capacity.shed' })
    const refined = await made.finish(made.begin('kind', { task: 'kind' }))
    expect([refined.status, refined.headers['x-spillway-degraded']]).toEqual([200, 'refine'])
    const levels = made
      .entries('event')
      .map(({ event, subject, detail }) => [event, subject, detail['level']])
    expect(levels.slice(0, 2)).toEqual([
      ['overload', 'narrow', 1],
      ['overload', 'narrow', 2],
    ])
    await made.finishAll(made.flood)
    expect(made.queue()).toMatchObject({ served: [0, 299, 0, 0], shed: [0, 0, 0, 2] })
  })

  test('a wait that is longer than its target counts, as configured', async () => {
    const made = await overloaded({ queue: '{ target_wait_ms: 60000 }' }, 4)
    expect(made.queue()?.overload.level).toBe(0)
    await made.finishAll(made.flood)
  })

  test('a contract that has a smaller model takes it instead of waiting', async () => {
    const tasks =
      'yielding: { degrade: [smaller_model], route: { default: narrow, escalate_if: [{ condition: "tenant == \'nobody\'", model: little }] } }'
    const made = await overloaded({ tasks }, 6)
    const caller = await made.finish(made.begin('yielding', { task: 'yielding' }))
    expect(caller.headers['x-spillway-model']).toBe('little')
    await made.finishAll(made.flood)
  })

  test('answers may be no longer than nearly all of their task are, where their caller would allow more', async () => {
    const made = await overloaded({}, 5)
    const sentLimit = async (maxTokens: number, ask: CallAsk = {}) => {
      await made.finish(
        made.begin('', { body: { max_tokens: maxTokens }, tenant: tenant(`t${maxTokens}`), ...ask }),
      )
      const own = made.provider('main').requests.findLast(({ json }) => contentOf(json).startsWith('What'))
      return own?.json['max_completion_tokens'] ?? own?.json['max_tokens']
    }
    expect(await sentLimit(3_000)).toBe(16)
    expect(
      made
        .entries('step-ended')
        .flatMap(({ decisions }) => decisions)
        .map(({ choice }) => choice),
    ).toContain('lower output limit')
    expect(await sentLimit(5)).toBe(5)
    // Nothing is known of this task.
    expect(await sentLimit(2_000, { task: 'urgent' })).toBe(2_000)
    await made.finishAll(made.flood)
  })
})

test('what would miss the target of its first token is refused, who can wait does', async () => {
  const made = world({ targets: 'targets: { first_token_ms: 1000 }' })
  const calls = times(60, (index) => made.begin(`work ${index}`, { priority: 'background' }))
  await made.system.advance(2_000)
  for (const stream of [true, false]) {
    const body = { stream, messages: [{ role: 'user', content: 'late' }] }
    const late = await made.finish(made.begin('late', { body, task: 'slack' }))
    expect([late.status, codeOf(late)]).toEqual([429, 'capacity.shed'])
  }
  const patient = made.begin('patient', { task: 'slack', priority: 'background' })
  expect((await made.finish(patient)).status).toBe(200)
  await made.finishAll(calls)
})
