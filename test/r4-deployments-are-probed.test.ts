// R4, C1: who runs the server sees which deployments are usable, and why the others are not, at the price of one
// tiny call each. Azure stands for the clouds: addressed per deployment, with its key in its own header. What
// people host themselves tells its models, its health and its load besides.

import type { ProbeJson } from '@spillway/protocol'
import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.js'
import { request } from './support/http.js'
import { type RunningServer, startServer, startSim } from './support/server.js'
import { IMITATIONS, startImitation } from './support/vendors/openai-like.js'

interface Seen {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

const seen: Seen[] = []
const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 },
}
const LIMITS = {
  'x-ratelimit-limit-requests': '2500',
  'x-ratelimit-remaining-requests': '2499',
  'x-ratelimit-limit-tokens': '250000',
  'x-ratelimit-remaining-tokens': '249990',
}

/** As Azure answers: a wrong key, a deployment that is not there, and one that is. */
const azure = createServer((incoming, response) => {
  let text = ''
  incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  incoming.on('end', () => {
    const { url = '', headers } = incoming
    if (incoming.method === 'GET') {
      const list = { object: 'list', data: [{ id: 'gpt-4o-mini-2024-07-18', object: 'model' }] }
      const isList = url === '/openai/models?api-version=2024-10-21' && headers['api-key'] === 'azure-key-1'
      return response.writeHead(isList ? 200 : 401).end(isList ? JSON.stringify(list) : '{}')
    }
    seen.push({ url, headers, body: JSON.parse(text) as unknown })
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', ...LIMITS }).end(JSON.stringify(body))
    if (headers['api-key'] !== 'azure-key-1')
      return answer(401, {
        error: {
          code: '401',
          message: 'Access denied due to invalid subscription key azure-key-2-0123456789abcdefghijkl.',
        },
      })
    if (!url.startsWith('/openai/deployments/chat/'))
      return answer(404, {
        error: {
          code: 'DeploymentNotFound',
          message: 'The API deployment for this resource does not exist.',
        },
      })
    return answer(200, ANSWER)
  })
})

let server: RunningServer

beforeAll(async () => {
  await new Promise<void>((resolve) => azure.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(azure.address() as AddressInfo).port}`
  const config = `
providers:
  sim: { kind: simulated }
  az: { kind: azure, base_url: "${base}", api_version: 2024-10-21, api_key: azure-key-1, region: swedencentral, retention_days: 0 }
  az-old: { kind: azure, base_url: "${base}", api_version: 2024-10-21, api_key: azure-key-2-0123456789abcdefghijkl }
models:
  chat: { tier: small, price: { input: 0.15, output: 0.6 }, deployments: [{ provider: az, model: chat }] }
  lost: { tier: small, deployments: [{ provider: az, model: lost }] }
  shut: { tier: small, deployments: [{ provider: az-old, model: chat }] }
  mock: { tier: small, deployments: [{ provider: sim }] }
tenants:
  acme: { keys: ["\${ACME_KEY}"] }
`
  server = await startServer({ config, env: { ACME_KEY: 'acme-key' } })
})

afterAll(async () => {
  await server.stop()
  azure.closeAllConnections()
  azure.close()
})

const probe = (key: string) =>
  request(`${server.url}/v1/providers/probe`, { method: 'POST', headers: { authorization: `Bearer ${key}` } })

describe('a probe', () => {
  test('tells what is usable from what is shut or lost, without showing a key', async () => {
    const answered = await probe('acme-key')
    expect(answered.status).toBe(200)
    const { usable, providers, deployments } = answered.body as ProbeJson
    expect(usable).toBe(false)
    // What Azure lists can be deployed; under which names it is, only the calls show.
    expect(providers).toMatchObject([
      { provider: 'az', models: ['gpt-4o-mini-2024-07-18'], health: null },
      { provider: 'az-old', models: null, untold: { models: expect.stringMatching(/^HTTP 401/) as string } },
    ])
    expect(deployments.map(({ listed, hint }) => listed ?? hint)).toEqual([null, null, null, null])
    expect(deployments).toMatchObject([
      {
        deployment: 'az/chat',
        kind: 'azure',
        hosting: 'serverless',
        region: 'swedencentral',
        usable: true,
        reachable: true,
        authorised: true,
        model_known: true,
        status: 200,
        limits: { requests: { limit: 2500, left: 2499 }, tokens: { limit: 250_000, left: 249_990 } },
        cost_usd: 0.0000024,
      },
      { deployment: 'az/lost', usable: false, authorised: true, model_known: false, status: 404 },
      { deployment: 'az-old/chat', usable: false, authorised: false, model_known: null, status: 401 },
      { deployment: 'sim/mock', usable: true, simulated: true },
    ])
    expect(JSON.stringify(answered.body)).not.toMatch(/azure-key/)
    expect(seen[0]).toMatchObject({
      url: '/openai/deployments/chat/chat/completions?api-version=2024-10-21',
      body: { max_completion_tokens: 16 },
    })
    expect(seen[0]?.headers.authorization).toBeUndefined()
  })

  test('is paid by who asks: it is in their books, and in nobody else’s', async () => {
    await probe('acme-key')
    const { body } = await request(`${server.url}/v1/tasks?contract=spillway:probe`, {
      headers: { authorization: 'Bearer acme-key' },
    })
    expect((body as { tasks: unknown[] }).tasks.length).toBeGreaterThanOrEqual(4)
  })

  test('needs a key like every other call', async () => {
    expect((await probe('nobody')).status).toBe(401)
  })

  test('is a command that says no when one deployment is not usable', async () => {
    const { code, stdout } = await runCommand(['providers', '--probe', '--url', server.url], {
      env: { SPILLWAY_KEY: 'acme-key' },
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/az\/chat +azure +serverless +swedencentral +yes +yes +yes/)
    expect(stdout).toContain('az/lost: HTTP 404: The API deployment for this resource does not exist.')
    const shown = await runCommand(['providers', '--url', server.url], { env: { SPILLWAY_KEY: 'acme-key' } })
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/az\/chat +serverless +swedencentral +none/)
  })
})

describe('servers people host themselves', () => {
  const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'
  const SERVERS = ['vllm', 'sglang', 'tensorrt-llm', 'llama-cpp', 'ollama'] as const

  async function startAll() {
    const sim = await startSim([])
    const fronts = await Promise.all(SERVERS.map((name) => startImitation(sim.url, IMITATIONS[name])))
    const providers = SERVERS.map(
      (name, at) =>
        `  ${name}: { kind: openai-compatible, base_url: "${fronts[at]?.url}/v1", api_key: own-key-1 }`,
    )
    const models = [
      ...SERVERS.map((name) => [`at-${name}`, name, MODEL] as const),
      ['misspelt', 'vllm', 'meta-llama/Llama-3.1-8B-Instrukt'] as const,
    ].map(
      ([model, provider, upstream]) =>
        `  ${model}: { tier: small, deployments: [{ provider: ${provider}, model: "${upstream}" }] }`,
    )
    const config = ['providers:', ...providers, 'models:', ...models].join('\n')
    const running = await startServer({ config })
    const stop = async () => {
      for (const one of [running, ...fronts, sim]) await one[Symbol.asyncDispose]()
    }
    return { fronts, url: running.url, stop }
  }

  test('tell their models, health and load, and a misspelt model gets the name that is meant', async () => {
    const { fronts, url, stop } = await startAll()
    try {
      const { body } = await request(`${url}/v1/providers/probe`, { method: 'POST' })
      const { usable, providers, deployments } = body as ProbeJson
      expect(usable).toBe(true)
      const told = providers.map(({ provider, models, health, load }) => [
        provider,
        models?.length,
        health,
        load,
      ])
      const load = (name: string, running: number, waiting: number, cache_used_share: number) => ({
        server: name,
        running,
        waiting,
        cache_used_share,
      })
      expect(told).toEqual([
        ['vllm', 2, 'ok', load('vllm', 12, 3, 0.4213)],
        ['sglang', 2, 'ok', load('sglang', 162, 2826, 0.28)],
        ['tensorrt-llm', 2, 'ok', load('tensorrt-llm', 3, 1, 0.25)],
        ['llama-cpp', 1, 'ok', load('llama.cpp', 2, 1, 0.0625)],
        ['ollama', 1, 'ok', null],
      ])
      expect(Object.fromEntries(deployments.map(({ model, listed }) => [model, listed]))).toEqual({
        'at-vllm': true,
        'at-sglang': true,
        'at-tensorrt-llm': true,
        'at-llama-cpp': false,
        'at-ollama': false,
        misspelt: false,
      })
      // It answered all the same, as a server that knows but one model does.
      expect(deployments.at(-1)).toMatchObject({
        usable: true,
        hint: `vllm lists 2 models, and \`meta-llama/Llama-3.1-8B-Instrukt\` is not among them; did you mean \`${MODEL}\`?`,
      })
      const asked = fronts[0]?.seen.filter(({ method }) => method === 'GET') ?? []
      expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(
        new Set(['Bearer own-key-1']),
      )
      const shown = await runCommand(['providers', '--probe', '--url', url])
      expect(shown.code).toBe(0)
      expect(shown.stdout).toMatch(/vllm +openai-compatible +vllm +ok +2 +12 +3 +42\.1 %/)
      expect(shown.stdout).toContain('did you mean')
    } finally {
      await stop()
    }
  })
})
