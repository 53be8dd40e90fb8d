// T1-T3: a task through our own client, and the examples as a user runs them, against the built server.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import { SpillwayError, createClient } from '@spillway/client'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from './support/server.js'

const CONFIG = `
providers:
  sim: { kind: simulated, output_tokens: 20 }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: sim, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  text-embedding-3-small:
    tier: small
    deployments: [{ provider: sim, model: text-embedding-3-small, price: { input: 0.02, output: 0 } }]
tasks:
  support_reply:
    success: ["output.text != ''"]
    budget: { max_model_calls: 5, max_tool_calls: 2, max_latency_ms: 60000 }
    degrade: []
    route: { default: gpt-4o-mini }
    price: { usd_per_success: 0.10 }
  in_a_hurry:
    budget: { max_latency_ms: 300 }
    degrade: []
    route: { default: gpt-4o-mini }
`

let server: RunningServer
beforeAll(async () => {
  server = await startServer({ config: CONFIG })
})
afterAll(() => server.stop())

const client = () => createClient({ baseUrl: server.url })
const ask = (content: string) => [{ role: 'user' as const, content }]

describe('the client', () => {
  test('runs a task of model calls on both wires, a tool, a step and a verdict', async () => {
    const options = { externalId: 'client-1', attributes: { account_tier: 'enterprise' } }
    const { value, outcome, undelivered } = await client().task('support_reply', options, async (t) => {
      const order = await t.tool('find_order', { id: 7 }, () => ({ status: 'sent' }))
      const chat = await t.chat({ messages: ask(`Where is my order? It is ${order.status}.`) })
      const message = await t.messages({ max_tokens: 50, messages: ask('Shorter, please.') })
      const { answer } = await t.embeddings({ model: 'text-embedding-3-small', input: 'order' })
      await t.step({ kind: 'retrieval', name: 'knowledge_base', duration_ms: 12 })
      t.succeed({ output: message.text, evidence: ['order 7'], score: 0.9 })
      return { id: t.id, chat, message, vector: answer.data[0]?.embedding.length ?? 0, left: t.remaining() }
    })
    expect(value.chat.text).toMatch(/\w/)
    expect(value.chat.spillway).toMatchObject({
      model: 'gpt-4o-mini',
      route: 'default',
      simulated: true,
      attempts: 1,
    })
    expect(value.message.text).toMatch(/\w/)
    expect(value.vector).toBeGreaterThan(100)
    expect(value.left).toMatchObject({ model_calls: 2, tool_calls: 1 })
    expect(outcome).toMatchObject({ success: true, harm: false, price_usd: 0.1 })
    expect(undelivered).toEqual([])
    const trace = await client().trace(value.id)
    expect(trace.steps.map(({ kind }) => kind)).toEqual(['tool', 'model', 'model', 'model', 'retrieval'])
    expect(trace.task).toMatchObject({ status: 'succeeded', attributes: options.attributes })
    const page = await client().tasks({ external_id: 'client-1' })
    expect(page.tasks).toHaveLength(1)
    const { groups } = await client().report({ since: '1h', by: 'contract' })
    expect(groups.find(({ group }) => group === 'support_reply')?.successes).toBeGreaterThan(0)
    expect((await client().models()).data.map(({ id }) => id)).toContain('gpt-4o-mini')
  })

  test('streams on both wires', async () => {
    const { value } = await client().task('support_reply', {}, async (t) => {
      let text = ''
      const stream = t.streamChat({ messages: ask('Where is it?'), stream_options: { include_usage: true } })
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
      let other = ''
      for await (const event of t.streamMessages({ max_tokens: 50, messages: ask('Where is it?') })) {
        other += event.delta?.text ?? ''
      }
      return { text, other, cost: stream.spillway?.cost_usd }
    })
    expect(value.text).toMatch(/\w/)
    expect(value.other).toMatch(/\w/)
    expect(value.cost).toBeGreaterThan(0)
  })

  test('lends its task to the official clients', async () => {
    const { value } = await client().task('support_reply', {}, async (t) => {
      const messages = ask('Where is it?')
      const chat = await new OpenAI(t.openai).chat.completions.create({ model: 'support_reply', messages })
      const message = await new Anthropic(t.anthropic).messages.create({
        model: 'support_reply',
        max_tokens: 50,
        messages,
      })
      expect(chat.choices).toHaveLength(1)
      expect(message.content).toHaveLength(1)
      return t.id
    })
    expect((await client().trace(value)).steps).toHaveLength(2)
  })

  test('a broken stream rejects, and the task counts as failed', async () => {
    let id = ''
    const work = client().task('support_reply', {}, async (t) => {
      id = t.id
      for await (const chunk of t.streamChat({ messages: ask('Where? [[sim:broken_after=3]]') })) void chunk
    })
    await expect(work).rejects.toBeInstanceOf(SpillwayError)
    await expect(work).rejects.toMatchObject({ code: 'upstream.failed', taskId: id })
    expect((await client().trace(id)).task).toMatchObject({ status: 'failed', outcome: { success: false } })
  })

  test('a model that does not answer in time ends with the deadline of the task', async () => {
    const work = client().task('in_a_hurry', {}, (t) => t.chat({ messages: ask('Well? [[sim:stall]]') }))
    await expect(work).rejects.toMatchObject({
      code: expect.stringMatching(/^(deadline\.exceeded|upstream\.timeout)$/),
    })
  })

  test('a sub-task is a task of its own under its parent', async () => {
    const { value } = await client().task('support_reply', {}, async (t) => {
      const child = await t.subtask('support_reply', {}, async (sub) => {
        await sub.chat({ messages: ask('Translate this.') })
        return sub.id
      })
      return { parent: t.id, child: child.value }
    })
    const { children } = await client().trace(value.parent)
    expect(children).toEqual([value.child])
    expect((await client().trace(value.child)).task).toMatchObject({
      parent: value.parent,
      status: 'succeeded',
    })
  })

  test('a verdict that comes later stands', async () => {
    const { value } = await client().task('support_reply', {}, (t) => t.id)
    const outcome = await client().outcome(value, { status: 'failed', reason: 'reopened' })
    expect(outcome.success).toBe(false)
    expect((await client().trace(value)).outcomes).toHaveLength(2)
  })
})

describe('the examples', () => {
  const run = async (name: string, url = server.url) => {
    const file = fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
    return (await promisify(execFile)(process.execPath, [file, url])).stdout
  }

  test('with the client', async () => {
    const output = await run('support-reply/with-client.js')
    expect(output).toMatch(/^answered +gpt-4o-mini by route "default" \(simulated\)$/m)
    expect(output).toMatch(/^outcome +success, cost 0\.\d+ USD$/m)
  })

  test('with the official OpenAI client', async () => {
    const output = await run('support-reply/with-openai.js')
    expect(output).toMatch(/^answered +gpt-4o-mini, default$/m)
    expect(output).toMatch(/^reply +\S/m)
  })

  test('on the device first', async () => {
    const output = await run('on-device/triage.js')
    expect(output).toMatch(/^answered  word-list, 0 USD: Where is my parcel\?/m)
    expect(output).toMatch(/^escalated gpt-4o-mini, 0\.\d+ USD: I paid for an order/m)
    expect(output).toMatch(/^bill +0\.\d+ USD/m)
  })

  test('one route over four approaches', async () => {
    const config = await readFile(new URL('../examples/hybrid/spillway.yaml', import.meta.url), 'utf8')
    await using hybrid = await startServer({ config })
    const output = await run('hybrid/claim.js', hybrid.url)
    expect(output).toMatch(/^micro +default, 0 USD: Is this a claim\?$/m)
    expect(output).toMatch(/^(own +default|cloud +fallback), \S+ USD: What is damaged\?$/m)
    expect(output).toMatch(/^(large +escalated:0|cloud +fallback), 0\.\d+ USD: Are we liable\?/m)
    expect(output).toMatch(/^bill +0\.\d+ USD/m)
  })
})
