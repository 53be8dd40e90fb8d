import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AlertWebhook } from '../../core/release/release.js'
import { eventHappened } from '../../testing/entries.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { Webhooks } from './webhooks.js'

const HOOK: AlertWebhook = { url: 'https://hooks.example/T0/secret-path', secret: 'hush', events: [] }

function setUp(webhooks: readonly AlertWebhook[], answers: (number | Error)[]) {
  const system = createFakeSystem({ seed: 1 })
  const sent: { url: string; headers: Readonly<Record<string, string>>; body: string }[] = []
  const lost: string[] = []
  const hooks = new Webhooks({
    system,
    webhooks: () => webhooks,
    onLost: (host, why) => lost.push(`${host} ${why}`),
    post: (url, headers, body) => {
      sent.push({ url, headers, body })
      const answer = answers.shift() ?? 200
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
  })
  return { system, sent, lost, hooks }
}

describe('webhooks', () => {
  test('an event is one signed message that names what happened', async () => {
    const { hooks, sent, system } = setUp([HOOK], [])
    hooks.observe(eventHappened({ detail: { state: 'firing' } }))
    await system.advance(0)
    const [message] = sent
    expect(JSON.parse(message?.body ?? '')).toEqual({
      type: 'breaker',
      timestamp: '2026-11-24T00:00:00.000Z',
      data: { subject: 'openai/gpt-4o-mini', state: 'firing' },
    })
    const {
      'webhook-id': id,
      'webhook-timestamp': at,
      'webhook-signature': signature,
    } = message?.headers ?? {}
    const expected = createHmac('sha256', 'hush').update(`${id}.${at}.${message?.body}`).digest('base64')
    expect(signature).toBe(`v1,${expected}`)
  })

  test('a key in the form of Standard Webhooks is decoded; without a secret nothing is signed', async () => {
    const key = Buffer.from('0123456789abcdef').toString('base64')
    const { hooks, sent, system } = setUp(
      [
        { ...HOOK, secret: `whsec_${key}` },
        { ...HOOK, secret: null },
      ],
      [],
    )
    hooks.observe(eventHappened())
    await system.advance(0)
    const {
      'webhook-id': id,
      'webhook-timestamp': at,
      'webhook-signature': signature,
    } = sent[0]?.headers ?? {}
    const mac = createHmac('sha256', '0123456789abcdef').update(`${id}.${at}.${sent[0]?.body}`)
    expect(signature).toBe(`v1,${mac.digest('base64')}`)
    expect(sent[1]?.headers).not.toHaveProperty('webhook-signature')
  })

  test('only the events that were asked for', async () => {
    const { hooks, sent, system } = setUp([{ ...HOOK, events: ['slo-alert'] }], [])
    hooks.observe(eventHappened({ event: 'breaker' }))
    hooks.observe(eventHappened({ event: 'slo-alert' }))
    await system.advance(0)
    expect(sent).toHaveLength(1)
  })

  test('a failure is tried again under the same id; a redirect is a failure', async () => {
    const { hooks, sent, lost, system } = setUp([HOOK], [500, 302, new Error('no route'), 204])
    hooks.observe(eventHappened())
    await system.advance(71_000)
    expect(sent).toHaveLength(4)
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(lost).toEqual([])
  })

  test('a receiver that stays away costs its own message, named without the secret path', async () => {
    const { hooks, sent, lost, system } = setUp([HOOK], [500, 500, 500, 500])
    hooks.observe(eventHappened())
    await system.advance(200_000)
    expect(sent).toHaveLength(4)
    expect(lost).toEqual(['hooks.example status 500'])
  })

  test('no more than 200 messages wait', async () => {
    const { hooks, sent, lost, system } = setUp(
      [HOOK],
      Array.from({ length: 400 }, () => 500),
    )
    for (let i = 0; i < 250; i += 1) hooks.observe(eventHappened())
    await system.advance(0)
    expect(sent).toHaveLength(200)
    expect(lost).toHaveLength(50)
  })
})
