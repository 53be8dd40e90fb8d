// C6: the same traffic over two ways of deploying, compared by what really happened: how fast each is, what a task
// costs there, how often it fails and gives way to the other, and what its paid hours were used for.

import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report, ReportGroupJson } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.js'
import { CHAT } from './support/dialects.js'
import type { Answered } from './support/http.js'
import { Journey, nanoSum } from './support/journey.js'
import { waitFor } from './support/wait-for.js'

const SLOW_MS = 150
const OWN_MS = 20

const config = (simUrl: string) => `
providers:
  openai: { kind: openai, api_key: provider-key-1, base_url: "${simUrl}/v1" }
  gpu: { kind: openai-compatible, api_key: provider-key-2, base_url: "${simUrl}/v1", hosting: self-hosted }
models:
  hosted:
    tier: small
    deployments: [{ provider: openai, model: m-hosted, price: { input: 1, output: 4 } }]
  own: { tier: small, deployments: [{ provider: gpu, model: m-own, usd_per_hour: 3.6 }] }
  pair:
    tier: small
    deployments:
      - { provider: gpu, model: m-throttled }
      - { provider: openai, model: m-stand-in, price: { input: 1, output: 4 } }
defaults: { success: ["output.text != ''"], degrade: [] }
tasks:
  hosted_work: { route: { default: hosted } }
  own_work: { route: { default: own } }
  hybrid_work: { retries: { max_attempts: 3 }, route: { default: pair } }
`

let journey: Journey
const answers: Answered[] = []

/** Three calls to the hosted API, two to the own server, and one that the own server turns away. */
beforeAll(async () => {
  journey = await Journey.start({ config })
  await journey.turn({ model: 'm-hosted', latency_ms: SLOW_MS })
  await journey.turn({ model: 'm-own', latency_ms: OWN_MS })
  await journey.turn({ model: 'm-throttled', throttle_rate: 1 })
  const calls = ['hosted_work', 'hosted_work', 'hosted_work', 'own_work', 'own_work', 'hybrid_work']
  for (const model of calls) answers.push(await journey.ask(CHAT, { model, text: 'Where is my order?' }))
})
afterAll(() => journey.stop())

async function reportBy(by: string): Promise<Report> {
  const { status, body } = await journey.send(`/v1/report?since=1h&by=${by}`)
  expect(status).toBe(200)
  return body as Report
}

function groupOf({ groups }: Report, name: string): ReportGroupJson {
  const found = groups.find(({ group }) => group === name)
  if (found === undefined) throw new Error(`no group ${name} in ${JSON.stringify(groups)}`)
  return found
}

describe('GET /v1/report?by=approach', () => {
  test('a task that fell back counts at both approaches, and was answered at one', async () => {
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
    const report = await reportBy('approach')
    expect(report.groups.map(({ group }) => group)).toEqual(['hosted', 'self-hosted'])
    expect(groupOf(report, 'hosted')).toMatchObject({ tasks: 4, successes: 4, attempts: 4 })
    expect(groupOf(report, 'self-hosted')).toMatchObject({ tasks: 3, successes: 2, attempts: 3 })
    expect(groupOf(report, 'hosted').place?.task_share).toBeCloseTo(4 / 6, 12)
    expect(groupOf(report, 'self-hosted').place).toMatchObject({
      throttle_rate: 1 / 3,
      fallback_rate: 1 / 3,
      error_rate: 0,
    })
    expect(groupOf(report, 'hosted').place).toMatchObject({ throttle_rate: 0, fallback_rate: 0 })
  })

  test('each is as slow as it is: the quick refusal does not flatter the one that throttles', async () => {
    const report = await reportBy('approach')
    const { place: hosted } = groupOf(report, 'hosted')
    const { place: own } = groupOf(report, 'self-hosted')
    // Timers may be a little early, and answers any amount late.
    expect(hosted?.duration_ms?.p50).toBeGreaterThanOrEqual(SLOW_MS * 0.9)
    expect(hosted?.first_byte_ms?.p95).toBeGreaterThanOrEqual(SLOW_MS * 0.9)
    expect(own?.duration_ms?.p50).toBeGreaterThanOrEqual(OWN_MS * 0.9)
    expect(hosted?.output_tokens_per_second).toBeLessThanOrEqual(24 / (SLOW_MS * 0.6e-3))
    expect(own?.output_tokens_per_second).toBeGreaterThan(0)
  })

  test('hosted calls cost tokens, own ones their part of paid hours; idle hours are nobody’s', async () => {
    const report = await reportBy('approach')
    const hosted = groupOf(report, 'hosted')
    expect(hosted.place?.owned).toBeNull()
    expect(hosted.place?.cost_per_success_usd).toBeCloseTo(hosted.cost_usd / 4, 12)
    const tokens = hosted.input_tokens + hosted.output_tokens
    expect(hosted.place?.cost_per_1k_tokens_usd).toBeCloseTo((hosted.cost_usd / tokens) * 1_000, 12)
    const own = groupOf(report, 'self-hosted')
    expect(own).toMatchObject({ cost_usd: 0, unpriced_share: 0 })
    const { owned } = own.place ?? {}
    expect(owned).toEqual(report.owned)
    const { owned_cost_usd = 0, work_cost_usd = 0, idle_cost_usd = 0, utilisation } = owned ?? {}
    expect(nanoSum([work_cost_usd, idle_cost_usd])).toBe(nanoSum([owned_cost_usd]))
    expect(work_cost_usd).toBeGreaterThan(0)
    expect(idle_cost_usd).toBeGreaterThan(0)
    expect(utilisation).toBeCloseTo(work_cost_usd / owned_cost_usd, 6)
    expect(own.place?.cost_per_success_usd).toBeCloseTo(work_cost_usd / 2, 12)
  })

  test('the approaches, the providers and the deployments add up to everything', async () => {
    const [all] = (await reportBy('none')).groups
    for (const by of ['approach', 'provider', 'deployment']) {
      const { groups } = await reportBy(by)
      expect(nanoSum(groups.map(({ cost_usd }) => cost_usd))).toBe(nanoSum([all?.cost_usd ?? 0]))
      expect(groups.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(all?.attempts)
      expect(groups.reduce((sum, { successes }) => sum + successes, 0)).toBe(all?.successes)
      expect(groups.reduce((sum, { place }) => sum + (place?.task_share ?? 0), 0)).toBeCloseTo(1, 12)
    }
    const { groups } = await reportBy('deployment')
    const names = groups.map(({ group }) => group)
    expect(names).toEqual(['gpu/m-own', 'gpu/m-throttled', 'openai/m-hosted', 'openai/m-stand-in'])
  })

  test('by contract, whoever used the paid hours bears them', async () => {
    const report = await reportBy('contract')
    expect(groupOf(report, 'own_work').work_cost_usd).toBeCloseTo(report.owned?.work_cost_usd ?? 0, 12)
    expect(groupOf(report, 'hosted_work').work_cost_usd).toBe(0)
    expect(groupOf(report, 'own_work')).not.toHaveProperty('place')
  })
})

describe('spillway report --by approach', () => {
  const spillway = (...args: string[]) =>
    runCommand(['report', '--by', 'approach', ...args, '--url', journey.server.url])

  test('shows the approaches side by side', async () => {
    const { code, stdout } = await spillway()
    expect(code).toBe(0)
    expect(stdout).toMatch(/approach +hosted +self-hosted/)
    expect(stdout).toMatch(/throttled +0 % +33\.3 %/)
    expect(stdout).toMatch(/tasks answered +66\.7 % +33\.3 %/)
    expect(stdout).toMatch(/utilisation +– +\d/)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
  })

  test('--json is what the server said', async () => {
    const { code, stdout } = await spillway('--json')
    expect(code).toBe(0)
    const { groups } = JSON.parse(stdout) as Report
    expect(groups.map(({ group }) => group)).toEqual(['hosted', 'self-hosted'])
    expect(groups[1]?.place?.owned).toMatchObject({ utilisation: expect.any(Number) })
  })

  test('knows after a restart what was so before it, and that the hours went on', async () => {
    const before = await reportBy('approach')
    await journey.server.stop()
    await journey.startAgain()
    const after = await reportBy('approach')
    expect(groupOf(after, 'hosted')).toEqual(groupOf(before, 'hosted'))
    expect(after.owned?.hours).toBeGreaterThan(before.owned?.hours ?? Infinity)
    expect(after.owned?.work_cost_usd).toBe(before.owned?.work_cost_usd)
  })
})

test('what moves keeps its past: calls and hours before a reload stay with the approach they had', async () => {
  const before = await reportBy('approach')
  const moved = config(journey.sim.url).replace('hosting: self-hosted', 'hosting: serverless')
  const file = join(journey.dir, 'spillway.yaml')
  await writeFile(`${file}.new`, moved)
  await rename(`${file}.new`, file)
  journey.server.process.kill('SIGHUP')
  await waitFor('the new release', async () => (await reportBy('none')).release !== before.release)
  expect((await journey.ask(CHAT, { model: 'own_work', text: 'Where is it now?' })).status).toBe(200)
  const after = await reportBy('approach')
  expect(after.groups.map(({ group }) => group)).toEqual(['hosted', 'self-hosted', 'serverless'])
  expect(groupOf(after, 'self-hosted')).toMatchObject({ tasks: 3, attempts: 3 })
  expect(groupOf(after, 'serverless')).toMatchObject({ tasks: 1, successes: 1 })
  const hours = ['self-hosted', 'serverless'].map((name) => groupOf(after, name).place?.owned?.hours ?? 0)
  expect(Math.min(...hours)).toBeGreaterThan(0)
  const ownedUsd = ['self-hosted', 'serverless'].map(
    (name) => groupOf(after, name).place?.owned?.owned_cost_usd ?? 0,
  )
  expect(nanoSum(ownedUsd)).toBe(nanoSum([after.owned?.owned_cost_usd ?? 0]))
})
