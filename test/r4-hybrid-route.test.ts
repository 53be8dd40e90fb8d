// R4, C6: a hybrid route. One task of four calls by the official clients: a micro step on the device, a plain
// call on the own server, one that escalates to the hosted API, and one while the own server is down, answered
// serverless. One task, one trace, one bill, and the report tells the four approaches apart.

import Anthropic from '@anthropic-ai/sdk'
import type { OpenedTask, Report, ReportGroupJson, TaskTraceView } from '@spillway/protocol'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyGguf } from '../packages/server/src/testing/tiny-gguf.js'
import { runCommand } from './support/command.js'
import { request } from './support/http.js'
import { nanoSum } from './support/journey.js'
import { type RunningProcess, type RunningServer, startServer, startSim } from './support/server.js'
import { AWS, startBedrock } from './support/vendors/bedrock.js'
import type { Vendor } from './support/vendors/front.js'
import { IMITATIONS, startImitation } from './support/vendors/openai-like.js'

const KEY = 'hybrid-key-0001'
const OWN_USD_PER_HOUR = 3.6

interface Upstreams {
  readonly sim: RunningProcess
  readonly vllm: Vendor
  readonly bedrock: Vendor
}

const config = ({ sim, vllm, bedrock }: Upstreams) => `
providers:
  device: { kind: on-device, model_path: tiny.gguf, threads: 1, sequences: 1 }
  gpu: { kind: openai-compatible, base_url: "${vllm.url}/v1", region: basement }
  openai: { kind: openai, api_key: provider-key-1, base_url: "${sim.url}/v1" }
  cloud: { kind: bedrock, region: ${AWS.region}, base_url: "${bedrock.url}",
           access_key_id: ${AWS.accessKeyId}, secret_access_key: ${AWS.secretAccessKey} }
models:
  micro: { tier: small, deployments: [{ provider: device }] }
  own:
    tier: small
    deployments: [{ provider: gpu, model: meta-llama/Llama-3.1-8B-Instruct, usd_per_hour: ${OWN_USD_PER_HOUR} }]
  cloud:
    tier: small
    deployments:
      - provider: cloud
        model: eu.anthropic.claude-3-5-haiku-20241022-v1:0
        price: { input: 0.80, output: 4.00 }
  large:
    tier: premium
    deployments: [{ provider: openai, model: gpt-4o, price: { input: 2.50, output: 10.00 } }]
tasks:
  claim:
    success: ["output.text != ''"]
    budget: { max_model_calls: 12, max_cost_usd: 0.10, max_latency_ms: 60000 }
    degrade: []
    route:
      default: own
      escalate_if:
        - { condition: "confidence < 0.72", model: large }
        - { condition: "priority == 'batch'", model: cloud }
    price: { usd_per_success: 0.10 }
tenants:
  acme: { keys: ["${KEY}"] }
`

let dir = ''
let sim: RunningProcess
let vllm: Vendor
let bedrock: Vendor
let server: RunningServer
let task: OpenedTask

const ask = (path: string, body?: unknown) =>
  request(server.url + path, { headers: { authorization: `Bearer ${KEY}` }, ...(body ? { body } : {}) })

/** One call of the task: whose headers, and the text it was answered with. */
interface Call {
  readonly headers: Headers
  readonly text: string
}
const calls: Call[] = []
let trace: TaskTraceView

const inTask = () => ({ maxRetries: 0, defaultHeaders: { 'x-spillway-task-id': task.id } })
const openai = () => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY, ...inTask() })
const anthropic = () => new Anthropic({ baseURL: server.url, apiKey: KEY, ...inTask() })

async function callWhole(model: string, content: string): Promise<Call> {
  const { data, response } = await openai()
    .chat.completions.create({ model, messages: [{ role: 'user', content }], max_tokens: 12, temperature: 0 })
    .withResponse()
  return { headers: response.headers, text: data.choices[0]?.message.content ?? '' }
}

async function callStreamed(model: string, content: string): Promise<Call> {
  const { data, response } = await openai()
    .chat.completions.create({ model, messages: [{ role: 'user', content }], stream: true })
    .withResponse()
  let text = ''
  for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? ''
  return { headers: response.headers, text }
}

async function callAnthropic(model: string, content: string): Promise<Call> {
  const { data, response } = await anthropic()
    .messages.create({ model, messages: [{ role: 'user', content }], max_tokens: 100 })
    .withResponse()
  const [block] = data.content
  return { headers: response.headers, text: block?.type === 'text' ? block.text : '' }
}

async function callAnthropicStreamed(model: string, content: string): Promise<Call> {
  const stream = anthropic().messages.stream({
    model,
    messages: [{ role: 'user', content }],
    max_tokens: 100,
  })
  const { response } = await stream.withResponse()
  return { headers: response.headers, text: await stream.finalText() }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'spillway-hybrid-'))
  // Sure of its tokens: an answer of the device stands.
  await writeTinyGguf(join(dir, 'tiny.gguf'), { sharpness: 40 })
  sim = await startSim(['--output-tokens', '24'])
  vllm = await startImitation(sim.url, IMITATIONS.vllm)
  bedrock = await startBedrock(sim.url)
  server = await startServer({ dir, config: config({ sim, vllm, bedrock }) })

  task = (await ask('/v1/tasks', { contract: 'claim' })).body as OpenedTask
  calls.push(await callWhole('micro', 'Is it a claim?'))
  calls.push(await callAnthropic('claim', 'What is damaged? [[sim:confidence=0.95]]'))
  calls.push(await callStreamed('claim', 'Are we liable? [[sim:confidence=0.40]]'))
  await vllm[Symbol.asyncDispose]()
  calls.push(await callAnthropicStreamed('claim', 'Write the reply. [[sim:confidence=0.95]]'))
  await ask(`/v1/tasks/${task.id}/outcome`, { status: 'succeeded' })
  trace = (await ask(`/v1/tasks/${task.id}/trace`)).body as TaskTraceView
})
afterAll(async () => {
  await server.stop()
  await bedrock[Symbol.asyncDispose]()
  await sim.stop()
  await rm(dir, { recursive: true, force: true })
})

describe('one task', () => {
  test('is answered on the device, by the own server, by the hosted API and serverless', () => {
    const told = calls.map(({ headers }) =>
      ['deployment', 'tier', 'route', 'attempts'].map((name) => headers.get(`x-spillway-${name}`)),
    )
    expect(told).toEqual([
      ['device/micro', 'small', 'default', '1'],
      ['gpu/meta-llama/Llama-3.1-8B-Instruct', 'small', 'default', '1'],
      ['openai/gpt-4o', 'premium', 'escalated:0', '2'],
      ['cloud/eu.anthropic.claude-3-5-haiku-20241022-v1:0', 'small', 'fallback', expect.any(String)],
    ])
    for (const { text } of calls) expect(text).toMatch(/\S/)
    expect(new Set(calls.map(({ headers }) => headers.get('x-spillway-task-id')))).toEqual(new Set([task.id]))
  })
})

describe('one trace', () => {
  test('has every step with its attempts, where they went and how they ended', () => {
    const { steps } = trace
    expect(steps.map(({ number, kind, error }) => [number, kind, error])).toEqual(
      [1, 2, 3, 4].map((number) => [number, 'model', null]),
    )
    expect(steps.map(({ streamed, escalated }) => [streamed, escalated])).toEqual([
      [false, false],
      [false, false],
      [true, true],
      [true, false],
    ])
    const went = steps.map(({ attempts }) => attempts.map(({ provider, end }) => `${provider}: ${end}`))
    expect(went.slice(0, 3)).toEqual([['device: ok'], ['gpu: ok'], ['gpu: ok', 'openai: ok']])
    expect(went[3]?.at(-1)).toBe('cloud: ok')
    const refused = (went[3] ?? []).slice(0, -1)
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused)).toEqual(new Set(['gpu: connection']))
    const fallback = steps[3]?.decisions.find(({ choice }) => choice === 'fallback:cloud')
    expect(fallback).toMatchObject({ stage: 'attempt', reason: 'connection' })
    const judged = steps[2]?.decisions.find(({ stage }) => stage === 'judge')
    expect(judged).toMatchObject({ choice: 'escalate:large' })
  })

  test('ends in one outcome', () => {
    expect(trace.outcomes).toHaveLength(1)
    expect(trace.task.outcome).toMatchObject({ status: 'succeeded', success: true, source: 'application' })
  })
})

describe('one bill', () => {
  test('what the task spent is the sum of its charges, on the task and on its tenant', () => {
    const { charges, task: view } = trace
    const charged = nanoSum(charges.map(({ actual }) => actual.cost_usd))
    expect(charged).toBeGreaterThan(0)
    expect(nanoSum([view.budget.spent.cost_usd])).toBe(charged)
    expect(nanoSum([view.cost_usd])).toBe(charged)
    expect(view.unpriced_calls).toBe(0)
    for (const name of ['model_calls', 'input_tokens', 'output_tokens'] as const)
      expect(view.budget.spent[name]).toBe(charges.reduce((sum, { actual }) => sum + actual[name], 0))
    expect(charges.map(({ step_number: step }) => step)).toEqual(
      trace.steps.flatMap(({ number, attempts }) => attempts.map(() => number)),
    )
    expect(trace.task.outcome?.cost_usd).toBe(view.cost_usd)
  })

  test('the device and the own server cost nothing by the token; the others their price', () => {
    const costs = (provider: string) =>
      trace.charges
        .filter(({ attempt }) => attempt.provider === provider)
        .map(({ actual }) => actual.cost_usd)
    expect(costs('device')).toEqual([0])
    expect(new Set(costs('gpu'))).toEqual(new Set([0]))
    const [hosted] = trace.charges.filter(({ attempt }) => attempt.provider === 'openai')
    const [serverless] = trace.charges.filter(({ attempt }) => attempt.provider === 'cloud')
    expect(hosted?.actual.output_tokens).toBe(24)
    expect(nanoSum([hosted?.actual.cost_usd ?? 0])).toBe((hosted?.actual.input_tokens ?? 0) * 2_500 + 240_000)
    expect(nanoSum([serverless?.actual.cost_usd ?? 0])).toBe(
      (serverless?.actual.input_tokens ?? 0) * 800 + 24 * 4_000,
    )
  })
})

describe('spillway report --by approach', () => {
  let report: Report
  const group = (name: string): ReportGroupJson => {
    const found = report.groups.find((one) => one.group === name)
    if (found === undefined) throw new Error(`no group ${name} in ${JSON.stringify(report.groups)}`)
    return found
  }
  const spillway = (...args: string[]) =>
    runCommand(['report', '--by', 'approach', ...args, '--url', server.url], { env: { SPILLWAY_KEY: KEY } })

  beforeAll(async () => {
    report = JSON.parse((await spillway('--json')).stdout) as Report
  })

  test('has the four approaches, each with its attempts and its money', () => {
    expect(report.groups.map(({ group: name }) => name)).toEqual([
      'hosted',
      'on-device',
      'self-hosted',
      'serverless',
    ])
    for (const { group: name, attempts, cost_usd: cost } of report.groups) {
      const own = trace.charges.filter(({ attempt }) => APPROACH[attempt.provider] === name)
      expect([name, attempts]).toEqual([name, own.length])
      expect(nanoSum([cost])).toBe(nanoSum(own.map(({ actual }) => actual.cost_usd)))
    }
    expect(nanoSum(report.groups.map(({ cost_usd }) => cost_usd))).toBe(nanoSum([trace.task.cost_usd]))
  })

  test('the task is in all four, and a success of the one that answered last', () => {
    expect(report.groups.map(({ tasks }) => tasks)).toEqual([1, 1, 1, 1])
    expect(report.groups.map(({ successes }) => successes)).toEqual([0, 0, 0, 1])
    expect(report.groups.map(({ place }) => place?.task_share)).toEqual([0, 0, 0, 1])
  })

  test('the own server’s failures and its hours are its own', () => {
    const { place, attempts } = group('self-hosted')
    const failed = trace.charges.filter(({ attempt }) => attempt.end === 'connection').length
    expect(place?.error_rate).toBeCloseTo(failed / attempts, 12)
    expect(place?.fallback_rate).toBeCloseTo(1 / attempts, 12)
    expect(place?.owned?.work_cost_usd).toBeGreaterThan(0)
    expect(place?.owned).toEqual(report.owned)
    for (const name of ['hosted', 'on-device', 'serverless'])
      expect(group(name).place).toMatchObject({ error_rate: 0, fallback_rate: 0, owned: null })
    expect(group('on-device').place?.duration_ms?.p50).toBeGreaterThan(0)
  })

  test('shows them side by side', async () => {
    const { code, stdout } = await spillway()
    expect(code).toBe(0)
    expect(stdout).toMatch(/approach +hosted +on-device +self-hosted +serverless/)
  })
})

const APPROACH: Readonly<Record<string, string>> = {
  device: 'on-device',
  gpu: 'self-hosted',
  openai: 'hosted',
  cloud: 'serverless',
}
