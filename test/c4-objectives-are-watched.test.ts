// C4: an objective that is missed pages somebody: in the report, as an alert, as a message to a webhook; and a
// restart forgets none of it.

import { createHmac } from 'node:crypto'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EventsAnswer, Report, SloAnswer } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.js'
import { CHAT } from './support/dialects.js'
import { Journey, providersOf } from './support/journey.js'
import { waitFor } from './support/wait-for.js'

const SECRET = 'only-we-two-know'

interface Message {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

const messages: Message[] = []
let receiver: Server
let journey: Journey

const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  fragile: { slo: { success_rate: 0.9, p95_latency_ms: 60000 }, degrade: [], retries: { max_attempts: 1 } }
  easy: { degrade: [] }
alerts:
  webhooks:
    - { url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook", secret: ${SECRET}, events: [slo-alert] }
`

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      messages.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  journey = await Journey.start({ config })
  await journey.ask(CHAT, { model: 'easy', text: 'Down? [[sim:error=500]]' })
  for (let i = 0; i < 4; i += 1)
    await journey.ask(CHAT, { model: 'fragile', text: 'Down? [[sim:error=500]]' })
})
afterAll(async () => {
  await journey.stop()
  receiver.close()
})

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(new URL(path, journey.server.url))
  expect(answer.status).toBe(200)
  return (await answer.json()) as T
}

const fragile = async () => (await get<SloAnswer>('/v1/slo')).contracts.find((c) => c.contract === 'fragile')

describe('an objective that is missed', () => {
  test('is named by the report, beside what was reached; contracts without one have none', async () => {
    const { groups } = await get<Report>('/v1/report')
    const of = (name: string) => groups.find(({ group }) => group === name)
    expect(of('fragile')?.slo).toEqual([
      { objective: 'success_rate', target: 0.9, reached: 0, met: false },
      { objective: 'p95_latency_ms', target: 60_000, reached: expect.any(Number) as number, met: true },
    ])
    expect(of('easy')).not.toHaveProperty('slo')
    const { stdout } = await runCommand(['report', '--url', journey.server.url])
    expect(stdout).toContain('fragile misses its objective: success 0 %, at least 90.0 % wanted.')
  })

  test('burns its budget, and the alert is an event and a signed message', async () => {
    const success = (await fragile())?.objectives.find(({ objective }) => objective === 'success_rate')
    expect(success?.period).toMatchObject({ tasks: 4, failed: 4 })
    expect(success?.budget_left).toBeCloseTo(-9)
    await waitFor('three messages', () => messages.length >= 3)
    for (const { headers, body } of messages) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
      const mac = createHmac('sha256', SECRET).update(signed).digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${mac}`)
      expect(JSON.parse(body)).toMatchObject({
        type: 'slo-alert',
        data: { subject: 'fragile', objective: 'success_rate', state: 'firing' },
      })
    }
    const { events } = await get<EventsAnswer>('/v1/events?event=slo-alert&subject=fragile')
    expect(new Set(events.map(({ detail }) => detail['alert']))).toEqual(new Set(['fast', 'slow', 'steady']))
    const { stdout } = await runCommand(['slo', '--url', journey.server.url])
    expect(stdout).toContain('page (fast)')
    const metrics = await (await fetch(new URL('/metrics', journey.server.url))).text()
    expect(metrics).toMatch(
      /spillway_slo_alert\{contract="fragile",objective="success_rate",alert="fast".*\} 1/,
    )
  })

  test('is still missed after kill -9', async () => {
    await journey.server.kill()
    await journey.startAgain()
    await waitFor('the count of before', async () => (await fragile())?.objectives[0]?.period.tasks === 4)
    const { events } = await get<EventsAnswer>('/v1/events')
    expect(events.length).toBeGreaterThanOrEqual(3)
  })
})
