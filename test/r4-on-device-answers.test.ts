// R4: a model in the server's own process answers, and is left for a hosted one when it is not sure. Two tiny
// models with random weights, one sure of its tokens and one not, in front of the simulated provider. The
// client is OpenAI's own and cannot tell who answered.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskTraceView } from '@spillway/protocol'
import OpenAI, { BadRequestError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tinyGguf, writeTinyGguf } from '../packages/server/src/testing/tiny-gguf.js'
import { runCommand } from './support/command.js'
import { CHAT, MESSAGES } from './support/dialects.js'
import { request } from './support/http.js'
import { type RunningProcess, type RunningServer, startServer, startSim } from './support/server.js'
import { waitFor } from './support/wait-for.js'

const config = (simUrl: string) => `
providers:
  flat: { kind: on-device, model_path: flat.gguf, threads: 1, sequences: 1 }
  sharp: { kind: on-device, model_path: sharp.gguf, threads: 1, sequences: 2 }
  openai: { kind: openai, api_key: provider-key-1, base_url: "${simUrl}/v1" }
models:
  tiny-flat: { deployments: [{ provider: flat }] }
  tiny-sharp: { deployments: [{ provider: sharp, usd_per_hour: 0.2 }] }
  gpt-4o:
    tier: premium
    deployments: [{ provider: openai, price: { input: 2.50, output: 10.00 } }]
tasks:
  unsure: { route: { default: tiny-flat, escalate_if: [{ condition: "confidence < 0.72", model: gpt-4o }] } }
  sure: { route: { default: tiny-sharp, escalate_if: [{ condition: "confidence < 0.72", model: gpt-4o }] } }
  fallback: { degrade: [], route: { default: tiny-flat } }
`

let dir = ''
let sim: RunningProcess
let server: RunningServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'spillway-device-'))
  await writeTinyGguf(join(dir, 'flat.gguf'))
  await writeTinyGguf(join(dir, 'sharp.gguf'), { sharpness: 40 })
  sim = await startSim(['--output-tokens', '24'])
  server = await startServer({ dir, config: config(sim.url) })
})
afterAll(async () => {
  await server.stop()
  await sim.stop()
  await rm(dir, { recursive: true, force: true })
})

const client = (task: string) =>
  new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: 'any',
    maxRetries: 0,
    defaultHeaders: { 'x-spillway-task': task },
  })
const body = (text: string) => ({
  model: 'task',
  messages: [{ role: 'user' as const, content: text }],
  max_tokens: 12,
  temperature: 0,
})
const routed = (headers: Headers) =>
  ['model', 'tier', 'route', 'attempts'].map((name) => headers.get(`x-spillway-${name}`))

async function traceOf(headers: Headers): Promise<TaskTraceView> {
  const id = headers.get('x-spillway-task-id') ?? 'none'
  return (await request(`${server.url}/v1/tasks/${id}/trace`)).body as TaskTraceView
}

describe('a sure model on the device', () => {
  test('answers whole, for nothing, and the trace says how sure it was', async () => {
    const { data, response } = await client('sure')
      .chat.completions.create({ ...body('Is it paid?'), model: 'task:sure' })
      .withResponse()
    expect(data.choices[0]).toMatchObject({ finish_reason: 'length', message: { role: 'assistant' } })
    expect(data.usage).toMatchObject({ completion_tokens: 12 })
    // Log probabilities were asked for by the rule, not by the caller.
    expect(data.choices[0]?.logprobs ?? null).toBeNull()
    expect(routed(response.headers)).toEqual(['tiny-sharp', 'small', 'default', '1'])
    expect(response.headers.get('x-spillway-deployment')).toBe('sharp/tiny-sharp')
    expect(response.headers.get('x-spillway-simulated')).toBeNull()
    const { steps, charges, task } = await traceOf(response.headers)
    expect([task.cost_usd, task.unpriced_calls]).toEqual([0, 0])
    expect(charges.map(({ attempt }) => [attempt.cost_usd, attempt.price_book])).toEqual([[0, 'on-device']])
    expect(steps[0]?.attempts).toEqual([expect.objectContaining({ model: 'tiny-sharp', end: 'ok' })])
    const judged = steps[0]?.decisions.find(({ stage }) => stage === 'judge')
    expect(Number(judged?.inputs?.['confidence'])).toBeGreaterThan(0.9)
  })

  test('streams, with usage and log probabilities for who asks', async () => {
    const { data: stream, response } = await client('sure')
      .chat.completions.create({
        ...body('Is it paid?'),
        model: 'task:sure',
        stream: true,
        logprobs: true,
        stream_options: { include_usage: true },
      })
      .withResponse()
    let text = ''
    let usage: unknown = null
    const logprobs: number[] = []
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      logprobs.push(...(chunk.choices[0]?.logprobs?.content ?? []).map(({ logprob }) => logprob))
      usage = chunk.usage ?? usage
    }
    expect(text).toHaveLength(12)
    expect(logprobs).toHaveLength(12)
    expect(usage).toMatchObject({ completion_tokens: 12 })
    expect(routed(response.headers)).toEqual(['tiny-sharp', 'small', 'default', '1'])
  })

  test('keeps a schema for the parse helper', async () => {
    const completion = await client('sure').chat.completions.parse({
      ...body('Paid?'),
      model: 'task:sure',
      max_tokens: 200,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'verdict',
          strict: true,
          schema: {
            type: 'object',
            properties: { paid: { type: 'boolean' } },
            required: ['paid'],
            additionalProperties: false,
          },
        },
      },
    })
    expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toEqual({ paid: expect.any(Boolean) })
  })

  test('answers who speaks Anthropic’s format', async () => {
    const sent = MESSAGES.body({ text: 'Is it paid?', maxTokens: 12, more: { temperature: 0 } })
    const answer = await request(`${server.url}${MESSAGES.path}`, {
      body: sent,
      headers: { 'x-spillway-task': 'sure' },
    })
    expect(answer.status).toBe(200)
    expect(MESSAGES.finishOf(answer)).toBe(MESSAGES.finish.cut)
    expect(routed(answer.headers)[0]).toBe('tiny-sharp')
  })

  test('embeds', async () => {
    const { data, usage } = await client('sure').embeddings.create({ model: 'tiny-sharp', input: ['a', 'b'] })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([64, 64])
    expect(usage.prompt_tokens).toBeGreaterThan(0)
  })
})

describe('an unsure one', () => {
  test.each([
    ['whole', false],
    ['streamed', true],
  ])('is not the answer, %s', async (_, stream) => {
    const { data, response } = await client('unsure')
      .chat.completions.create({ ...body('Is this contract void?'), model: 'task:unsure', stream })
      .withResponse()
    const models: string[] = []
    if ('choices' in data) models.push(data.model)
    else for await (const chunk of data) models.push(chunk.model)
    expect([...new Set(models)]).toEqual(['gpt-4o'])
    expect(routed(response.headers)).toEqual(['gpt-4o', 'premium', 'escalated:0', '2'])
    const { steps, charges } = await traceOf(response.headers)
    expect(steps[0]?.attempts.map(({ model, end }) => [model, end])).toEqual([
      ['tiny-flat', 'ok'],
      ['gpt-4o', 'ok'],
    ])
    const judged = steps[0]?.decisions.find(({ stage }) => stage === 'judge')
    expect(Number(judged?.inputs?.['confidence'])).toBeLessThan(0.72)
    const [local, hosted] = charges
    expect(local?.actual.cost_usd).toBe(0)
    expect(hosted?.actual.cost_usd).toBeGreaterThan(0)
  })
})

describe('limits', () => {
  test('a prompt beyond its context is refused with the code that OpenAI has for it', async () => {
    const failure = await client('fallback')
      .chat.completions.create({ ...body('a'.repeat(2_000)), model: 'task:fallback' })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(BadRequestError)
    expect(failure).toMatchObject({ status: 400, code: 'context_length_exceeded' })
  })

  test('what it cannot do is refused by the field’s name', async () => {
    const failure = await client('fallback')
      .chat.completions.create({ ...body('Hi'), model: 'task:fallback', n: 2 })
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ status: 400, param: 'n' })
  })

  test('a caller who leaves frees the only sequence', async () => {
    const stream = await client('fallback').chat.completions.create({
      ...body('Go on.'),
      model: 'task:fallback',
      max_tokens: 400,
      stream: true,
    })
    for await (const _ of stream) break
    stream.controller.abort()
    const next = await client('fallback').chat.completions.create({ ...body('Next'), model: 'task:fallback' })
    expect(next.usage?.completion_tokens).toBeGreaterThan(0)
  })
})

describe('a model file', () => {
  test('that is not there stops the start, and says which', async () => {
    const text = config(sim.url).replace('flat.gguf', 'gone.gguf')
    await expect(startServer({ config: text })).rejects.toThrow(
      /spillway\.yaml:3:40 there is no file \S*gone\.gguf/,
    )
  })

  test('that is not there, or no model, is a problem that the check tells, and it loads nothing', async () => {
    await writeFile(join(dir, 'text.gguf'), 'no model')
    const file = join(dir, 'check.yaml')
    const text = config(sim.url).replace('flat.gguf', 'gone.gguf').replace('sharp.gguf', 'text.gguf')
    await writeFile(file, text)
    const { code, stdout } = await runCommand(['check', file, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      problems: [
        { file, line: 3, column: 40, message: `there is no file ${join(dir, 'gone.gguf')}` },
        { file, line: 4, message: `${join(dir, 'text.gguf')} is not a GGUF file` },
      ],
    })
    await writeFile(file, config(sim.url))
    expect((await runCommand(['check', file])).code).toBe(0)
  })

  test('that is gone at a reload leaves the release that serves', async () => {
    const file = join(dir, 'spillway.yaml')
    await writeFile(file, config(sim.url).replace('flat.gguf', 'gone.gguf'))
    server.process.kill('SIGHUP')
    await waitFor('the refusal of the configuration', () => /is invalid[^]*gone\.gguf/.test(server.output()))
    await writeFile(file, config(sim.url))
    const answer = await request(`${server.url}${CHAT.path}`, {
      body: CHAT.body({ text: 'Still there?', model: 'tiny-sharp' }),
    })
    expect(answer.status).toBe(200)
  })

  test('that was cut is a failed attempt, and the answer comes from elsewhere', async () => {
    await writeFile(join(dir, 'cut.gguf'), tinyGguf().subarray(0, 100_000))
    const more = `
providers:
  cut: { kind: on-device, model_path: ${join(dir, 'cut.gguf')} }
  openai: { kind: openai, api_key: provider-key-1, base_url: "${sim.url}/v1" }
models:
  mixed:
    deployments:
      - { provider: cut }
      - { provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }
`
    await using broken = await startServer({ config: more })
    const answer = await request(`${broken.url}${CHAT.path}`, {
      body: CHAT.body({ text: 'Hello', model: 'mixed' }),
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-spillway-deployment')).toBe('openai/gpt-4o-mini')
    const id = answer.headers.get('x-spillway-task-id') ?? 'none'
    const trace = (await request(`${broken.url}/v1/tasks/${id}/trace`)).body as TaskTraceView
    expect(trace.steps[0]?.attempts.map(({ deployment, end }) => [deployment, end])).toEqual([
      ['cut/mixed', 'http_503'],
      ['openai/gpt-4o-mini', 'ok'],
    ])
  })
})
