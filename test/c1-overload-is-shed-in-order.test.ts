// C1: while more arrives than can be served, work is given up in order, what is refused is told so at once and honestly,
// nothing that was refused is sent, and when the load falls everything is served again.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CapacityJson, QueueCapacity } from '@spillway/protocol'
import { CHAT, endOf } from './support/dialects.js'
import type { Answered } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'
import { waitFor } from './support/wait-for.js'

const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  narrow:
    tier: small
    deployments: [{ provider: openai, model: narrow, limits: { concurrency: 1 }, price: { input: 1, output: 1 } }]
capacity: { queue: { max_waiting: 40, target_wait_ms: 20 } }
defaults: { degrade: [], route: { default: narrow } }
tasks:
  work: {}
  slack: { criticality: sheddable_plus, budget: { max_latency_ms: 150 } }
  spare_time: { criticality: sheddable }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config, sim: ['--output-tokens', '8', '--latency-ms', '60'] })
})
afterAll(() => journey.stop())

const ask = (model: string, headers = {}) =>
  journey.ask(CHAT, { model, text: 'Hello.', maxTokens: 8 }, headers)

async function queue(): Promise<QueueCapacity | undefined> {
  const { body } = await journey.send('/v1/capacity')
  return (body as CapacityJson).queues.find(({ model }) => model === 'narrow')
}

/** Callers who ask again as soon as they are answered, until they are stopped. */
function flood(callers: number): { stop(): Promise<readonly Answered[]> } {
  let isOn = true
  const answers: Answered[] = []
  const again = (): Promise<void> =>
    ask('work').then((answer) => {
      answers.push(answer)
      return isOn ? again() : undefined
    })
  const loops = Array.from({ length: callers }, again)
  return {
    async stop() {
      isOn = false
      await Promise.all(loops)
      return answers
    },
  }
}

describe('under a flood of critical work', () => {
  let flooding: ReturnType<typeof flood>
  beforeAll(async () => {
    flooding = flood(16)
    await waitFor('level 2', async () => ((await queue())?.overload.level ?? 0) >= 2)
  }, 90_000)

  test('sheddable work is refused at once, with whole seconds and no repeating by an SDK', async () => {
    const sent = await journey.upstreamRequests()
    const refused = await Promise.all(Array.from({ length: 20 }, () => ask('spare_time')))
    expect(new Set(refused.map(endOf))).toEqual(new Set(['429 capacity.shed']))
    const waits = refused.map(({ headers }) => headers.get('retry-after') ?? '')
    expect(waits.filter((wait) => !/^([1-9]|[1-5]\d|60)$/.test(wait))).toEqual([])
    expect(new Set(refused.map(({ headers }) => headers.get('x-should-retry')))).toEqual(new Set(['false']))
    expect(await journey.metric('spillway_shed_total', 'criticality="sheddable"')).toBeGreaterThanOrEqual(20)
    // One at a time: the flood alone was served meanwhile.
    expect((await journey.upstreamRequests()) - sent).toBeLessThan(20)
  })

  test('what could not be there in time is refused and not sent', async () => {
    const late = await ask('slack')
    expect(endOf(late)).toBe('429 capacity.shed')
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  })

  test('what can wait waits, and critical work is all served', async () => {
    const batch = ask('work', { 'x-spillway-priority': 'batch' })
    await waitFor('the batch', async () => ((await queue())?.waiting.sheddable ?? 0) === 1)
    const answers = await flooding.stop()
    expect(new Set(answers.map(endOf))).toEqual(new Set(['200']))
    expect(endOf(await batch)).toBe('200')
  })
})

test('levels came one by one, and when the load has fallen everything is served again', async () => {
  await waitFor('calm', async () => (await queue())?.overload.level === 0)
  const { body } = await journey.send('/v1/events?event=overload')
  const { events } = body as {
    readonly events: readonly { readonly detail: { readonly level: number; readonly from_level: number } }[]
  }
  const rises = events.map(({ detail }) => detail).filter(({ level, from_level: from }) => level > from)
  expect(rises.map(({ level, from_level: from }) => level - from)).toEqual(rises.map(() => 1))
  expect(rises.length).toBeGreaterThanOrEqual(2)
  expect(endOf(await ask('spare_time'))).toBe('200')
  expect(await queue()).toMatchObject({ oldest_ms: null, overload: { level: 0, gives_up: [] } })
}, 90_000)
