// R1-R3, B3: small first, up only for a reason that can be shown. The first part runs the upper-case configuration
// exactly as it is promised to work, with nothing but the usual environment variables of both providers.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UPPER_CASE } from '../packages/server/src/testing/upper-case-example.js'
import { BOTH, CHAT, MESSAGES, WAYS, endOf, hasEnded } from './support/dialects.js'
import type { Answered } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'

/** Who answered, and by which way. */
const routed = (answer: Answered) =>
  ['model', 'tier', 'route', 'attempts'].map((name) => answer.headers.get(`x-spillway-${name}`))
const attributes = (facts: object) => ({ 'x-spillway-attributes': JSON.stringify(facts) })
const SURE = '[[sim:confidence=0.95]]'
const UNSURE = '[[sim:confidence=0.40]]'

describe('the upper-case configuration as it stands', () => {
  let journey: Journey
  beforeAll(async () => {
    journey = await Journey.start({
      config: () => UPPER_CASE,
      env: (simUrl) => ({
        OPENAI_API_KEY: 'openai-key-0001',
        OPENAI_BASE_URL: `${simUrl}/v1`,
        ANTHROPIC_API_KEY: 'anthropic-key-0001',
        ANTHROPIC_BASE_URL: simUrl,
      }),
    })
  })
  afterAll(() => journey.stop())

  const support = { 'x-spillway-task': 'support_reply' }

  describe.each(WAYS)('%s', (_, { dialect, stream }) => {
    const ask = (text: string, headers: Record<string, string> = {}) =>
      journey.ask(dialect, { text, stream }, { ...support, ...headers })

    test('a sure answer of the small model is the answer', async () => {
      const answer = await ask(`Where is my order? ${SURE}`)
      expect([endOf(answer), ...routed(answer)]).toEqual(['200', 'gpt-4o-mini', 'small', 'default', '1'])
      expect(dialect.finishOf(answer)).toBe(dialect.finish.complete)
      expect(dialect.textOf(answer)).toMatch(/\w/)
    })

    test('an unsure one is not: a larger model answers, and both are paid for and told', async () => {
      const answer = await ask(`Is this contract void? ${UNSURE}`)
      expect([endOf(answer), ...routed(answer)]).toEqual([
        '200',
        'claude-3-5-sonnet',
        'premium',
        'escalated:0',
        '2',
      ])
      expect(dialect.finishOf(answer)).toBe(dialect.finish.complete)
      expect(hasEnded(dialect, answer)).toBe(true)
      const { steps, charges } = await journey.traceOf(answer)
      expect(steps[0]).toMatchObject({ route: 'escalated:0', escalated: true, model: 'claude-3-5-sonnet' })
      expect(steps[0]?.attempts.map(({ model, end }) => [model, end])).toEqual([
        ['gpt-4o-mini', 'ok'],
        ['claude-3-5-sonnet', 'ok'],
      ])
      const judged = steps[0]?.decisions.find(({ stage }) => stage === 'judge')
      expect(judged).toMatchObject({
        choice: 'escalate:claude-3-5-sonnet',
        reason: expect.stringContaining('confidence < 0.72'),
        inputs: { confidence: expect.any(Number) },
      })
      expect(Number(judged?.inputs?.['confidence'])).toBeLessThan(0.72)
      expect(charges).toHaveLength(2)
    })

    test('facts known before the call route it at once', async () => {
      const answer = await ask(
        `I will sue. ${SURE}`,
        attributes({ account_tier: 'enterprise', sentiment: 'high_risk' }),
      )
      expect([endOf(answer), ...routed(answer)]).toEqual(['200', 'gpt-4o', 'premium', 'rule:1', '1'])
      const { steps } = await journey.traceOf(answer)
      expect(steps[0]?.decisions[0]).toMatchObject({
        stage: 'plan',
        choice: 'gpt-4o',
        reason: expect.stringContaining("account_tier == 'enterprise'"),
      })
    })

    test('one of the two facts is not enough', async () => {
      for (const facts of [{ account_tier: 'enterprise', sentiment: 'calm' }, { sentiment: 'high_risk' }]) {
        const answer = await ask(`Hello. ${SURE}`, attributes(facts))
        expect(routed(answer)).toEqual(['gpt-4o-mini', 'small', 'default', '1'])
      }
    })
  })

  test('a rule whose fact never arrived is false, and says so', async () => {
    const answer = await journey.ask(CHAT, { text: `Hello. ${SURE}` }, support)
    const { steps } = await journey.traceOf(answer)
    expect(steps[0]?.unknown_rules).toEqual(["account_tier == 'enterprise' and sentiment == 'high_risk'"])
  })

  test('the task may be named as the model, and its budget holds', async () => {
    for (const model of ['support_reply', 'task:support_reply']) {
      const answer = await journey.ask(CHAT, { model, text: `Hello. ${SURE}` })
      expect(routed(answer)).toEqual(['gpt-4o-mini', 'small', 'default', '1'])
      const { task } = await journey.traceOf(answer)
      expect(task.contract).toBe('support_reply')
      expect(task.budget.limits).toMatchObject({
        model_calls: 5,
        input_tokens: 6000,
        output_tokens: 700,
        cost_usd: null,
      })
      expect(task.outcome?.slo_met).toBe(true)
    }
  })

  test('log probabilities were asked for upstream and not passed on to who did not ask', async () => {
    const plain = await journey.ask(CHAT, { text: `Hello. ${SURE}` }, support)
    expect(JSON.stringify(plain.body)).not.toContain('"bytes"')
    expect(plain.body).not.toMatchObject({ choices: [{ logprobs: { content: expect.anything() } }] })
    const asked = await journey.ask(CHAT, { text: `Hello. ${SURE}`, more: { logprobs: true } }, support)
    expect(asked.body).toMatchObject({ choices: [{ logprobs: { content: expect.any(Array) } }] })
  })

  test('small first: without a reason nothing goes to a larger model', async () => {
    const before = [await journey.stats('gpt-4o'), await journey.stats('claude-3-5-sonnet')]
    const asked = Array.from({ length: 20 }, (_, index) =>
      journey.ask(index % 2 === 0 ? CHAT : MESSAGES, { text: `Question ${index} ${SURE}` }, support),
    )
    for (const answer of await Promise.all(asked)) expect(routed(answer)[1]).toBe('small')
    expect([await journey.stats('gpt-4o'), await journey.stats('claude-3-5-sonnet')]).toEqual(before)
  })
})

const KEYS = { plain: 'plain-key-0001', enterprise: 'enterprise-key-0001' }
const as = (tenant: keyof typeof KEYS) => ({ authorization: `Bearer ${KEYS[tenant]}` })

// The models' prices make sixteen tokens of the large one cost exactly 960 millionths of a dollar.
const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
  gpt-4.1-mini:
    tier: mid
    deployments: [{ provider: openai, model: gpt-4.1-mini, price: { input: 0.40, output: 1.60 } }]
  gpt-4o:
    tier: premium
    deployments: [{ provider: openai, model: gpt-4o, price: { input: 0, output: 60.00 } }]
  gpt-5:
    tier: premium
    deployments: [{ provider: openai, model: gpt-5, price: { input: 1.25, output: 10.00 } }]
defaults:
  degrade: []
  route:
    default: gpt-4o-mini
    escalate_if:
      - { condition: "account_tier == 'enterprise'", model: gpt-4.1-mini }
      - { condition: "risk == 'high'", model: gpt-4o }
tasks:
  plain: {}
  contained_by_share:
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "risk == 'high'", model: gpt-4o }], premium: { max_share: 0.2 } }
  contained_by_money:
    route:
      default: gpt-4o-mini
      escalate_if: [{ condition: "risk == 'high'", model: gpt-4o }]
      premium: { max_usd_per_day: 0.00288 }
  unsure_by_output:
    signals: { confidence: { from: output, path: confidence } }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: gpt-4o }] }
  unsure_by_judge:
    signals: { confidence: { from: judge, model: claude-3-5-haiku } }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: gpt-4o }] }
  unsure_by_samples:
    signals: { confidence: { from: self_consistency, samples: 3 } }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: gpt-4o }] }
    retries: { max_attempts: 8 }
  unsure_by_word:
    signals: { confidence: { from: attribute, name: my_confidence } }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: gpt-4o }] }
  poor:
    budget: { max_model_calls: 1 }
    degrade: [refine]
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: gpt-4o }] }
tenants:
  plain: { keys: ["${KEYS.plain}"] }
  enterprise: { keys: ["${KEYS.enterprise}"], attributes: { account_tier: enterprise } }
`

describe('a configuration of its own', () => {
  let journey: Journey
  beforeAll(async () => {
    journey = await Journey.start({ config, key: KEYS.plain })
  })
  afterAll(() => journey.stop())

  const ask = (task: string, text: string, headers: Record<string, string> = {}) =>
    journey.ask(CHAT, { model: task, text, maxTokens: 16 }, headers)

  test('what a tenant is counts as a fact, and the caller may say more', async () => {
    expect(routed(await ask('plain', 'Hello'))[0]).toBe('gpt-4o-mini')
    const tenant = await ask('plain', 'Hello', as('enterprise'))
    expect(routed(tenant)).toEqual(['gpt-4.1-mini', 'mid', 'rule:0', '1'])
    const both = await ask('plain', 'Hello', {
      ...as('enterprise'),
      ...attributes({ account_tier: 'free', risk: 'high' }),
    })
    expect(routed(both)).toEqual(['gpt-4o', 'premium', 'rule:1', '1'])
  })

  test('attributes of a task hold for all its calls', async () => {
    const { id } = await journey.open({ contract: 'plain', attributes: { risk: 'high' } })
    const answer = await journey.ask(CHAT, { text: 'Hello' }, { 'x-spillway-task-id': id })
    expect(routed(answer)).toEqual(['gpt-4o', 'premium', 'rule:1', '1'])
  })

  test.each([
    ['gpt-4o-mini', 'gpt-4o-mini', 'the default itself'],
    ['claude-3-5-haiku', 'claude-3-5-haiku', 'a model of no higher tier'],
    ['gpt-4o', 'gpt-4o', 'a model the route names'],
    ['gpt-5', 'gpt-4o-mini', 'a premium model the route does not name: the route decides'],
    ['small', 'gpt-4o-mini', 'a tier'],
    ['mid', 'gpt-4.1-mini', 'a tier the route has a model of'],
    ['premium', 'gpt-4o', 'a tier the route has a model of'],
    ['plain', 'gpt-4o-mini', 'the task'],
    ['some-model-nobody-knows', 'gpt-4o-mini', 'nothing known: the route decides'],
  ])('inside a task `model: %s` is answered by %s (%s)', async (model, expected) => {
    const answer = await journey.ask(CHAT, { model, text: 'Hello' }, { 'x-spillway-task': 'plain' })
    expect([endOf(answer), answer.headers.get('x-spillway-model')]).toEqual(['200', expected])
  })

  test.each(['gpt-5', 'claude-3-5-haiku', 'gpt-4.1-mini'])(
    'outside a task %s is what one gets',
    async (model) => {
      const answer = await journey.ask(MESSAGES, { model, text: 'Hello' })
      expect([endOf(answer), answer.headers.get('x-spillway-model')]).toEqual(['200', model])
    },
  )

  test('a share of one in five: the first premium call waits for four others', async () => {
    const tiers: (string | null)[] = []
    const risks = [1, 0, 0, 0, 1, 1, 0, 0, 0, 1]
    for (const [index, risk] of risks.entries()) {
      const answer = await ask(
        'contained_by_share',
        `${index}`,
        attributes({ risk: risk === 1 ? 'high' : 'low' }),
      )
      tiers.push(routed(answer)[1] ?? null)
      const reasons = (await journey.traceOf(answer)).steps[0]?.decisions.map(({ reason }) => reason) ?? []
      const isTurnedAway = risk === 1 && routed(answer)[1] === 'small'
      expect(reasons.some((reason) => /premium ceiling.*gpt-4o/.test(reason))).toBe(isTurnedAway)
    }
    const [small, premium] = ['small', 'premium']
    expect(tiers).toEqual([small, small, small, small, premium, small, small, small, small, premium])
  })

  test('money per day: after three premium calls the default answers, also when many come at once', async () => {
    const calls = Array.from({ length: 40 }, (_, index) =>
      ask('contained_by_money', `Question ${index}`, attributes({ risk: 'high' })),
    )
    const answers = await Promise.all(calls)
    expect(new Set(answers.map((answer) => endOf(answer)))).toEqual(new Set(['200']))
    expect(answers.filter((answer) => routed(answer)[1] === 'premium')).toHaveLength(3)
  })

  describe('confidence', () => {
    const json = { response_format: { type: 'json_object' } }

    test.each([
      [SURE, 'gpt-4o-mini'],
      [UNSURE, 'gpt-4o'],
    ])('read from the answer: %s is answered by %s', async (mood, expected) => {
      const question = { model: 'unsure_by_output', text: `Answer as JSON. ${mood}`, more: json }
      const answer = await journey.ask(CHAT, question)
      expect([endOf(answer), answer.headers.get('x-spillway-model')]).toEqual(['200', expected])
    })

    test('from a judge: its call is a step of the task and paid from its budget', async () => {
      const answer = await ask('unsure_by_judge', `Please help. ${UNSURE}`)
      expect(endOf(answer)).toBe('200')
      const { steps, task, charges } = await journey.traceOf(answer)
      const check = steps.find(({ kind }) => kind === 'check')
      expect(check).toMatchObject({ name: 'judge:claude-3-5-haiku' })
      expect(check?.attempts.map(({ purpose }) => purpose)).toEqual(['judge'])
      expect(task.budget.spent.model_calls).toBe(charges.length)
      expect(charges.length).toBeGreaterThanOrEqual(2)
    })

    test('from samples that agree or not: each is a step of the task', async () => {
      const answer = await ask('unsure_by_samples', `Please help. ${SURE}`)
      expect(endOf(answer)).toBe('200')
      const { steps, task } = await journey.traceOf(answer)
      const samples = steps.flatMap(({ attempts }) => attempts).filter(({ purpose }) => purpose === 'sample')
      expect(samples).toHaveLength(2)
      expect(task.budget.spent.model_calls).toBeGreaterThanOrEqual(3)
    })

    test.each([
      [0.9, 'gpt-4o-mini'],
      [0.2, 'gpt-4o'],
    ])("by the application's own word: %d is answered by %s", async (confidence, expected) => {
      const answer = await ask('unsure_by_word', 'Hello', attributes({ my_confidence: confidence }))
      expect(answer.headers.get('x-spillway-model')).toBe(expected)
    })

    test.each(BOTH)('%s: an escalation that cannot be paid keeps the answer there is', async (_, dialect) => {
      const answer = await journey.ask(dialect, { model: 'poor', text: `Please help. ${UNSURE}` })
      expect([endOf(answer), answer.headers.get('x-spillway-model')]).toEqual(['200', 'gpt-4o-mini'])
      expect(dialect.textOf(answer)).toMatch(/\w/)
      const { steps } = await journey.traceOf(answer)
      expect(steps[0]?.attempts).toHaveLength(1)
      expect(steps[0]?.decisions.map(({ choice }) => choice)).toContain('keep the weaker answer')
    })
  })
})
