// B1, O2: `kill -9` at any instant. Thirty times the server dies under load and starts again on the same data: whatever
// was answered is in the books with its charge, whatever was held is settled at its worst, and the sums agree.

import { join } from 'node:path'
import type { TaskListPage, TaskTraceView } from '@spillway/protocol'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHAT, MESSAGES, WAYS } from './support/dialects.js'
import { Journey, nanoSum, providersOf } from './support/journey.js'
import { openStream } from './support/stream.js'

const ROUNDS = 30
const CLIENTS = 12
/** A round takes about a second; on a busy machine several. */
const ROUNDS_TIMEOUT_MS = 240_000
const KEY = 'acme-key-0001'

const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
tasks:
  default: { route: { default: gpt-4o-mini } }
  agent:
    budget: { max_model_calls: 100000, max_cost_usd: 100 }
    degrade: []
    route: { default: gpt-4o-mini }
    retries: { max_attempts: 100000 }
tenants:
  acme: { keys: ["${KEY}"], limits: { usd_per_day: 1000 } }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config, key: KEY, sim: ['--output-tokens', '12', '--latency-ms', '2'] })
})
afterAll(() => journey.stop())

interface Finished {
  readonly taskId: string
  readonly stepId: string
}

/** One call; null when the server died before its last byte was here. */
async function callOnce(index: number, taskId: string | null): Promise<Finished | null> {
  const { dialect, stream } = WAYS[index % WAYS.length]?.[1] ?? { dialect: CHAT, stream: false }
  const model = index % 3 === 0 ? 'claude-3-5-haiku' : 'gpt-4o-mini'
  const headers = {
    authorization: `Bearer ${KEY}`,
    ...(taskId !== null && index % 2 === 0 && { 'x-spillway-task-id': taskId }),
  }
  const body = dialect.body({ model, text: `Question ${index}`, stream, maxTokens: 40 })
  const answer = await openStream(journey.server.url + dialect.path, { body, headers }).catch(() => null)
  if (answer === null) return null
  const end = await answer.end
  expect(answer.status).toBe(200)
  // A stream whose end marker has come is finished for its reader, whatever happens to the connection after it.
  if (!(end === 'ended' || (stream && dialect.isEnded(answer.text())))) return null
  return {
    taskId: String(answer.headers['x-spillway-task-id']),
    stepId: String(answer.headers['x-spillway-step-id']),
  }
}

/** Calls from several clients without a pause, until the server dies, which it does after `answers` of them. */
async function loadUntilKilled(answers: number, taskId: string): Promise<readonly Finished[]> {
  const finished: Finished[] = []
  let calls = 0
  const dying: Promise<void>[] = []
  const client = async () => {
    while (dying.length === 0) {
      const one = await callOnce(calls++, taskId)
      if (one !== null) finished.push(one)
      if (finished.length >= answers && dying.length === 0) dying.push(journey.server.kill())
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  await Promise.all(dying)
  return finished
}

const chargesOf = (trace: TaskTraceView) => trace.charges.map(({ attempt }) => attempt.charged_usd)
const attemptIds = (trace: TaskTraceView) =>
  trace.steps.flatMap(({ attempts }) => attempts.map(({ id }) => id))

function expectWholeBooks(trace: TaskTraceView): void {
  expect(nanoSum([trace.task.budget.spent.cost_usd])).toBe(nanoSum(chargesOf(trace)))
  const charged = trace.charges.map(({ attempt }) => attempt.id)
  expect(new Set(charged).size).toBe(charged.length)
  for (const id of attemptIds(trace)) expect(charged).toContain(id)
  const told = new Set(attemptIds(trace))
  for (const { attempt } of trace.charges.filter(({ attempt: { id } }) => !told.has(id))) {
    // No step tells of it: either its process died while it ran, or between its end and its step's.
    expect(attempt.basis === 'worst-case').toBe(attempt.end === 'process_died')
    expect(attempt.charged_usd).toBeGreaterThan(0)
  }
}

async function expectInTheBooks(finished: readonly Finished[]): Promise<void> {
  const ids = [...new Set(finished.map(({ taskId }) => taskId))]
  const traces = new Map<string, TaskTraceView>()
  for (const id of ids) traces.set(id, await journey.trace(id))
  for (const { taskId, stepId } of finished) {
    const trace = traces.get(taskId)
    const step = trace?.steps.find(({ id }) => id === stepId)
    expect([taskId, step?.error, step?.attempts.map(({ end }) => end)]).toEqual([taskId, null, ['ok']])
    expect(trace?.charges.map(({ attempt }) => attempt.id)).toContain(step?.attempts[0]?.id)
    expect(trace?.task.status).toBe(trace?.task.one_step === true ? 'succeeded' : 'open')
  }
  for (const trace of traces.values()) expectWholeBooks(trace)
}

async function everyTask(): Promise<readonly string[]> {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = (await journey.send(`/v1/tasks?limit=500${query}`)).body as TaskListPage
    ids.push(...page.tasks.map(({ id }) => id))
    cursor = page.next_cursor
  }
  return ids
}

let answered = 0
let recovered = 0

test(
  `thirty times killed under load, the server knows every answer it finished`,
  async () => {
    const { id } = await journey.open({ contract: 'agent' })
    for (let round = 1; round <= ROUNDS; round++) {
      const finished = await loadUntilKilled(5 + ((round * 37) % 120), id)
      answered += finished.length
      await journey.startAgain()
      recovered += Number(/recovered +(\d+) open holds/.exec(journey.server.output())?.[1] ?? 0)
      await expectInTheBooks(finished)
      expect(await journey.metric('spillway_journal_open_holds')).toBe(0)
      const open = (await journey.send('/v1/tasks?status=open')).body as TaskListPage
      expect(open.tasks.map((task) => task.id)).toEqual([id])
    }
    expect(answered).toBeGreaterThan(ROUNDS * 5)
    // Twelve clients are always waiting for something when the server dies.
    expect(recovered).toBeGreaterThan(0)
  },
  ROUNDS_TIMEOUT_MS,
)

test('after that the ledger is the sum over all attempts, and covers all that the provider served', async () => {
  const traces: TaskTraceView[] = []
  for (const id of await everyTask()) traces.push(await journey.trace(id))
  for (const trace of traces) expectWholeBooks(trace)
  const charges = traces.flatMap((trace) => trace.charges)
  expect(charges.filter(({ attempt }) => attempt.end === 'process_died')).toHaveLength(recovered)
  const report = (await journey.send('/v1/report?by=none')).body as {
    groups: readonly { cost_usd: number }[]
  }
  expect(nanoSum(report.groups.map(({ cost_usd: usd }) => usd))).toBe(
    nanoSum(traces.flatMap((trace) => chargesOf(trace))),
  )
  for (const model of ['gpt-4o-mini', 'claude-3-5-haiku']) {
    const served = await journey.stats(model)
    const booked = charges.filter(({ attempt }) => attempt.model === model)
    const outputTokens = booked.reduce((sum, { actual }) => sum + actual.output_tokens, 0)
    expect(outputTokens).toBeGreaterThanOrEqual(served.output_tokens.reported)
  }
})

test('the task that was open through all of it still serves', async () => {
  const { tasks } = (await journey.send('/v1/tasks?status=open')).body as TaskListPage
  const id = tasks[0]?.id ?? ''
  for (const dialect of [CHAT, MESSAGES]) {
    const { status } = await journey.ask(dialect, { text: 'Still there?' }, { 'x-spillway-task-id': id })
    expect(status).toBe(200)
  }
  const { spent } = await journey.balance(id)
  expect(nanoSum([spent.cost_usd])).toBe(nanoSum(chargesOf(await journey.trace(id))))
})

test('the database file is sound', async () => {
  expect(await journey.server.stop()).toBe(0)
  const db = new Database(join(journey.dir, 'data', 'books.db'), { readonly: true })
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  db.close()
  await journey.startAgain()
})
