import { expect, test } from 'vitest'
import { configured } from '../testing/example-config.js'
import { chatAnswer } from '../testing/provider-answers.js'
import { LOCAL, createTestEngine } from '../testing/test-engine.js'
import { closeTask, findTask, joinTask } from './open-task.js'
import { endTask, sweepExpired } from './outcome.js'
import { reportStep } from './report-step.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_model_calls: 5, max_cost_usd: 0.01, max_tool_calls: 2, max_latency_ms: 8000 }
    retries: { max_attempts: 10 }
    route: { default: small-model }
  child: { degrade: [], budget: { max_latency_ms: 60000 }, route: { default: small-model } }
`

function world() {
  const made = createTestEngine(configured(TASKS))
  made.provider('main').otherwise(() => chatAnswer())
  return made
}

test('a joined task keeps its deadline, its budget and its steps over all its calls', async () => {
  const made = world()
  const opened = await made.open('support')
  for (let calls = 1; calls <= 2; calls++) {
    const caller = await made.call({ taskId: opened.id })
    expect(caller.headers['x-spillway-task-id']).toBe(opened.id)
    expect(caller.json).toMatchObject({
      spillway: { task: { spent: { model_calls: calls }, remaining: { model_calls: 5 - calls } } },
    })
    expect(made.lastStep().number).toBe(calls)
  }
  expect(made.entries('outcome-judged')).toEqual([])
  await made.system.advance(8_000)
  const late = await made.call({ taskId: opened.id })
  expect(late.status).toBe(504)
  expect(late.json).toMatchObject({ error: { code: 'deadline.exceeded' } })
})

test.each([
  ['a task nobody opened', 'task_999999', LOCAL, 404, 'task.unknown'],
  ["another tenant's task", null, { ...LOCAL, name: 'acme' }, 404, 'task.unknown'],
])('%s is unknown', async (_what, id, tenant, status, code) => {
  const made = world()
  const opened = await made.open('support')
  const caller = await made.call({ taskId: id ?? opened.id, tenant })
  expect(caller.status).toBe(status)
  expect(caller.json).toMatchObject({ error: { code } })
  expect(made.provider('main').requests).toEqual([])
})

test('a task that has ended takes no more calls', async () => {
  const made = world()
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  endTask(made.engine, opened, { source: 'application', verdict: null })
  closeTask(made.engine, opened)
  const caller = await made.call({ taskId: opened.id })
  expect(caller.status).toBe(409)
  expect(caller.json).toMatchObject({ error: { code: 'task.closed' } })
})

test('a caller may tighten the budget, never widen it', async () => {
  const made = world()
  const tight = await made.open('support', { budget: { modelCalls: 1, nanoUsd: 10 ** 12 }, latencyMs: 1_000 })
  expect(tight.limits).toMatchObject({ modelCalls: 1, nanoUsd: 10_000_000 })
  expect(tight.deadlineMs - tight.openedMs).toBe(1_000)
  expect((await made.open('support', { latencyMs: 100_000 })).deadlineMs - made.system.nowMs()).toBe(8_000)
})

test("a sub-task has its parent's deadline, attributes and session at most", async () => {
  const made = world()
  const parent = await made.open('support', {
    attributes: { account_tier: 'enterprise', a: 1 },
    session: 's-1',
  })
  const child = await made.open('child', { parent, attributes: { a: 2 } })
  expect(child).toMatchObject({
    deadlineMs: parent.deadlineMs,
    session: 's-1',
    attributes: { account_tier: 'enterprise', a: 2 },
  })
  expect(child.accounts).toEqual([`task:${child.id}`, `task:${parent.id}`])
  expect(made.entries('task-opened').at(-1)).toMatchObject({ parent: parent.id })
})

test('a call without a task opens, ends and forgets a task of its own', async () => {
  const made = world()
  await made.call({ task: 'support' })
  expect(made.books.entries.map(({ kind }) => kind)).toEqual([
    'task-opened',
    'hold-made',
    'hold-settled',
    'step-ended',
    'outcome-judged',
  ])
  expect(made.engine.tasks.size).toBe(0)
  expect(made.ledger.read('task:task_000001')).toBeNull()
})

// 3: two first calls of a tenant at once find the same ceiling, not two.
test('the first two calls of a tenant at once share the ceiling that they open', async () => {
  const made = world()
  const tenant = { ...LOCAL, name: 'new', limits: { ...LOCAL.limits, nanoUsdPerDay: 60_000 } }
  const running = [made.start({ task: 'support', tenant }), made.start({ task: 'support', tenant })]
  const callers = await Promise.all(running.map((call) => made.finish(call)))
  expect(callers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 429])
})

test.each([
  ['requests per minute', { requestsPerMinute: 2 }, 'once a minute has passed'],
  ['calls at a time', { concurrency: 2 }, 'once one of them has ended'],
])(
  "a tenant's limit of %s turns further calls away with Retry-After, and lets them in %s",
  async (_what, limits, _until) => {
    const made = world()
    made.provider('main').otherwise(() => chatAnswer({ delayMs: 100 }))
    const tenant = { ...LOCAL, name: 'acme', limits: { ...LOCAL.limits, ...limits } }
    const running = Array.from({ length: 3 }, () => made.start({ task: 'support', tenant }))
    const callers = await Promise.all(running.map((call) => made.finish(call)))
    expect(callers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 429])
    const refusal = callers.find(({ status }) => status === 429)
    expect(refusal?.json).toMatchObject({ error: { code: 'ceiling.reached' } })
    expect(Number(refusal?.headers['retry-after'])).toBeGreaterThan(0)
    await made.system.advance(60_000)
    expect((await made.call({ task: 'support', tenant })).status).toBe(200)
  },
)

test('after a restart a task goes on with what it has already spent', async () => {
  const made = world()
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  made.engine.tasks.remove(opened.id)
  made.ledger.close(`task:${opened.id}`)
  const joined = await joinTask(made.engine, opened.id, LOCAL)
  expect(joined).toMatchObject({ id: opened.id, steps: 1, attempts: 1, nanoUsd: 56_000 })
  expect(made.ledger.read(`task:${opened.id}`)?.settled).toMatchObject({ modelCalls: 1, nanoUsd: 56_000 })
})

test('after a restart a parent remembers what its sub-tasks spent of it', async () => {
  const made = world()
  const parent = await made.open('support')
  const child = await made.open('child', { parent })
  const grandchild = await made.open('child', { parent: child })
  for (const { id } of [child, grandchild]) await made.call({ taskId: id })
  for (const { id } of [parent, child, grandchild]) {
    made.engine.tasks.remove(id)
    made.ledger.close(`task:${id}`)
  }
  await joinTask(made.engine, grandchild.id, LOCAL)
  expect(made.ledger.read(`task:${parent.id}`)?.settled).toMatchObject({ modelCalls: 2, nanoUsd: 112_000 })
  expect(made.ledger.read(`task:${child.id}`)?.settled).toMatchObject({ modelCalls: 2, nanoUsd: 112_000 })
  expect(made.ledger.read(`task:${grandchild.id}`)?.settled).toMatchObject({ modelCalls: 1, nanoUsd: 56_000 })
})

test('two who join a task at once after a restart find one task', async () => {
  const made = world()
  const opened = await made.open('support')
  made.engine.tasks.remove(opened.id)
  const [one, two] = await Promise.all([
    findTask(made.engine, opened.id, LOCAL),
    findTask(made.engine, opened.id, LOCAL),
  ])
  expect(one).toEqual(two)
  expect(one.kind === 'found' && two.kind === 'found' && one.task === two.task).toBe(true)
})

test('a reported step is recorded and charged in full, and the next call sees what is left', async () => {
  const made = world()
  const opened = await made.open('support')
  const started_at = '2026-11-24T00:00:00.000Z'
  await reportStep(made.engine, opened, {
    kind: 'tool',
    name: 'look_up',
    started_at,
    duration_ms: 12.5,
    cost_usd: 0.00999,
  })
  expect(made.ledger.read(`task:${opened.id}`)?.settled).toMatchObject({
    toolCalls: 1,
    toolMs: 13,
    nanoUsd: 9_990_000,
  })
  expect(made.lastStep()).toMatchObject({ step: 'tool', name: 'look_up', number: 1, otherNanoUsd: 9_990_000 })
  const caller = await made.call({ taskId: opened.id })
  expect(caller.json).toMatchObject({ error: { code: 'budget.exhausted' } })
})

test('a model call on a device is a step of its own that costs nothing and leaves the budget alone', async () => {
  const made = world()
  const opened = await made.open('support')
  const step = {
    kind: 'model',
    name: 'browser',
    started_at: '2026-11-24T00:00:00Z',
    duration_ms: 80,
  } as const
  const call = { model: 'browser', input_tokens: 12, output_tokens: 5, confidence: 0.4, streamed: true }
  const on_device = { ...call, end: 'escalated', first_byte_ms: 30, finish_reason: 'stop' } as const
  await reportStep(made.engine, opened, { ...step, on_device })
  expect(made.lastStep()).toMatchObject({
    step: 'model',
    name: 'browser',
    durationMs: 80,
    firstByteMs: 30,
    model: 'on-device/browser',
    deployment: 'on-device/browser',
    route: 'on-device',
    escalated: true,
    streamed: true,
    attempts: [],
    otherNanoUsd: 0,
    finishReason: 'stop',
    decisions: [
      {
        choice: 'on-device',
        reason: 'escalated',
        inputs: {
          approach: 'on-device',
          model: 'browser',
          input_tokens: 12,
          output_tokens: 5,
          confidence: 0.4,
        },
      },
    ],
  })
  expect(made.ledger.read(`task:${opened.id}`)?.settled).toMatchObject({
    modelCalls: 0,
    inputTokens: 0,
    nanoUsd: 0,
  })
  await reportStep(made.engine, opened, {
    ...step,
    error: { name: 'E' },
    on_device: { ...call, end: 'failed' },
  })
  expect(made.lastStep()).toMatchObject({ model: null, deployment: 'on-device/browser', error: 'reported' })
  const { json } = await made.call({ taskId: opened.id })
  expect(json).toMatchObject({ spillway: { task: { spent: { model_calls: 1 } } } })
})

test('a task that nobody ends is ended at its deadline, but not under a call that is still running', async () => {
  const made = world()
  sweepExpired(made.engine)
  const idle = await made.open('support')
  made.provider('main').next(chatAnswer({ delayMs: 7_000 }))
  const busy = await made.open('support')
  const running = made.start({ taskId: busy.id })
  await made.system.advance(5_000)
  expect(made.engine.tasks.size).toBe(2)
  await made.finish(running)
  await made.system.advance(5_000)
  expect(made.engine.tasks.size).toBe(0)
  expect(made.entries('outcome-judged').map(({ task, source }) => [task, source])).toEqual([
    [idle.id, 'deadline'],
    [busy.id, 'deadline'],
  ])
  expect(idle.status).toBe('failed')
  expect(busy.status).toBe('succeeded')
})
