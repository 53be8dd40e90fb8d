// C2: a provider that dies costs a few attempts and no answer; it is found again by itself; an operator can take a
// deployment out by hand, for a time, with a reason, and a restart in between forgets neither.

import type { CapacityJson, DeploymentCapacity, EventsAnswer } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.js'
import { CHAT } from './support/dialects.js'
import { type Answered, errorOf } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'
import { type RunningProcess, startSim } from './support/server.js'
import { waitFor } from './support/wait-for.js'

const OPS = { authorization: 'Bearer key-of-ops' }

let shaky: RunningProcess
let journey: Journey

const config = (simUrl: string) => `${providersOf(simUrl)}
  shaky: { kind: openai-compatible, api_key: provider-key-3, base_url: "${shaky.url}/v1" }
models:
  twin:
    tier: small
    price: { input: 0.15, output: 0.60 }
    deployments: [{ provider: shaky, model: m-twin }, { provider: openai, model: m-twin }]
  alone:
    tier: small
    price: { input: 0.15, output: 0.60 }
    deployments: [{ provider: shaky, model: m-alone }]
  drained:
    tier: small
    price: { input: 0.15, output: 0.60 }
    deployments: [{ provider: openai, model: m-a }, { provider: openai, model: m-b }]
tasks:
  default: { degrade: [], retries: { max_attempts: 2 } }
tenants:
  acme: { keys: [key-of-acme] }
  ops: { keys: [key-of-ops], operator: true }
`

beforeAll(async () => {
  shaky = await startSim()
  journey = await Journey.start({ config, key: 'key-of-acme' })
})
afterAll(async () => {
  await journey.stop()
  await shaky.stop()
})

let questions = 0
const ask = (model: string) => journey.ask(CHAT, { model, text: `Question ${++questions}.` })

async function stateOf(deployment: string): Promise<DeploymentCapacity> {
  const { body } = await journey.send('/v1/capacity')
  const found = (body as CapacityJson).deployments.find((one) => one.deployment === deployment)
  if (found === undefined) throw new Error(`no deployment ${deployment}`)
  return found
}

async function eventsOf(deployment: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { body } = await journey.send(`/v1/events?event=breaker&subject=${encodeURIComponent(deployment)}`)
  return (body as EventsAnswer).events.map(({ detail }) => detail)
}

const steer = (deployment: string, body: object, headers: Readonly<Record<string, string>> = OPS) =>
  journey.send(`/v1/capacity/deployments/${deployment}`, { method: 'POST', body, headers })

describe('kill -9 of an upstream', () => {
  test('of two deployments: every call is answered, and the dead one is soon not asked any more', async () => {
    expect((await ask('alone')).status).toBe(200)
    await shaky.kill()
    const answers: Answered[] = []
    for (let n = 0; n < 15; n++) answers.push(await ask('twin'))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect((await stateOf('shaky/m-twin')).breaker).toBe('open')
    expect(answers.slice(-3).map(({ headers }) => headers.get('x-spillway-attempts'))).toEqual([
      '1',
      '1',
      '1',
    ])
    expect(await journey.metric('spillway_breaker_state', 'shaky/m-twin')).toBe(2)
    const [opened] = await eventsOf('shaky/m-twin')
    expect(opened).toMatchObject({ from: 'closed', to: 'open', why: 'failures-in-a-row' })
    const restMs = Date.parse(String(opened?.['until'])) - Date.now()
    expect(restMs).toBeGreaterThan(5_000)
    expect(restMs).toBeLessThanOrEqual(30_000)
  })

  test('of an only one: calls fail within seconds and say not to repeat, and it is found as soon as it is back', async () => {
    for (let n = 0; n < 4; n++) {
      const answer = await ask('alone')
      expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([502, 'false'])
    }
    expect((await stateOf('shaky/m-alone')).breaker).not.toBe('closed')
    shaky = await startSim(['--port', new URL(shaky.url).port])
    expect((await ask('alone')).status).toBe(200)
    expect((await stateOf('shaky/m-alone')).breaker).toBe('closed')
    const whys = (await eventsOf('shaky/m-alone')).map(({ why }) => why)
    expect(whys).toEqual(['probe-succeeded', 'failures-in-a-row'])
  })
})

describe('by hand', () => {
  const orders: readonly (readonly [string, string, object, number, string])[] = [
    [
      'nobody knows it',
      'openai/none',
      { action: 'open', for_seconds: 60, reason: 'x' },
      404,
      'deployment.unknown',
    ],
    ['for ever', 'openai/m-a', { action: 'open', reason: 'x' }, 400, 'request.invalid'],
    [
      'for too long',
      'openai/m-a',
      { action: 'drain', for_seconds: 86_401, reason: 'x' },
      400,
      'request.invalid',
    ],
    ['without a reason', 'openai/m-a', { action: 'close', for_seconds: 60 }, 400, 'request.invalid'],
    [
      'auto for a time',
      'openai/m-a',
      { action: 'auto', for_seconds: 9, reason: 'x' },
      400,
      'request.invalid',
    ],
    [
      'a misspelt action',
      'openai/m-a',
      { action: 'darin', for_seconds: 9, reason: 'x' },
      400,
      'request.invalid',
    ],
  ]
  test.each(orders)('%s: refused', async (_what, deployment, body, status, code) => {
    const answer = await steer(deployment, body)
    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code])
  })

  test('who is no operator may look and not touch', async () => {
    const answer = await steer(
      'openai/m-a',
      { action: 'open', for_seconds: 60, reason: 'mine' },
      { authorization: 'Bearer key-of-acme' },
    )
    expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'auth.forbidden'])
    expect(await eventsOf('openai/m-a')).toEqual([])
  })

  test('a drain keeps calls away, outlives kill -9 of the server, and is lifted; all of it is written down', async () => {
    const cli = (...args: string[]) =>
      runCommand(['capacity', ...args, '--url', journey.server.url], { env: { SPILLWAY_KEY: 'key-of-ops' } })
    const drained = await cli('drain', 'openai/m-a', '--for', '10m', '--reason', 'maintenance of the pool')
    expect([drained.code, drained.stderr]).toEqual([0, ''])
    expect(drained.stdout).toContain('drain by ops until')
    await journey.server.kill()
    await journey.startAgain()
    const before = (await journey.stats('m-a')).requests
    for (let n = 0; n < 6; n++) expect((await ask('drained')).status).toBe(200)
    expect((await journey.stats('m-a')).requests).toBe(before)
    const { breaker, breaker_detail: detail } = await stateOf('openai/m-a')
    expect([breaker, detail?.automatic]).toEqual(['open', 'closed'])
    expect(detail?.pin).toMatchObject({ action: 'drain', by: 'ops', reason: 'maintenance of the pool' })
    const lifted = await cli('auto', 'openai/m-a', '--reason', 'done', '--json')
    expect([lifted.code, lifted.stderr]).toEqual([0, ''])
    for (let n = 0; n < 6; n++) await ask('drained')
    expect((await journey.stats('m-a')).requests).toBeGreaterThan(before)
    expect(await eventsOf('openai/m-a')).toMatchObject([
      { why: 'pin-lifted', by: 'ops', reason: 'done', to: 'closed' },
      { why: 'pinned', by: 'ops', action: 'drain', reason: 'maintenance of the pool', to: 'open' },
    ])
  })

  test('a pin ends by itself', async () => {
    await steer('openai/m-b', { action: 'open', for_seconds: 1, reason: 'a moment' })
    expect((await stateOf('openai/m-b')).breaker).toBe('open')
    await waitFor('the end of the pin', async () => (await stateOf('openai/m-b')).breaker === 'closed')
    expect((await eventsOf('openai/m-b')).map(({ why }) => why)).toEqual(['pin-expired', 'pinned'])
  })

  test('wrong usage of the command is told before anybody is asked', async () => {
    const { code, stderr } = await runCommand([
      'capacity',
      'drain',
      'openai/m-a',
      '--for',
      '25h',
      '--reason',
      'x',
    ])
    expect(code).toBe(2)
    expect(stderr).toContain('at most 24h')
  })
})
