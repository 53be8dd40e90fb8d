// T1, on the device: a page in a real browser answers calls with the browser's own model and escalates to the
// server: one task, one trace, one bill. The model itself is a stand-in with the shape of the Prompt API, since
// the real one is a download of gigabytes; everything around it is real.

import type { Report, TaskTraceView } from '@spillway/protocol'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, startBrowser } from './support/browser.js'
import { request } from './support/http.js'
import type { PROGRAMS } from './support/page-task.js'
import { requireProgram } from './support/require-all.js'
import { type RunningServer, startServer } from './support/server.js'
import { type WebSite, startWebSite } from './support/web-site.js'

const KEY = 'device-key-0001'

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
    budget: { max_model_calls: 3, max_latency_ms: 60000 }
    degrade: []
    route: { default: gpt-4o-mini }
    price: { usd_per_success: 0.10 }
  triage:
    degrade: []
    route: { default: gpt-4o-mini, on_device: { min_confidence: 0.8 } }
tenants:
  acme: { keys: ["${KEY}"] }
server:
  allowed_origins: ["${origin}"]
`

/** Runs in the page before its own scripts. Easy questions are answered, hard ones are not. */
const LANGUAGE_MODEL = `
globalThis.LanguageModel = class {
  contextUsage = 4
  contextWindow = 4096
  static availability = async () => 'available'
  static create = async ({ initialPrompts, signal }) => { signal.throwIfAborted(); return new this() }
  measureContextUsage = async (input) => input.split(' ').length
  promptStreaming(input, { signal }) {
    const pieces = input.startsWith('easy') ? ['Yes, ', 'it is.'] : ['I am ', 'not sure.']
    this.contextUsage += input.split(' ').length + pieces.length
    return new ReadableStream({
      pull(controller) {
        if (signal.aborted) controller.error(signal.reason)
        else if (pieces.length > 0) controller.enqueue(pieces.shift())
        else controller.close()
      },
    })
  }
  destroy() {}
}
`

const program = requireProgram({ commands: ['chromium'] })

describe.skipIf(program.kind === 'absent')('a page with a model of its own', () => {
  let site: WebSite
  let server: RunningServer
  let browser: Browser

  beforeAll(async () => {
    site = await startWebSite()
    const path = program.kind === 'present' ? program.path : ''
    ;[server, browser] = await Promise.all([startServer({ config: config(site.origin) }), startBrowser(path)])
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await server.stop()
    await site[Symbol.asyncDispose]()
  })

  async function open(script: string): Promise<Page> {
    const page = await browser.context.newPage()
    await page.addInitScript(script)
    await page.goto(site.origin)
    return page
  }

  type Programs = typeof PROGRAMS
  type Made<Name extends keyof Programs> = Awaited<ReturnType<Programs[Name]>>

  async function run<Name extends 'runOnDevice' | 'runOnOwnRunner' | 'runOffline'>(page: Page, name: Name) {
    const to = JSON.stringify({ baseUrl: server.url, apiKey: KEY })
    return page.evaluate<Made<Name>>(`loading.then(({ PROGRAMS }) => PROGRAMS.${name}(${to}))`)
  }

  async function trace(id: string): Promise<TaskTraceView> {
    const headers = { authorization: `Bearer ${KEY}` }
    const { body } = await request(`${server.url}/v1/tasks/${id}/trace`, { headers })
    return body as TaskTraceView
  }

  test('answers what it can on the device and the rest on the server: one task, one trace, one bill', async () => {
    const { value, outcome, undelivered } = await run(await open(LANGUAGE_MODEL), 'runOnDevice')
    const { easy, hard, pieces, left } = value
    expect(easy.text).toBe('Yes, it is.')
    expect(easy.spillway).toMatchObject({ on_device: 'answered', model: 'browser', cost_usd: 0 })
    expect(easy.answer.usage).toEqual({ prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 })
    expect(hard.text).toMatch(/\w/)
    expect(hard.text).not.toContain('not sure')
    expect(hard.spillway).toMatchObject({ on_device: 'escalated', model: 'gpt-4o-mini', route: 'default' })
    expect(pieces.pieces).toEqual(['Yes, ', 'it is.'])
    expect(pieces.facts).toMatchObject({ on_device: 'answered', model: 'browser', cost_usd: 0 })
    expect(left.model_calls).toBe(2)
    expect(undelivered).toEqual([])

    const { task, steps, charges } = await trace(value.id)
    const onDevice = steps.filter(({ route }) => route === 'on-device')
    expect(onDevice.toSorted((a, b) => a.started_ms - b.started_ms)).toMatchObject([
      { decisions: [{ reason: 'answered' }], escalated: false, streamed: false },
      { decisions: [{ reason: 'escalated' }], escalated: true },
      { decisions: [{ reason: 'answered' }], streamed: true },
    ])
    for (const step of onDevice) {
      expect(step).toMatchObject({
        kind: 'model',
        model: 'on-device/browser',
        other_cost_usd: 0,
        attempts: [],
      })
      expect(step.decisions[0]?.inputs).toMatchObject({ approach: 'on-device', output_tokens: 2 })
      expect(step.duration_ms).toBeGreaterThanOrEqual(0)
      expect(step.first_byte_ms).toBeGreaterThanOrEqual(0)
    }
    expect(steps.filter(({ route }) => route === 'default')).toMatchObject([
      { model: 'gpt-4o-mini', error: null },
    ])
    expect(charges).toHaveLength(1)
    expect(task).toMatchObject({
      status: 'succeeded',
      external_id: 'device-1',
      budget: { spent: { model_calls: 1 } },
    })
    expect(task.cost_usd).toBeGreaterThan(0)
    expect(task.cost_usd).toBe(charges[0]?.attempt.cost_usd)
    expect(outcome).toMatchObject({ success: true, cost_usd: task.cost_usd })
    expect(JSON.stringify(steps)).not.toMatch(/clause 7|not sure|it is/)

    const headers = { authorization: `Bearer ${KEY}` }
    const { groups } = (await request(`${server.url}/v1/report?by=approach`, { headers })).body as Report
    expect(groups).toMatchObject([
      { group: 'on-device', tasks: 1, successes: 1, attempts: 3, cost_usd: 0, output_tokens: 6 },
      { group: 'self-hosted', tasks: 1, successes: 0, attempts: 1, cost_usd: task.cost_usd },
    ])
    expect(groups.map(({ place }) => place?.task_share)).toEqual([1, 0])
  })

  test('runs the first rung of a route with a model that the application brought along', async () => {
    const { id, ends } = await run(await open(''), 'runOnOwnRunner')
    expect(ends).toEqual(['answered', 'escalated'])
    const models = (await trace(id)).steps.map(({ model }) => model)
    const onDevice = models.filter((model) => model === 'on-device/own-model')
    expect([models.length, onDevice.length]).toEqual([3, 2])
    expect(models).toContain('gpt-4o-mini')
  })

  test('has its answer without a connection, and tells it when there is one again', async () => {
    const page = await open(LANGUAGE_MODEL)
    await page.exposeFunction('goOffline', () => browser.context.setOffline(true))
    const { value, outcome, undelivered } = await run(page, 'runOffline')
    await browser.context.setOffline(false)
    expect(value.text).toBe('Yes, it is.')
    expect([outcome, undelivered.length]).toEqual([null, 1])
    const told = () => trace(value.id).then(({ task }) => task.status)
    await expect.poll(told, { timeout: 30_000 }).toBe('succeeded')
    const { steps, task } = await trace(value.id)
    expect(steps).toMatchObject([{ model: 'on-device/browser', decisions: [{ reason: 'answered' }] }])
    expect(task).toMatchObject({ cost_usd: 0, outcome: { success: true } })
  })

  test('has all its answers from the server where the browser has no model', async () => {
    const { value, undelivered } = await run(await open('delete globalThis.LanguageModel'), 'runOnDevice')
    expect([value.easy, value.hard].map(({ spillway }) => spillway.on_device)).toEqual([
      'unavailable',
      'unavailable',
    ])
    expect(value.pieces.facts).toMatchObject({ on_device: 'unavailable', model: 'gpt-4o-mini' })
    expect(undelivered).toEqual([])
    const told = (await trace(value.id)).steps.filter(({ route }) => route === 'on-device')
    expect(told).toMatchObject([{ model: null, error: 'reported', decisions: [{ reason: 'unavailable' }] }])
  })
})
