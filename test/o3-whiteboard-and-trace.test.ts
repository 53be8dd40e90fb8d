// O1, O3: what an operator sees and does: the commands against a running server, metrics, health, spans, and a process
// that ends and refuses to start in the ways a supervisor relies on.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CapacityJson, ModelList, Report, TaskListPage, TaskTraceView } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, startCollector } from './support/collector.js'
import { runCommand } from './support/command.js'
import { CHAT, MESSAGES, endOf } from './support/dialects.js'
import { type Answered, request } from './support/http.js'
import { Journey, nanoSum, providersOf } from './support/journey.js'
import { type RunningServer, startServer } from './support/server.js'
import { openStream } from './support/stream.js'
import { waitFor } from './support/wait-for.js'

const KEY = 'acme-key-0001'
const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  support_reply:
    success: ["output.text != ''"]
    slo: { p95_latency_ms: 60000 }
    budget: { max_model_calls: 3, max_latency_ms: 120000 }
    degrade: [refine]
    retries: { max_attempts: 1 }
    route: { default: gpt-4o-mini }
    price: { usd_per_success: 0.10 }
  never_good: { success: ["size(evidence) > 0"], degrade: [], route: { default: gpt-4o-mini } }
tenants:
  acme: { keys: ["${KEY}"] }
`

let collector: Collector
let journey: Journey
const answers: Answered[] = []

/** Six successes in both dialects, one of them degraded; two calls that are no success; one that failed. */
beforeAll(async () => {
  collector = await startCollector()
  const env = () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  journey = await Journey.start({ config, key: KEY, env })
  for (const dialect of [CHAT, MESSAGES, CHAT, MESSAGES]) {
    answers.push(await journey.ask(dialect, { model: 'support_reply', text: 'Where is my order?' }))
  }
  answers.push(await journey.ask(CHAT, { model: 'support_reply', text: 'Streamed?', stream: true }))
  answers.push(await journey.ask(CHAT, { model: 'support_reply', text: 'Down? [[sim:error=500]]' }))
  answers.push(await journey.ask(CHAT, { model: 'never_good', text: 'Any evidence?' }))
  answers.push(await journey.ask(CHAT, { model: 'never_good', text: 'Refused? [[sim:error=422]]' }))
})
afterAll(async () => {
  await journey.stop()
  await collector[Symbol.asyncDispose]()
})

const idOf = (answer: Answered | undefined) => answer?.headers.get('x-spillway-task-id') ?? 'none'
const spillway = (...args: string[]) =>
  runCommand([...args, '--url', journey.server.url], { env: { SPILLWAY_KEY: KEY } })

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await spillway(...args, '--json')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as T
}

test('what there is to see: seven answers, one of them a makeshift, and a refusal', () => {
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 422])
})

describe('spillway report', () => {
  test('is the whiteboard: cost per success, margin, latency and what drives them', async () => {
    const { groups } = await json<Report>('report', '--since', '1h')
    const group = groups.find(({ group: name }) => name === 'support_reply')
    expect(group).toMatchObject({
      tasks: 6,
      ended: 6,
      model_calls: 6,
      slo_met: 1,
      unpriced_share: 0,
      escalated_share: 0,
      simulated: false,
    })
    // The outage ended in the contract's own words: an answer, but no success.
    expect([group?.successes, group?.degraded_share]).toEqual([5, 1 / 6])
    const traces = await Promise.all(answers.slice(0, 6).map((answer) => journey.traceOf(answer)))
    const cost = nanoSum(traces.map(({ task }) => task.cost_usd))
    expect(nanoSum([group?.cost_usd ?? 0])).toBe(cost)
    expect(group?.cost_per_success_usd?.value).toBeCloseTo(cost / 1e9 / 5, 12)
    expect(nanoSum([group?.margin_usd ?? 0])).toBe(5 * 1e8 - cost)
    expect(group?.latency_ms?.p95).toBeGreaterThanOrEqual(group?.latency_ms?.p50 ?? Infinity)
    const bad = groups.find(({ group: name }) => name === 'never_good')
    expect(bad).toMatchObject({ tasks: 2, successes: 0, cost_per_success_usd: null, margin_usd: null })
  })

  test('reads well', async () => {
    const { code, stdout } = await spillway('report')
    expect(code).toBe(0)
    for (const head of ['tasks', 'success', 'cost/success', 'margin', 'p95', 'SLO met', 'degraded']) {
      expect(stdout).toContain(head)
    }
    expect(stdout).toMatch(/support_reply.*83/)
    expect(stdout).toContain('0 successes')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
  })

  test('can be asked by tenant, model and release', async () => {
    for (const by of ['tenant', 'model', 'release', 'none']) {
      const { groups } = await json<Report>('report', '--by', by)
      expect(groups.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(8)
    }
  })
})

describe('spillway tasks and trace', () => {
  test('tasks lists them, newest first, and can be filtered', async () => {
    const { tasks } = await json<TaskListPage>('tasks')
    expect(tasks.map(({ id }) => id)).toEqual(answers.map((answer) => idOf(answer)).toReversed())
    const degraded = await json<TaskListPage>('tasks', '--degraded')
    expect(degraded.tasks.map(({ id }) => id)).toEqual([idOf(answers[5])])
    const failed = await json<TaskListPage>('tasks', '--contract', 'never_good', '--status', 'failed')
    expect(failed.tasks.length).toBeGreaterThanOrEqual(1)
    const { stdout } = await spillway('tasks', '--limit', '3')
    expect(stdout).toContain(idOf(answers.at(-1)))
    expect(stdout).not.toContain(idOf(answers[0]))
  })

  test('pages are linked by a cursor', async () => {
    const first = await json<TaskListPage>('tasks', '--limit', '5')
    const second = await json<TaskListPage>('tasks', '--limit', '5', '--cursor', first.next_cursor ?? '')
    expect([first.tasks.length, second.tasks.length, second.next_cursor]).toEqual([5, 3, null])
  })

  test('trace is a tree with times, costs and decisions, and never the prompt', async () => {
    const { code, stdout } = await spillway('trace', idOf(answers[0]))
    expect(code).toBe(0)
    for (const part of [
      idOf(answers[0]),
      'openai-chat',
      'gpt-4o-mini',
      '$0.0000',
      'plan:',
      'attempt 1',
      'outcome',
    ]) {
      expect(stdout).toContain(part)
    }
    expect(stdout).not.toContain('Where is my order')
    const trace = await json<TaskTraceView>('trace', idOf(answers[5]))
    expect(trace.steps[0]).toMatchObject({ degraded: ['refine'], route: 'degraded' })
    expect(trace.steps[0]?.attempts.map(({ end }) => end)).toEqual(['http_500'])
  })
})

test('spillway providers shows deployments and models', async () => {
  const { deployments } = await json<CapacityJson>('providers')
  expect(deployments).toMatchObject([{ deployment: 'openai/gpt-4o-mini', requests: 8, successes: 6 }])
  const { data } = await json<ModelList>('providers', '--models')
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['gpt-4o-mini', 'support_reply']))
  expect((await spillway('providers')).stdout).toContain('openai/gpt-4o-mini')
})

describe('exit codes', () => {
  test('0 for help, 1 when the server says no, 2 for wrong usage, 3 when nobody answers', async () => {
    expect((await runCommand(['--help'])).code).toBe(0)
    const unknown = await spillway('trace', 'task_nobody_knows')
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('task.unknown')])
    const keyless = await runCommand(['report', '--url', journey.server.url])
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining('SPILLWAY_KEY')])
    for (const args of [
      ['trace'],
      ['report', '--by', 'colour'],
      ['no-such-command'],
      ['tasks', '--limit', '0'],
    ]) {
      expect([args, (await spillway(...args)).code]).toEqual([args, 2])
    }
    expect((await runCommand(['report', '--url', 'not-a-url'])).code).toBe(2)
    const nobody = await runCommand(['report', '--url', 'http://127.0.0.1:1'])
    expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringMatching(/does not answer/)])
    const stranger = await runCommand(['report', '--url', collector.url])
    expect(stranger.code).toBe(3)
    expect((await runCommand(['serve', '--port', 'many'])).code).toBe(2)
  })
})

describe('for machines', () => {
  test('/metrics has the figures of the report', async () => {
    const metric = (name: string, labels: string) => journey.metric(name, labels)
    expect(await metric('spillway_tasks_total', 'contract="support_reply",outcome="success"')).toBe(5)
    expect(await metric('spillway_tasks_total', 'contract="never_good"')).toBe(2)
    expect(await metric('spillway_degraded_total', 'rung="refine"')).toBe(1)
    expect(await metric('spillway_attempts_total', 'end="ok"')).toBe(6)
    expect(await metric('spillway_attempts_total', 'end="http_500"')).toBe(1)
    expect(await metric('spillway_task_duration_seconds_count', 'support_reply')).toBe(6)
    const { groups } = await json<Report>('report', '--by', 'none')
    expect(await metric('spillway_cost_usd_total', '')).toBeCloseTo(groups[0]?.cost_usd ?? 0, 12)
    expect(await metric('spillway_in_flight', '')).toBe(0)
    expect(await metric('gen_ai_client_token_usage_count', 'output')).toBeGreaterThan(0)
  })

  test.each(['/healthz', '/readyz'])('%s says it is well, without a key', async (path) => {
    expect(await request(journey.server.url + path)).toMatchObject({ status: 200, body: { status: 'ok' } })
  })

  test('spans arrive at the collector: task, step and attempt in one trace', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`
    const answer = await journey.ask(MESSAGES, { model: 'never_good', text: 'Traced?' }, { traceparent })
    expect(endOf(answer)).toBe('200')
    const mine = () => collector.spans.filter((span) => span.traceId === traceId)
    const spans = await waitFor('the three spans', () => mine().length >= 3 && mine())
    const [task, step, attempt] = ['invoke_workflow', 'chat', 'attempt'].map((name) =>
      spans.find((span) => span.name.startsWith(`${name} `)),
    )
    expect(task?.parentSpanId).toBe('b7ad6b7169203331')
    expect(step?.parentSpanId).toBe(task?.spanId)
    expect(attempt?.parentSpanId).toBe(step?.spanId)
    expect(task?.attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_workflow',
      'spillway.task.id': idOf(answer),
      'spillway.tenant': 'acme',
      'spillway.task.success': false,
    })
    expect(step?.attributes).toMatchObject({ 'gen_ai.operation.name': 'chat' })
    expect(step?.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0)
    expect(Buffer.concat(collector.bodies).includes('Traced?')).toBe(false)
  })
})

describe('the end of a process', () => {
  let dir: string
  let server: RunningServer
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spillway-end-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  const slow = 'providers: { sim: { kind: simulated, tokens_per_second: 30, output_tokens: 45 } }\n'
  const start = async (text: string) => {
    server = await startServer({ dir, config: text })
    return server
  }
  const isUp = () =>
    request(`${server.url}/healthz`).then(
      () => true,
      () => false,
    )

  test('SIGTERM lets a running stream end, takes nobody new, and exits 0 with everything in the books', async () => {
    await start(slow)
    const stream = await openStream(server.url + CHAT.path, {
      body: CHAT.body({ text: 'Go on', stream: true }),
    })
    await stream.until('the first words', (text) => text.includes('content'))
    const ended = server.stop()
    await waitFor('the door to close', async () => !(await isUp()))
    expect([await stream.end, CHAT.isEnded(stream.text())]).toEqual(['ended', true])
    expect(await ended).toBe(0)
    await start(slow)
    const id = String(stream.headers['x-spillway-task-id'])
    const { body } = await request(`${server.url}/v1/tasks/${id}`)
    expect(body).toMatchObject({
      status: 'succeeded',
      budget: { spent: { model_calls: 1, output_tokens: 45 } },
    })
    expect(server.output()).not.toContain('recovered')
    expect(await server.stop()).toBe(0)
  })

  test('a client that would keep its connection is told to let go, so its stream is the last thing waited for', async () => {
    await start(slow)
    const agent = new Agent({ keepAlive: true })
    const body = CHAT.body({ text: 'Go on', stream: true })
    const stream = await openStream(server.url + CHAT.path, { body, agent })
    await stream.until('the first words', (text) => text.includes('content'))
    server.process.kill('SIGTERM')
    expect(await stream.end).toBe('ended')
    await waitFor('the end', () => server.process.exitCode !== null)
    expect(server.process.exitCode).toBe(0)
    agent.destroy()
  })

  test('a second process on the same data is refused and told whose it is', async () => {
    await start(slow)
    const second = await runCommand(['serve', '--port', '0', '--data', join(dir, 'data')], { cwd: dir })
    expect([second.code, second.stdout]).toEqual([3, ''])
    expect(second.stderr).toMatch(/data.*in use by another Spillway/)
    expect(second.stderr).not.toMatch(/\n\s+at /)
    expect(await isUp()).toBe(true)
    await server.stop()
  })

  test('a port that is taken is named, and the process ends', async () => {
    await start(slow)
    const { port } = new URL(server.url)
    const other = await runCommand(['serve', '--port', port, '--data', join(dir, 'other')], { cwd: dir })
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining(port)])
    expect(other.stderr).not.toMatch(/\n\s+at /)
    await server.stop()
  })

  test('a data directory that cannot be made is named', async () => {
    const file = join(dir, 'a-file')
    await writeFile(file, '')
    const { code, stderr } = await runCommand(['serve', '--port', '0', '--data', join(file, 'data')], {
      cwd: dir,
    })
    expect([code, stderr]).toEqual([3, expect.stringContaining('a-file')])
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  // Root writes everywhere.
  test.skipIf(process.getuid?.() === 0)('nor is a read-only one used', async () => {
    const closed = await mkdtemp(join(dir, 'closed-'))
    await chmod(closed, 0o500)
    const { code, stderr } = await runCommand(['serve', '--port', '0', '--data', join(closed, 'data')], {
      cwd: dir,
    })
    expect([code, stderr]).toEqual([3, expect.stringContaining('closed-')])
  })

  test('a connection that never asks anything does not hold it up', async () => {
    await start(slow)
    const { hostname, port } = new URL(server.url)
    const silent = connect(Number(port), hostname)
    silent.on('error', () => undefined)
    try {
      await waitFor('the connection', () => silent.readyState === 'open')
      await request(`${server.url}/healthz`)
      server.process.kill('SIGTERM')
      // Running requests may have 25 s; there are none.
      await waitFor('the end', () => server.process.exitCode !== null)
      expect(server.process.exitCode).toBe(0)
    } finally {
      silent.destroy()
      await server.kill()
    }
  })
})
