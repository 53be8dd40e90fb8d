// B2: when a limit, the time or a provider gives out, the contract's rungs are taken in its order, and the caller gets
// an answer in its own format. Every rung is shown in both dialects, streamed and not.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Ask,
  BOTH,
  CHAT,
  type Dialect,
  MESSAGES,
  WAYS,
  type Way,
  endOf,
  eventsOf,
  hasEnded,
} from './support/dialects.js'
import { type Answered, errorOf } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'

const REFINE = 'I need one more detail to answer this well: which order is it?'

// Prices by which sixteen tokens of the large model cost a tenth of a cent, and of the small one next to nothing.
const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  gpt-4o:
    tier: premium
    deployments: [{ provider: openai, model: gpt-4o, price: { input: 2.50, output: 60.00 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
defaults:
  route: { default: gpt-4o-mini }
  retries: { max_attempts: 2 }
  refine_message: "${REFINE}"
tasks:
  short_memory: { budget: { max_input_tokens: 400 }, degrade: [shorter_context] }
  frugal:
    budget: { max_cost_usd: 0.0009 }
    degrade: [smaller_model, refine]
    route: { default: gpt-4o, escalate_if: [{ condition: "plan == 'free'", model: gpt-4o-mini }] }
  remembers: { budget: { max_model_calls: 1 }, degrade: [cached_answer, refine] }
  in_time: { budget: { max_latency_ms: 1500 }, degrade: [partial_result] }
  in_time_or_ask: { budget: { max_latency_ms: 1500 }, degrade: [partial_result, refine] }
  judged_in_time:
    budget: { max_latency_ms: 1500 }
    degrade: [partial_result]
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.5", model: gpt-4o }] }
  asks: { budget: { max_model_calls: 1 }, degrade: [refine] }
  refuses: { budget: { max_model_calls: 1 }, degrade: [] }
  full: { budget: { max_model_calls: 1 } }
  resilient: { degrade: [cached_answer, refine], retries: { max_attempts: 1 } }
  brittle: { degrade: [], retries: { max_attempts: 1 } }
  two_sizes:
    degrade: [smaller_model, refine]
    retries: { max_attempts: 3 }
    route: { default: gpt-4o, escalate_if: [{ condition: "plan == 'free'", model: gpt-4o-mini }] }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config })
})
afterAll(() => journey.stop())

const inTask = (task: string) => ({ 'x-spillway-task': task })
const rungs = (answer: Answered) => answer.headers.get('x-spillway-degraded')
let questions = 0
/** A question that nobody asked before: no cache knows it. */
const question = () => `Question ${++questions}: where is my parcel?`

function expectComplete({ dialect, stream }: Way, answer: Answered): void {
  expect([endOf(answer), dialect.finishOf(answer)]).toEqual(['200', dialect.finish.complete])
  expect(typeof answer.body).toBe(stream ? 'string' : 'object')
  expect(hasEnded(dialect, answer)).toBe(true)
}

/** Rungs in the last step's record, and the reasons of its plan. */
async function recorded(answer: Answered) {
  const { steps, task } = await journey.traceOf(answer)
  const last = steps.at(-1)
  const reasons = last?.decisions.filter(({ choice }) => choice.startsWith('rung:'))
  return { degraded: last?.degraded, reasons: reasons?.map(({ reason }) => reason).join('\n'), task }
}

describe.each(WAYS)('%s', (_name, way) => {
  const { dialect, stream } = way
  const ask = (task: string, more: Partial<Ask> = {}) =>
    journey.ask(dialect, { model: task, text: question(), stream, ...more })

  test('shorter_context: a conversation that is too long loses its oldest turns', async () => {
    const turns = Array.from(
      { length: 21 },
      (__, index) => `Turn ${index} of a long talk. ${'blah '.repeat(20)}`,
    )
    const more = stream && dialect === CHAT ? { stream_options: { include_usage: true } } : {}
    const answer = await ask('short_memory', { text: turns, more })
    expectComplete(way, answer)
    expect([rungs(answer), answer.headers.get('x-spillway-route')]).toEqual(['shorter_context', 'degraded'])
    const { degraded, task } = await recorded(answer)
    expect(degraded).toEqual(['shorter_context'])
    expect(task.degraded).toBe(true)
    expect(task.budget.spent.input_tokens).toBeLessThanOrEqual(400)
    const { decisions } = (await journey.traceOf(answer)).steps[0] ?? {}
    expect(decisions).toContainEqual(
      expect.objectContaining({ choice: 'shortened', reason: expect.stringMatching(/\d+ oldest turns/) }),
    )
  })

  test('smaller_model: what the large one would cost does not fit, so the small one answers', async () => {
    const answer = await ask('frugal')
    expectComplete(way, answer)
    expect(rungs(answer)).toBe('smaller_model')
    expect(answer.headers.get('x-spillway-model')).toBe('gpt-4o-mini')
    expect(answer.headers.get('x-spillway-tier')).toBe('small')
    const { reasons, task } = await recorded(answer)
    expect(reasons).toMatch(/nanoUsd.*gpt-4o-mini/)
    expect(task.cost_usd).toBeLessThanOrEqual(0.0009)
  })

  test('cached_answer: the same question is answered as before, with the age of the answer', async () => {
    const text = question()
    const { id } = await journey.open({ contract: 'remembers' })
    const headers = { 'x-spillway-task-id': id }
    const first = await journey.ask(dialect, { text, stream }, headers)
    expectComplete(way, first)
    const again = await journey.ask(dialect, { text, stream }, headers)
    expectComplete(way, again)
    expect([rungs(again), again.headers.get('x-spillway-cache')]).toEqual(['cached_answer', 'exact'])
    expect(again.headers.get('x-spillway-cache-age')).toMatch(/^\d+$/)
    expect(dialect.textOf(again)).toBe(dialect.textOf(first))
    expect(again.headers.get('x-spillway-attempts')).toBe('0')
    const other = await journey.ask(dialect, { text: question(), stream }, headers)
    expect(rungs(other)).toBe('refine')
  })

  test('before any rung an answer is shortened to what the budget has left', async () => {
    const { id } = await journey.open({ contract: 'refuses', budget: { max_output_tokens: 20 } })
    const text = `${question()} [[sim:tokens=300]]`
    const answer = await journey.ask(dialect, { text, stream, maxTokens: 300 }, { 'x-spillway-task-id': id })
    expect([endOf(answer), dialect.finishOf(answer)]).toEqual(['200', dialect.finish.cut])
    expect([rungs(answer), hasEnded(dialect, answer)]).toEqual([null, true])
    expect((await journey.view(id)).budget.spent.output_tokens).toBe(20)
  })

  test('refine: the contract speaks, in a complete answer', async () => {
    const { id } = await journey.open({ contract: 'asks' })
    const headers = { 'x-spillway-task-id': id }
    expect(rungs(await journey.ask(dialect, { text: question(), stream }, headers))).toBeNull()
    const answer = await journey.ask(dialect, { text: question(), stream }, headers)
    expectComplete(way, answer)
    expect([rungs(answer), answer.headers.get('x-spillway-route')]).toEqual(['refine', 'degraded'])
    expect(dialect.textOf(answer)).toBe(REFINE)
    expect((await journey.view(id)).budget.spent.model_calls).toBe(1)
  })

  test('the full ladder ends in refine, so its callers never see budget.exhausted', async () => {
    const { id } = await journey.open({ contract: 'full' })
    const headers = { 'x-spillway-task-id': id }
    await journey.ask(dialect, { text: question(), stream }, headers)
    const answer = await journey.ask(dialect, { text: question(), stream }, headers)
    expectComplete(way, answer)
    expect(rungs(answer)).toBe('refine')
  })

  test('no ladder: the call is refused, and need not be sent again', async () => {
    const { id } = await journey.open({ contract: 'refuses' })
    const headers = { 'x-spillway-task-id': id }
    await journey.ask(dialect, { text: question(), stream }, headers)
    const answer = await journey.ask(dialect, { text: question(), stream }, headers)
    expect(endOf(answer)).toBe('429 budget.exhausted')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(errorOf(answer)).toMatchObject({ task_id: id, hint: expect.stringMatching(/\w/) })
    expect(rungs(answer)).toBeNull()
  })

  test('a call that names no task has no ladder, so a failure is told', async () => {
    const answer = await journey.ask(dialect, { text: `${question()} [[sim:error=500]]`, stream })
    expect(endOf(answer)).toBe('502 upstream.failed')
  })
})

describe('partial_result', () => {
  const slow = (dialect: Dialect, task: string, stream: boolean) =>
    journey.ask(
      dialect,
      { text: `${question()} [[sim:tokens=400;tokens_per_second=20]]`, stream, maxTokens: 400 },
      inTask(task),
    )

  test.each(BOTH)(
    '%s: a stream is cut at the deadline and properly ended as too long',
    async (_, dialect) => {
      const answer = await slow(dialect, 'in_time', true)
      expect([endOf(answer), dialect.finishOf(answer)]).toEqual(['200', dialect.finish.cut])
      const text = String(answer.body)
      expect([dialect.isEnded(text), dialect.inBandError(text)]).toEqual([true, null])
      expect(dialect.textOf(answer)).toMatch(/\w/)
      const { degraded, task } = await recorded(answer)
      expect([degraded, task.degraded, task.outcome?.success]).toEqual([['partial_result'], true, true])
      // What was generated is charged, as far as it was seen.
      const deltas = eventsOf(text).length
      expect(task.budget.spent.output_tokens).toBeGreaterThan(0)
      expect(task.budget.spent.output_tokens).toBeLessThanOrEqual(deltas + 8)
    },
  )

  test.each(BOTH)(
    '%s: so is one that was held back to be judged, and its head says so',
    async (_, dialect) => {
      const answer = await slow(dialect, 'judged_in_time', true)
      expect([endOf(answer), dialect.finishOf(answer)]).toEqual(['200', dialect.finish.cut])
      expect([rungs(answer), answer.headers.get('x-spillway-route')]).toEqual(['partial_result', 'degraded'])
      expect(dialect.isEnded(String(answer.body))).toBe(true)
      expect(dialect.textOf(answer)).toMatch(/\w/)
    },
  )

  test.each(BOTH)('%s: a whole answer has no part that could be given', async (_, dialect) => {
    expect(endOf(await slow(dialect, 'in_time', false))).toBe('504 deadline.exceeded')
    const asked = await slow(dialect, 'in_time_or_ask', false)
    expect([endOf(asked), rungs(asked), dialect.textOf(asked)]).toEqual(['200', 'refine', REFINE])
  })

  test.each(BOTH)('%s: without that rung a cut stream ends with the error in band', async (_, dialect) => {
    const { id } = await journey.open({ contract: 'refuses', budget: { max_latency_ms: 1200 } })
    const text = `${question()} [[sim:tokens=400;tokens_per_second=20]]`
    const answer = await journey.ask(
      dialect,
      { text, stream: true, maxTokens: 400 },
      { 'x-spillway-task-id': id },
    )
    expect(answer.status).toBe(200)
    expect(dialect.isEnded(String(answer.body))).toBe(false)
    expect(dialect.inBandError(String(answer.body))).toMatchObject({ code: 'deadline.exceeded' })
  })
})

describe('an outage of the provider', () => {
  const during = async <T>(knobs: object, run: () => Promise<T>): Promise<T> => {
    await journey.turn({ ...knobs, outage: true })
    try {
      return await run()
    } finally {
      await journey.turn({ ...knobs, outage: false })
    }
  }

  test.each(WAYS)(
    '%s: an answer from before is given again, else the contract asks',
    async (_, { dialect, stream }) => {
      const text = question()
      const ask = (said: string) => journey.ask(dialect, { text: said, stream }, inTask('resilient'))
      const first = await ask(text)
      expect(endOf(first)).toBe('200')
      const [again, other] = await during({}, async () => [await ask(text), await ask(question())] as const)
      expect([endOf(again), rungs(again), dialect.textOf(again)]).toEqual([
        '200',
        'cached_answer',
        dialect.textOf(first),
      ])
      expect(again.headers.get('x-spillway-cache-age')).toMatch(/^\d+$/)
      expect([endOf(other), rungs(other), dialect.textOf(other)]).toEqual(['200', 'refine', REFINE])
      expect((await recorded(other)).reasons).toMatch(/http_503|http_529|capacity/)
    },
  )

  test.each(BOTH)('%s: without a ladder it is a refusal that lists the attempts', async (_, dialect) => {
    const answer = await during({}, () => journey.ask(dialect, { text: question() }, inTask('brittle')))
    expect(endOf(answer)).toBe('502 upstream.failed')
    expect(errorOf(answer)['attempts']).toEqual([
      {
        deployment: 'openai/gpt-4o-mini',
        status: 503,
        end: 'http_503',
        message: 'The engine is currently overloaded, please try again later.',
      },
    ])
    expect(answer.headers.get('x-should-retry')).toBe('false')
  })

  test('of the large model only: the small one answers, and the way is shown', async () => {
    const answer = await during({ model: 'gpt-4o' }, () =>
      journey.ask(MESSAGES, { model: 'two_sizes', text: question() }),
    )
    expect(endOf(answer)).toBe('200')
    expect(answer.headers.get('x-spillway-model')).toBe('gpt-4o-mini')
    expect(answer.headers.get('x-spillway-route')).toMatch(/^(fallback|degraded)$/)
  })
})
