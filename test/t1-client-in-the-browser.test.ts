// T1, in a real browser: a page of another origin runs a task with the client library, as built, against the
// built server. What really happened is read from the trace, by somebody else.

import type { TaskTraceView } from '@spillway/protocol'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, startBrowser } from './support/browser.js'
import { request } from './support/http.js'
import type { PROGRAMS, Spillway } from './support/page-task.js'
import { requireProgram } from './support/require-all.js'
import { type RunningServer, startServer } from './support/server.js'
import { type WebSite, startWebSite } from './support/web-site.js'

const KEY = 'browser-key-0001'

const config = (origin: string) => `
providers:
  sim: { kind: simulated, output_tokens: 20 }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: sim, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  support_reply:
    success: ["output.text != ''"]
    budget: { max_model_calls: 2, max_tool_calls: 2, max_latency_ms: 60000 }
    degrade: []
    route: { default: gpt-4o-mini }
    price: { usd_per_success: 0.10 }
tenants:
  acme: { keys: ["${KEY}"] }
server:
  allowed_origins: ["${origin}"]
`

const program = requireProgram({ commands: ['chromium'] })

describe.skipIf(program.kind === 'absent')('a page of another origin', () => {
  let site: WebSite
  let server: RunningServer
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    site = await startWebSite()
    const path = program.kind === 'present' ? program.path : ''
    ;[server, browser] = await Promise.all([startServer({ config: config(site.origin) }), startBrowser(path)])
    page = await open(site.origin)
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await server.stop()
    await site[Symbol.asyncDispose]()
  })

  async function open(origin: string): Promise<Page> {
    const opened = await browser.context.newPage()
    await opened.goto(origin)
    return opened
  }

  type Programs = typeof PROGRAMS
  type Made<Name extends keyof Programs> = Awaited<ReturnType<Programs[Name]>>

  async function run<Name extends keyof Programs>(
    name: Name,
    { on = page, apiKey = KEY }: { readonly on?: Page; readonly apiKey?: string } = {},
  ): Promise<Made<Name>> {
    const to: Spillway = { baseUrl: server.url, apiKey }
    const call = `loading.then(({ PROGRAMS }) => PROGRAMS.${name}(${JSON.stringify(to)}))`
    return on.evaluate<Made<Name>>(call)
  }

  async function trace(id: string): Promise<TaskTraceView> {
    const headers = { authorization: `Bearer ${KEY}` }
    const { body } = await request(`${server.url}/v1/tasks/${id}/trace`, { headers })
    return body as TaskTraceView
  }

  test('runs a task of a tool, a call, a streamed call, a step and an outcome', async () => {
    const { value, outcome, undelivered } = await run('runTask')
    expect(value.chat.text).toMatch(/\w/)
    expect(value.chat.spillway).toMatchObject({ model: 'gpt-4o-mini', route: 'default', attempts: 1 })
    expect(value.pieces.length).toBeGreaterThan(2)
    expect(value.streamed?.cost_usd).toBeGreaterThan(0)
    expect(value.left).toMatchObject({ model_calls: 0, tool_calls: 1 })
    expect(outcome).toMatchObject({ success: true, harm: false, price_usd: 0.1 })
    expect(undelivered).toEqual([])

    const { task, steps, outcomes } = await trace(value.id)
    expect(task).toMatchObject({
      status: 'succeeded',
      tenant: 'acme',
      external_id: 'browser-1',
      attributes: { account_tier: 'enterprise' },
    })
    expect(task.cost_usd).toBe(outcome?.cost_usd)
    expect(steps).toMatchObject([
      { kind: 'tool', name: 'find_order', error: null },
      { kind: 'model', streamed: false, error: null },
      { kind: 'model', streamed: true, error: null },
      { kind: 'model', attempts: [], error: 'budget.exhausted' },
      { kind: 'retrieval', name: 'knowledge_base', duration_ms: 12 },
    ])
    expect(outcomes).toHaveLength(1)
  })

  test('reads why it was refused, from the model routes and from the others', async () => {
    const { value } = await run('runTask')
    expect(value.refusal).toMatchObject({ code: 'budget.exhausted', status: 429, shouldRetry: false })
    expect(value.refusal).toMatchObject({ taskId: value.id, requestId: expect.stringMatching(/\w/) })
    expect(await run('whyNoModels', { apiKey: 'wrong' })).toMatchObject({ code: 'auth.unknown', status: 401 })
  })

  test('may use the official OpenAI client in its task', async () => {
    const { id, pieces, taskOfAnswer } = await run('runTaskWithOpenAi')
    expect(pieces.join('')).toMatch(/\w/)
    expect(taskOfAnswer).toBe(id)
    expect((await trace(id)).steps.map(({ kind }) => kind)).toEqual(['model'])
  })

  test('has the time of its task though the clock of its device is an hour ahead', async () => {
    const ahead = await open(site.origin)
    await ahead.clock.setFixedTime(Date.now() + 3_600_000)
    const { value, outcome } = await run('runTask', { on: ahead })
    expect(value.left.latency_ms).toBeGreaterThan(0)
    expect(outcome).toMatchObject({ success: true })
  })

  test('gets nothing when its origin is not on the list, though it has a key', async () => {
    const other = await open(site.otherOrigin)
    const said: string[] = []
    other.on('console', (message) => said.push(message.text()))
    expect(await run('whyNoModels', { on: other })).toMatchObject({ code: 'client.unreachable', status: 0 })
    expect(said.join('\n')).toMatch(/from origin 'http:\/\/localhost:\d+' has been blocked by CORS policy/)
    expect(await run('whyNoModels')).toMatchObject({ code: 'no refusal: null' })
  })
})
