import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { traceJson } from '../http/task-json.js'
import { exampleTrace } from '../testing/example-task.js'
import { registerCapacity } from './capacity.js'
import type { CliIo, ExitCode } from './cli-io.js'
import { urlOf } from './client.js'
import { registerProviders } from './providers.js'
import { registerReport } from './report.js'
import { registerTasks } from './tasks.js'
import { registerTrace } from './trace.js'

// The commands against a real HTTP server that says what each test wants.

let server: Server
let url: string
let answer: { status: number; body: string }
let asked: { method?: string | undefined; path: string; authorization: string | undefined }

beforeAll(async () => {
  server = createServer((request, response) => {
    const { method } = request
    asked = { method, path: request.url ?? '', authorization: request.headers.authorization }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

beforeEach(() => {
  answer = { status: 200, body: '{}' }
})

afterAll(() => {
  server.close()
})

async function run(...args: string[]): Promise<{ out: string; err: string; code: ExitCode }> {
  const seen = { out: '', err: '', code: 0 as ExitCode }
  const io: CliIo = {
    out: (text) => {
      seen.out += `${text}\n`
    },
    err: (text) => {
      seen.err += `${text}\n`
    },
    exit: (code) => {
      seen.code = code
    },
    colour: false,
    key: 'key-of-acme',
  }
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => io.err(text) })
  for (const register of [registerReport, registerTasks, registerTrace, registerProviders, registerCapacity])
    register(program, io)
  for (const command of program.commands)
    command.exitOverride().configureOutput({ writeErr: (text) => io.err(text) })
  await program.parseAsync(args, { from: 'user' })
  return seen
}

test('report asks for the window and grouping, with the key', async () => {
  answer.body = JSON.stringify({
    since: '2026-11-24T00:00:00Z',
    until: '2026-11-24T01:00:00Z',
    by: 'model',
    groups: [],
  })
  const { out, code } = await run(
    'report',
    '--url',
    url,
    '--since',
    '1h',
    '--by',
    'model',
    '--contract',
    'support',
  )
  expect(asked).toEqual({
    method: 'GET',
    path: '/v1/report?since=1h&by=model&contract=support',
    authorization: 'Bearer key-of-acme',
  })
  expect(out).toBe('No tasks between 2026-11-24 00:00:00 and 2026-11-24 01:00:00 UTC.\n')
  expect(code).toBe(0)
})

test('--json prints the answer as it came', async () => {
  answer.body = JSON.stringify({ anything: [1, null] })
  const { out } = await run('report', '--url', url, '--json')
  expect(JSON.parse(out)).toEqual({ anything: [1, null] })
})

test('tasks lists rows and says how to go on', async () => {
  const row = {
    id: 'task_1',
    contract: 'support_reply',
    tenant: 'acme',
    status: 'succeeded',
    opened_at: '',
    opened_ms: 0,
    latency_ms: 1_500,
    success: false,
    harm: false,
    cost_usd: 0.002,
    unpriced_calls: 1,
    steps: 1,
    attempts: 2,
    degraded: true,
    escalated: true,
    session: null,
    external_id: null,
  }
  answer.body = JSON.stringify({ tasks: [row], next_cursor: 'c1' })
  const { out } = await run(
    'tasks',
    '--url',
    url,
    '--status',
    'succeeded',
    '--external-id',
    'a b',
    '--degraded',
  )
  expect(asked.path).toBe('/v1/tasks?status=succeeded&external_id=a+b&degraded=true&limit=20')
  expect(out).toMatchInlineSnapshot(`
    "task    opened (UTC)         contract       status        time       cost  steps  attempts
    task_1  1970-01-01 00:00:00  support_reply  no success  1.50 s  >$0.00200      1         2  degraded escalated

    More: --cursor c1
    "
  `)
})

test('trace asks for one task and escapes its id', async () => {
  answer.body = JSON.stringify(traceJson(exampleTrace()))
  const { out } = await run('trace', '../x', '--url', url)
  expect(asked.path).toBe('/v1/tasks/..%2Fx/trace')
  expect(out).toContain('outcome succeeded: success')
})

test('providers shows every deployment, unknown limits as dashes', async () => {
  const busy = {
    deployment: 'openai/gpt-4o-mini',
    model: 'gpt-4o-mini',
    provider: 'openai',
    hosting: 'hosted',
    region: 'us',
    retention_days: 30,
    breaker: 'open',
    concurrency: { limit: null, in_flight: 3 },
    queue: { length: 2, oldest_ms: 120 },
    rate: { requests_left: 480, tokens_left: null },
    latency_ms: null,
  }
  answer.body = JSON.stringify({ deployments: [busy] })
  const { out } = await run('providers', '--url', url)
  expect(out).toMatchInlineSnapshot(`
    "model        deployment          approach  region  retention  state    in flight      queued  requests left  tokens left  p50  p95
    gpt-4o-mini  openai/gpt-4o-mini  hosted    us      30 days    resting        3/∞  2 (120 ms)            480            –    –    –
    "
  `)
})

test('capacity says which deployments serve, and why one does not', async () => {
  const well = {
    deployment: 'openai/gpt-4o-mini',
    model: 'gpt-4o-mini',
    provider: 'openai',
    breaker: 'closed',
    concurrency: { limit: 8, in_flight: 3 },
    queue: { length: 0, oldest_ms: null },
    rate: { requests_left: 480, tokens_left: null },
    latency_ms: null,
    retries_left: 50,
    requests: 40,
    failures: { http_500: 1, timeout: 1 },
  }
  const detail = { automatic: 'open', next_try_ms: 12_000, failures_in_a_row: 0, ejections: 1, pin: null }
  const out1 = { ...well, deployment: 'gpu-a/llama', breaker: 'open', breaker_detail: detail }
  const pin = { action: 'drain', until: '2026-11-24T08:00:00Z', by: 'ops', reason: 'maintenance' }
  const out2 = { ...out1, deployment: 'gpu-b/llama', breaker_detail: { ...detail, pin } }
  answer.body = JSON.stringify({ deployments: [well, out1, out2] })
  const { out } = await run('capacity', '--url', url)
  expect(out).toMatchInlineSnapshot(`
    "model        deployment          state   in flight  queued  requests left  tokens left  retries left  failed  why
    gpt-4o-mini  openai/gpt-4o-mini  closed        3/8       0            480            –            50    2/40
    gpt-4o-mini  gpu-a/llama         open          3/8       0            480            –            50    2/40  failed; tried again in 12.0 s
    gpt-4o-mini  gpu-b/llama         open          3/8       0            480            –            50    2/40  drain by ops until 2026-11-24 08:00:00: maintenance
    "
  `)
})

test('providers --models marks what is simulated', async () => {
  answer.body = JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o', owned_by: 'sim', simulated: true }] })
  expect((await run('providers', '--models', '--url', url)).out).toMatch(/gpt-4o +sim +simulated/)
})

describe('providers --probe', () => {
  const good = {
    deployment: 'bedrock/amazon.nova-lite-v1:0',
    model: 'nova',
    provider: 'bedrock',
    kind: 'bedrock',
    hosting: 'serverless',
    region: 'us-east-1',
    simulated: false,
    usable: true,
    reachable: true,
    authorised: true,
    model_known: true,
    listed: null,
    hint: null as string | null,
    status: 200,
    end: 'ok',
    reason: null,
    latency_ms: 210,
    limits: { requests: { limit: 500, left: 499 }, tokens: { limit: null, left: null } },
    cost_usd: 0.000012,
  }
  const bad = {
    ...good,
    deployment: 'claude/opus',
    kind: 'anthropic',
    usable: false,
    authorised: false,
    model_known: null,
    status: 401,
    end: 'http_401',
    reason: 'HTTP 401: invalid x-api-key',
    limits: null,
    cost_usd: 0,
  }

  test('asks the server to do it, and says what each call showed', async () => {
    answer.body = JSON.stringify({ usable: true, providers: [], deployments: [good] })
    const { out, code } = await run('providers', '--probe', '--url', url)
    expect(asked).toMatchObject({ method: 'POST', path: '/v1/providers/probe' })
    expect(out).toMatchInlineSnapshot(`
      "deployment                     kind     approach    region     reachable  authorised  model  listed  latency  requests left  tokens left       cost
      bedrock/amazon.nova-lite-v1:0  bedrock  serverless  us-east-1  yes        yes         yes    –        210 ms        499/500            –  $0.000012
      "
    `)
    expect(code).toBe(0)
  })

  test('exits 1 when one is not usable, and says why', async () => {
    answer.body = JSON.stringify({ usable: false, providers: [], deployments: [good, bad] })
    const { out, code } = await run('providers', '--probe', '--url', url)
    expect(out).toContain('claude/opus: HTTP 401: invalid x-api-key')
    expect(code).toBe(1)
    const json = await run('providers', '--probe', '--json', '--url', url)
    expect(JSON.parse(json.out)).toEqual({ usable: false, providers: [], deployments: [good, bad] })
    expect(json.code).toBe(1)
  })

  test('shows what the providers told, and a hint where a model is not listed', async () => {
    const vllm = {
      provider: 'own',
      kind: 'openai-compatible',
      models: ['llama', 'sql-lora'],
      models_complete: true,
      health: 'ok',
      load: { server: 'vllm', running: 12, waiting: 3, cache_used_share: 0.4213 },
      untold: {},
    }
    const untold = { models: 'HTTP 401: no', health: 'x', load: 'x' }
    const nothing = { models: null, models_complete: false, health: null, load: null, untold }
    const loading = { ...nothing, provider: 'gguf', kind: 'openai-compatible', health: 'not-ready' }
    const many = { ...nothing, provider: 'many', kind: 'openai', models: ['a'], models_complete: false }
    const hint = 'own lists 2 models, and `lama` is not among them; did you mean `llama`?'
    const unlisted = { ...good, deployment: 'own/lama', listed: false, hint }
    answer.body = JSON.stringify({
      usable: true,
      providers: [vllm, loading, many],
      deployments: [{ ...good, listed: true }, unlisted],
    })
    const { out, code } = await run('providers', '--probe', '--url', url)
    expect(out).toMatchInlineSnapshot(`
      "deployment                     kind     approach    region     reachable  authorised  model  listed  latency  requests left  tokens left       cost
      bedrock/amazon.nova-lite-v1:0  bedrock  serverless  us-east-1  yes        yes         yes    yes      210 ms        499/500            –  $0.000012
      own/lama                       bedrock  serverless  us-east-1  yes        yes         yes    no       210 ms        499/500            –  $0.000012

      provider  kind               server  health     models  running  waiting  cache used
      own       openai-compatible  vllm    ok              2       12        3      42.1 %
      gguf      openai-compatible  –       not ready       –        –        –           –
      many      openai             –       –              1+        –        –           –

      own/lama: own lists 2 models, and \`lama\` is not among them; did you mean \`llama\`?
      "
    `)
    expect(code).toBe(0)
  })
})

test('a refusal exits 1 and gives code, message and hint', async () => {
  const error = { code: 'task.unknown', message: 'There is no task x.', hint: 'Open a task first.' }
  answer = { status: 404, body: JSON.stringify({ error }) }
  const { err, code } = await run('trace', 'x', '--url', url)
  expect(err).toBe('error: task.unknown: There is no task x.\n  Open a task first.\n')
  expect(code).toBe(1)
})

test('a missing key says where it belongs', async () => {
  answer = { status: 401, body: JSON.stringify({ error: { code: 'auth.missing', message: 'No key.' } }) }
  expect((await run('tasks', '--url', url)).err).toContain('Put the tenant key in SPILLWAY_KEY.')
})

test('nobody answering exits 3 and says what to do', async () => {
  const { port } = await freePort()
  const { err, code } = await run('report', '--url', `http://127.0.0.1:${port}`)
  expect(err).toContain(`http://127.0.0.1:${port} does not answer (connection refused). Start a server with`)
  expect(code).toBe(3)
})

test.each(['<html>', '[1, 2]'])('a server that answers %s is not Spillway: exit 3', async (body) => {
  answer.body = body
  expect((await run('report', '--url', url)).code).toBe(3)
})

test('a --url that is no URL is wrong usage', async () => {
  expect((await run('report', '--url', 'localhost:4100')).code).toBe(2)
})

test.each([
  ['report', '--since', 'yesterday'],
  ['report', '--by', 'colour'],
  ['tasks', '--limit', '0'],
  ['tasks', '--status', 'done'],
  ['trace'],
])('%s %s %s is refused before the server is asked', async (...args) => {
  await expect(run(...args, '--url', url)).rejects.toThrow(/error:/)
})

test('a path in --url is kept and a trailing slash does not double', () => {
  expect(urlOf('https://host/gateway/', '/v1/report', { since: '1h', by: undefined })?.href).toBe(
    'https://host/gateway/v1/report?since=1h',
  )
})

async function freePort(): Promise<{ port: number }> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return { port }
}
