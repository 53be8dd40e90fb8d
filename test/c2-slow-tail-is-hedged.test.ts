// C2: a few calls in a hundred never get a first token. A second copy at the other deployment, sent when the first
// has taken longer than it normally does, holds the tail; it costs at most 2 % more requests, and all of it is in the books.

import type { CapacityJson, TaskTraceView } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHAT } from './support/dialects.js'
import { type Answered } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'

const PRICE = 'price: { input: 0.15, output: 0.60 }'
const config = (simUrl: string) => `${providersOf(simUrl)}
  other: { kind: openai-compatible, api_key: provider-key-3, base_url: "${simUrl}/v1" }
models:
  gpt-4o-mini:
    tier: small
    deployments:
      - { provider: openai, model: m-stalls, ${PRICE} }
      - { provider: other, model: m-steady, ${PRICE} }
defaults: { degrade: [], route: { default: gpt-4o-mini } }
tasks:
  hedged: {}
  plain: { retries: { hedge: off } }
`

/** What is normal is learned from these, and copies are earned. */
const WARM_UP = 250
const CALLS = 300
/** Of the calls to one of two deployments: of all it is half of that, so that the p99 meets them. */
const STALL_RATE = 0.04
const AT_ONCE = 3

let journey: Journey
beforeAll(async () => {
  const sim = ['--output-tokens', '8', '--latency-ms', '20', '--jitter', '0.2', '--tokens-per-second', '0']
  journey = await Journey.start({ sim, config })
})
afterAll(() => journey.stop())

let questions = 0
async function askAll(model: string, count: number, stream: boolean) {
  const answers: { readonly answer: Answered; readonly ms: number }[] = []
  let left = count
  const caller = async () => {
    while (left-- > 0) {
      const startedMs = performance.now()
      const answer = await journey.ask(CHAT, { model, text: `Question ${++questions}.`, stream })
      answers.push({ answer, ms: performance.now() - startedMs })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, caller))
  return answers
}

const p99 = (answers: readonly { readonly ms: number }[]) => {
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  return times[Math.floor(times.length * 0.99)] ?? 0
}

async function hedges() {
  const { body } = await journey.send('/v1/capacity')
  const { hedges: said } = body as CapacityJson
  if (said === undefined) throw new Error('the capacity says nothing of hedges')
  return said
}

describe.each([
  ['streams', true],
  ['whole answers', false],
])('%s', (_, stream) => {
  test('the tail is held, for at most 2 % more requests, and every copy is in the books', async () => {
    await journey.turn({ model: 'm-stalls', stall_rate: 0 })
    await askAll('hedged', WARM_UP, stream)
    await journey.turn({ model: 'm-stalls', stall_rate: STALL_RATE })
    const before = await hedges()
    const requestsBefore = await journey.upstreamRequests()
    const hedged = await askAll('hedged', CALLS, stream)
    const requests = (await journey.upstreamRequests()) - requestsBefore
    const after = await hedges()
    const plain = await askAll('plain', CALLS, stream)

    expect(new Set([...hedged, ...plain].map(({ answer }) => answer.status))).toEqual(new Set([200]))
    // Without a copy a stalled call is given up after a second at the earliest, and then tried elsewhere.
    expect(p99(plain)).toBeGreaterThan(1_000)
    expect(p99(hedged)).toBeLessThan(p99(plain) / 2)

    const sent = after.sent - before.sent
    expect(sent).toBeGreaterThan(0)
    expect(after.sent).toBeLessThanOrEqual(after.calls * 0.02)
    const traces = await Promise.all(hedged.map(({ answer }) => journey.traceOf(answer)))
    checkBooks(traces, { requests, sent, lostUsd: after.lost_cost_usd - before.lost_cost_usd })
    for (const { answer } of hedged) {
      const { steps } = await journey.traceOf(answer)
      expect(answer.headers.get('x-spillway-attempts')).toBe(String(steps[0]?.attempts.length))
    }
  })
})

interface Counted {
  /** As the provider counted them. */
  readonly requests: number
  readonly sent: number
  readonly lostUsd: number
}

/**
 * Every request is an attempt, and every attempt a request, but for copies that had lost before the provider
 * saw them. Every attempt is settled once, and what was in vain is what the budget says.
 */
function checkBooks(traces: readonly TaskTraceView[], { requests, sent, lostUsd }: Counted): void {
  const attempts = traces.flatMap(({ steps }) => steps.flatMap((step) => step.attempts))
  expect(traces.flatMap(({ charges }) => charges)).toHaveLength(attempts.length)
  const copies = attempts.filter(({ purpose }) => purpose === 'hedge')
  expect(copies).toHaveLength(sent)
  const lost = attempts.filter(({ end }) => end === 'hedge_lost')
  expect(lost.length).toBeGreaterThan(0)
  expect(attempts.length).toBeGreaterThanOrEqual(requests)
  expect(attempts.length - lost.length).toBeLessThanOrEqual(requests)
  for (const attempt of lost) expect(attempt.cost_usd).toBeGreaterThan(0)
  const inVain = lost.reduce((sum, attempt) => sum + (attempt.cost_usd ?? 0), 0)
  expect(inVain).toBeCloseTo(lostUsd, 9)
  for (const { task, charges } of traces) {
    const charged = charges.reduce((sum, { attempt }) => sum + (attempt.cost_usd ?? 0), 0)
    expect(task.cost_usd).toBeCloseTo(charged, 9)
  }
}
