// T1-T3, B1: one task from opening to its last outcome, as an application without our client would run it.

import type {
  JudgedOutcome,
  OpenedTask,
  Report,
  StepAccepted,
  TaskListPage,
  TaskTraceView,
  TaskView,
} from '@spillway/protocol'
import OpenAI, { type APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answered, countingFetch, errorOf, request } from './support/http.js'
import { type RunningServer, startServer } from './support/server.js'

const CONFIG = `
providers:
  sim: { kind: simulated, output_tokens: 20 }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: sim, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  support_reply:
    success: ["output.text != ''"]
    slo: { p95_latency_ms: 60000 }
    budget: { max_model_calls: 5, max_input_tokens: 6000, max_output_tokens: 700, max_tool_calls: 8,
              max_tool_ms: 4000, max_latency_ms: 120000, max_cost_usd: 0.05 }
    degrade: []
    route: { default: gpt-4o-mini }
    price: { usd_per_success: 0.10 }
  with_evidence:
    success: ["size(evidence) > 0"]
    degrade: []
    route: { default: gpt-4o-mini }
tenants:
  acme: { keys: ["\${ACME_KEY}"] }
  other: { keys: ["\${OTHER_KEY}"] }
`
const KEYS = { ACME_KEY: 'acme-key-0001', OTHER_KEY: 'other-key-0001' }
const ACME = { authorization: `Bearer ${KEYS.ACME_KEY}` }
const LIMITS = {
  model_calls: 5,
  input_tokens: 6000,
  output_tokens: 700,
  tool_calls: 8,
  tool_ms: 4000,
  cost_usd: 0.05,
}
const NOTHING = { model_calls: 0, input_tokens: 0, output_tokens: 0, tool_calls: 0, tool_ms: 0, cost_usd: 0 }

let server: RunningServer
beforeAll(async () => {
  server = await startServer({ config: CONFIG, env: KEYS })
})
afterAll(() => server.stop())

const at = (
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = ACME,
): Promise<Answered> => request(server.url + path, { headers, ...(body !== undefined && { body }) })

async function open(ask: object): Promise<OpenedTask> {
  const { status, body } = await at('/v1/tasks', { contract: 'support_reply', ...ask })
  expect(status).toBe(201)
  return body as OpenedTask
}

const view = async (id: string) => (await at(`/v1/tasks/${id}`)).body as TaskView
const outcomeOf = async (id: string, verdict: object) =>
  (await at(`/v1/tasks/${id}/outcome`, verdict)).body as JudgedOutcome
const step = (id: string, report: object) =>
  at(`/v1/tasks/${id}/steps`, { started_at: '2026-01-31T09:30:00Z', ...report })

/** A call of the official client that belongs to the task. */
function callIn(taskId: string, fetch?: typeof globalThis.fetch) {
  const openai = new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: KEYS.ACME_KEY,
    defaultHeaders: { 'x-spillway-task-id': taskId },
    ...(fetch !== undefined && { fetch }),
  })
  const messages = [{ role: 'user' as const, content: 'Where is my order 4711?' }]
  return openai.chat.completions.create({ model: 'gpt-4o-mini', messages }).withResponse()
}

describe('opening', () => {
  test('gives id, contract, release, deadline and a budget that nothing was spent of', async () => {
    const before = Date.now()
    const task = await open({ session: 'conversation-1', external_id: 'opening' })
    expect(task).toMatchObject({
      id: expect.stringMatching(/\S/),
      contract: 'support_reply',
      release: expect.stringMatching(/^rel_[0-9a-f]{16}$/),
      budget: { limits: LIMITS, spent: NOTHING, remaining: LIMITS },
    })
    const deadlineMs = Date.parse(task.deadline)
    expect(deadlineMs).toBeGreaterThanOrEqual(before + 120_000)
    expect(deadlineMs).toBeLessThanOrEqual(Date.now() + 120_000)
    expect(await view(task.id)).toMatchObject({
      id: task.id,
      status: 'open',
      session: 'conversation-1',
      external_id: 'opening',
      tenant: 'acme',
      outcome: null,
    })
  })

  test('a budget may tighten the contract, never widen it', async () => {
    const budget = {
      max_model_calls: 2,
      max_output_tokens: 9_000,
      max_cost_usd: 0.5,
      max_latency_ms: 1_000_000,
    }
    const task = await open({ budget })
    expect(task.budget.limits).toEqual({ ...LIMITS, model_calls: 2 })
    expect(Date.parse(task.deadline)).toBeLessThanOrEqual(Date.now() + 120_000)
  })

  test('a contract that nobody wrote is unknown', async () => {
    const answered = await at('/v1/tasks', { contract: 'support_reply_2' })
    expect(answered.status).toBe(404)
    expect(errorOf(answered)['code']).toBe('task.unknown')
  })

  test('the same opening sent twice under one idempotency key is one task', async () => {
    const headers = { ...ACME, 'idempotency-key': 'open-once' }
    const ask = { contract: 'support_reply', external_id: 'once' }
    const first = await at('/v1/tasks', ask, headers)
    const second = await at('/v1/tasks', ask, headers)
    expect(second.status).toBe(201)
    expect(second.body).toMatchObject({ id: (first.body as OpenedTask).id })
  })
})

test('a task runs from opening over calls and steps to its outcome, and the books agree', async () => {
  const task = await open({ external_id: 'whole-life' })

  const { data: answer, response } = await callIn(task.id)
  expect(answer.choices[0]?.message.content).toMatch(/\S/)
  expect(response.headers.get('x-spillway-task-id')).toBe(task.id)
  expect(response.headers.get('x-spillway-release')).toBe(task.release)
  expect(response.headers.get('x-spillway-simulated')).toBe('true')
  const { usage } = answer
  const callUsd = ((usage?.prompt_tokens ?? 0) * 0.15 + (usage?.completion_tokens ?? 0) * 0.6) / 1e6
  expect(Number(response.headers.get('x-spillway-cost-usd'))).toBeCloseTo(callUsd, 9)
  expect(answer).toMatchObject({
    spillway: { task: { id: task.id, spent: { model_calls: 1 }, remaining: { model_calls: 4 } } },
  })

  const reported = await step(task.id, {
    kind: 'tool',
    name: 'find_order',
    duration_ms: 120,
    cost_usd: 0.001,
  })
  expect(reported.status).toBe(201)
  expect((reported.body as StepAccepted).task).toMatchObject({
    id: task.id,
    spent: { tool_calls: 1, tool_ms: 120 },
    remaining: { tool_calls: 7, tool_ms: 3880 },
  })

  const outcome = await outcomeOf(task.id, { status: 'succeeded', score: 0.9, evidence: ['order 4711'] })
  expect(outcome).toMatchObject({ success: true, harm: false, reasons: [], price_usd: 0.1, slo_met: true })
  expect(outcome.cost_usd).toBeCloseTo(callUsd + 0.001, 9)
  expect(outcome.margin_usd).toBeCloseTo(0.1 - outcome.cost_usd, 9)
  expect(outcome.latency_ms).toBeGreaterThanOrEqual(0)

  const trace = (await at(`/v1/tasks/${task.id}/trace`)).body as TaskTraceView
  expect(trace.task).toMatchObject({ id: task.id, status: 'succeeded', steps: 2, attempts: 1 })
  expect(trace.steps.map(({ number, kind, name }) => [number, kind, name])).toEqual([
    [1, 'model', expect.any(String)],
    [2, 'tool', 'find_order'],
  ])
  expect(trace.steps[0]?.attempts).toHaveLength(1)
  expect(trace.steps[0]?.decisions.length).toBeGreaterThan(0)
  const charged = trace.charges.reduce((sum, { attempt }) => sum + attempt.charged_usd, 0)
  const other = trace.steps.reduce((sum, { other_cost_usd: usd }) => sum + usd, 0)
  expect(charged + other).toBeCloseTo(outcome.cost_usd, 9)
  expect(JSON.stringify(trace)).not.toContain('Where is my order')

  const list = (await at('/v1/tasks?external_id=whole-life')).body as TaskListPage
  expect(list.tasks.map(({ id, success }) => [id, success])).toEqual([[task.id, true]])
  expect(list.next_cursor).toBeNull()
})

describe('outcomes', () => {
  test('a call into a task that has ended is refused, and the client does not try again', async () => {
    const task = await open({})
    await outcomeOf(task.id, { status: 'abandoned' })
    const counting = countingFetch()
    const error = await callIn(task.id, counting.fetch).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(OpenAI.ConflictError)
    expect(error).toMatchObject({ status: 409, code: 'task.closed' })
    expect(counting.calls()).toBe(1)
  })

  test('may come late and again: the last one stands, all are kept', async () => {
    const task = await open({})
    await callIn(task.id)
    expect((await outcomeOf(task.id, { status: 'succeeded' })).success).toBe(true)
    const disputed = await outcomeOf(task.id, { status: 'failed', reason: 'customer reopened' })
    expect(disputed).toMatchObject({ success: false, price_usd: 0 })
    expect(disputed.margin_usd).toBe(-disputed.cost_usd)
    expect(disputed.reasons).toContain('customer reopened')
    const { outcomes, task: state } = (await at(`/v1/tasks/${task.id}/trace`)).body as TaskTraceView
    expect(outcomes.map(({ status, success }) => [status, success])).toEqual([
      ['succeeded', true],
      ['failed', false],
    ])
    expect(state).toMatchObject({ status: 'failed', outcome: { status: 'failed' } })
    expect((await outcomeOf(task.id, { status: 'succeeded' })).success).toBe(true)
    expect((await view(task.id)).status).toBe('succeeded')
  })

  test('a clean answer of a model is no success when the contract asks for more', async () => {
    const { body } = await at('/v1/tasks', { contract: 'with_evidence' })
    const { id } = body as OpenedTask
    await callIn(id)
    const bare = await outcomeOf(id, { status: 'succeeded' })
    expect(bare.success).toBe(false)
    expect(bare.reasons.join('\n')).toContain('size(evidence) > 0')
    expect((await outcomeOf(id, { status: 'succeeded', evidence: ['doc-1'] })).success).toBe(true)
  })

  test("the application's own word counts: failed is never a success", async () => {
    const task = await open({})
    await callIn(task.id)
    expect(await outcomeOf(task.id, { status: 'failed', reason: 'wrong order' })).toMatchObject({
      success: false,
    })
  })
})

describe('sub-tasks', () => {
  test("spend from their parent's remainder and are refused when that is used up", async () => {
    const parent = await open({ budget: { max_model_calls: 3 } })
    await callIn(parent.id)
    const child = await open({ parent: parent.id })
    expect(Date.parse(child.deadline)).toBeLessThanOrEqual(Date.parse(parent.deadline))
    await callIn(child.id)
    await callIn(child.id)
    const counting = countingFetch()
    const error = await callIn(child.id, counting.fetch).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 'budget.exhausted' })
    expect((error as APIError).headers?.get('x-should-retry')).toBe('false')
    expect(counting.calls()).toBe(1)
    await expect(callIn(parent.id)).rejects.toMatchObject({ code: 'budget.exhausted' })
    const trace = (await at(`/v1/tasks/${parent.id}/trace`)).body as TaskTraceView
    expect(trace.children).toEqual([child.id])
    expect(trace.task.budget.remaining.model_calls).toBe(0)
    expect(await view(child.id)).toMatchObject({ parent: parent.id, budget: { spent: { model_calls: 2 } } })
  })

  test('are told at once what their parent has left for them', async () => {
    const parent = await open({ budget: { max_model_calls: 3 } })
    await callIn(parent.id)
    const child = await open({ parent: parent.id })
    expect(child.budget.limits.model_calls).toBe(5)
    expect(child.budget.remaining.model_calls).toBe(2)
  })

  test('need a parent that is there', async () => {
    const answered = await at('/v1/tasks', { contract: 'support_reply', parent: 'task_that_never_was' })
    expect(answered.status).toBe(404)
    expect(errorOf(answered)['code']).toBe('task.unknown')
  })
})

test('the tasks of one tenant do not exist for another', async () => {
  const task = await open({ external_id: 'private' })
  const other = { authorization: `Bearer ${KEYS.OTHER_KEY}` }
  for (const path of [`/v1/tasks/${task.id}`, `/v1/tasks/${task.id}/trace`]) {
    const answered = await at(path, undefined, other)
    expect([answered.status, errorOf(answered)['code']]).toEqual([404, 'task.unknown'])
  }
  const outcome = await at(`/v1/tasks/${task.id}/outcome`, { status: 'failed' }, other)
  expect(outcome.status).toBe(404)
  expect((await at('/v1/tasks?external_id=private', undefined, other)).body).toMatchObject({ tasks: [] })
  expect((await view(task.id)).status).toBe('open')
})

test('the report counts tasks, successes and cost of each contract', async () => {
  const group = async () => {
    const { status, body } = await at('/v1/report?since=24h&by=contract')
    expect(status).toBe(200)
    return (body as Report).groups.find(({ group: name }) => name === 'support_reply')
  }
  const before = await group()
  const task = await open({})
  await callIn(task.id)
  const outcome = await outcomeOf(task.id, { status: 'succeeded' })
  const after = await group()
  expect((after?.tasks ?? 0) - (before?.tasks ?? 0)).toBe(1)
  expect((after?.successes ?? 0) - (before?.successes ?? 0)).toBe(1)
  expect((after?.cost_usd ?? 0) - (before?.cost_usd ?? 0)).toBeCloseTo(outcome.cost_usd, 9)
  const perSuccess = after?.cost_per_success_usd
  expect(perSuccess?.value).toBeCloseTo((after?.cost_usd ?? 0) / (after?.successes ?? 1), 9)
  expect(after?.latency_ms?.p95).toBeGreaterThanOrEqual(after?.latency_ms?.p50 ?? Infinity)
  expect(after?.simulated).toBe(true)
})

test('a call without a task is a task of one step, opened, judged and closed with it', async () => {
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEYS.ACME_KEY })
  const messages = [{ role: 'user' as const, content: 'Hello' }]
  const { response } = await openai.chat.completions
    .create({ model: 'support_reply', messages })
    .withResponse()
  const id = response.headers.get('x-spillway-task-id') ?? ''
  expect(await view(id)).toMatchObject({
    contract: 'support_reply',
    status: 'succeeded',
    one_step: true,
    steps: 1,
    outcome: { success: true, source: 'contract' },
  })
})
