import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  chatAnswer,
  chatStream,
  failWith,
  messagesAnswer,
  openAiError,
} from '../../testing/provider-answers.js'
import type { SeenRequest } from '../../testing/scripted-provider.js'
import { createTestEngine } from '../../testing/test-engine.js'

const task = (more: string, rule = 'confidence < 0.7') => `
  support:
    degrade: []
    retries: { max_attempts: 10 }
    ${more}
    route: { default: small-model, escalate_if: [{ condition: "${rule}", model: large-model }] }
`

const isLarge = ({ model }: SeenRequest) => model === 'large-upstream'
const isJudge = ({ json }: SeenRequest) =>
  JSON.stringify(json).includes('You check the work of another assistant.')

function world(tasks: string, answer: (request: SeenRequest) => ReturnType<typeof chatAnswer>) {
  const made = createTestEngine(configured(tasks))
  made.provider('main').otherwise(answer)
  return made
}

test('low log probabilities escalate the answer, and both calls are attempts of the one step', async () => {
  const made = world(task(''), (request) =>
    isLarge(request) ? chatAnswer({ text: 'Paris.' }) : chatAnswer({ text: 'Lyon?', probability: 0.4 }),
  )
  const caller = await made.call({ task: 'support' })
  expect(caller.json).toMatchObject({ choices: [{ message: { content: 'Paris.' } }] })
  expect(caller.headers).toMatchObject({
    'x-spillway-route': 'escalated:0',
    'x-spillway-model': 'large-model',
    'x-spillway-tier': 'premium',
    'x-spillway-attempts': '2',
  })
  const step = made.lastStep()
  expect(step.escalated).toBe(true)
  expect(step.attempts.map(({ model, purpose }) => [model, purpose])).toEqual([
    ['small-model', 'answer'],
    ['large-model', 'answer'],
  ])
  expect(step.decisions.find(({ stage }) => stage === 'judge')).toMatchObject({
    choice: 'escalate:large-model',
    inputs: { confidence: 0.4 },
  })
})

test('a confident answer is accepted', async () => {
  const made = world(task(''), () => chatAnswer({ probability: 0.95 }))
  const caller = await made.call({ task: 'support' })
  expect(caller.headers['x-spillway-route']).toBe('default')
  expect(made.attempts()).toHaveLength(1)
})

test('log probabilities are asked for upstream, and stripped for a caller that did not ask', async () => {
  const made = world(task(''), () => chatAnswer({ probability: 0.9 }))
  const caller = await made.call({ task: 'support' })
  expect(made.provider('main').requests[0]?.json['logprobs']).toBe(true)
  expect(caller.text).not.toContain('"logprob"')
  const asking = await made.call({ task: 'support', body: { logprobs: true } })
  expect(asking.text).toContain('"logprob"')
})

test('a held-back stream is stripped of log probabilities as well', async () => {
  const made = world(task(''), () => chatStream({ probability: 0.9 }))
  const caller = await made.call({ task: 'support', body: { stream: true } })
  expect(made.provider('main').requests[0]?.json['logprobs']).toBe(true)
  expect(caller.outcome).toBe('stream')
  expect(caller.text).not.toContain('"logprob"')
})

test('nobody asks for log probabilities when no rule reads confidence', async () => {
  const made = world(task('', 'vip == true'), () => chatAnswer())
  await made.call({ task: 'support' })
  expect(made.provider('main').requests[0]?.json).not.toHaveProperty('logprobs')
})

test('a deployment that gives no log probabilities leaves the rule unknown, which is counted and shown', async () => {
  const made = world(task(''), () => chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.headers['x-spillway-route']).toBe('default')
  expect(made.lastStep().unknownRules).toEqual(['confidence < 0.7'])
})

test('a stream is held back while a rule may still escalate it, and the caller only ever sees one answer', async () => {
  const made = world(task(''), (request) =>
    isLarge(request)
      ? chatStream({ tokens: ['Par', 'is.'] })
      : chatStream({ tokens: ['Ly', 'on?'], probability: 0.3, gapMs: 50 }),
  )
  const running = made.start({ task: 'support', body: { stream: true } })
  await made.system.advance(120)
  expect(running.caller.begun).toBe(false)
  const caller = await made.finish(running)
  expect(caller.outcome).toBe('stream')
  expect(caller.text).toContain('Par')
  expect(caller.text).not.toContain('Ly')
  expect(caller.headers).toMatchObject({ 'x-spillway-route': 'escalated:0', 'x-spillway-attempts': '2' })
})

// 49
test('a stream that no rule can escalate passes through frame by frame', async () => {
  const made = world(task('', 'vip == true'), () => chatStream({ gapMs: 50 }))
  const running = made.start({ task: 'support', body: { stream: true } })
  await made.system.advance(110)
  expect(running.caller.chunks.length).toBe(2)
  expect((await made.finish(running)).outcome).toBe('stream')
})

test('confidence from a field of the JSON answer', async () => {
  const signals = 'signals: { confidence: { from: output, path: meta.sure } }'
  const made = world(task(signals), (request) =>
    isLarge(request) ? chatAnswer({ text: '{"a":1}' }) : chatAnswer({ text: '{"meta":{"sure":0.2}}' }),
  )
  const caller = await made.call({ task: 'support' })
  expect(caller.headers['x-spillway-route']).toBe('escalated:0')
})

test('a judge grades the answer in a step of its own, paid from the same budget', async () => {
  const signals = 'signals: { confidence: { from: judge, model: mid-model } }'
  const budget = 'budget: { max_cost_usd: 1, max_model_calls: 5, max_output_tokens: 500 }'
  const made = world(task(`${signals}\n    ${budget}`), (request) => {
    if (isJudge(request)) return chatAnswer({ text: '0.1', usage: { input: 90, output: 2 } })
    return chatAnswer({ text: isLarge(request) ? 'Paris.' : 'Lyon?' })
  })
  const opened = await made.open('support')
  const caller = await made.call({ task: 'support', taskId: opened.id })
  expect(caller.headers['x-spillway-route']).toBe('escalated:0')
  const judge = made.entries('step-ended').find(({ step }) => step === 'check')
  expect(judge).toMatchObject({
    name: 'judge:mid-model',
    attempts: [{ purpose: 'judge', model: 'mid-model' }],
  })
  const charged = made.attempts().reduce((sum, { chargedNanoUsd }) => sum + chargedNanoUsd, 0)
  expect(made.ledger.read(opened.accounts[0] ?? '')?.settled).toMatchObject({
    modelCalls: 3,
    nanoUsd: charged,
  })
  expect(opened.nanoUsd).toBe(charged)
})

test('a judge that fails leaves the signal missing, and the answer stands', async () => {
  const signals = 'signals: { confidence: { from: judge, model: mid-model } }'
  const made = world(task(signals), (request) => (isJudge(request) ? failWith('connection') : chatAnswer()))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.headers['x-spillway-route']).toBe('default')
  expect(made.lastStep().unknownRules).toEqual(['confidence < 0.7'])
})

test('the judge is asked in its own format, whatever the caller speaks', async () => {
  const signals = 'signals: { confidence: { from: judge, model: claude-model } }'
  const made = world(task(signals), () => chatAnswer({ text: 'Paris.' }))
  made.provider('claude').next(messagesAnswer({ text: '0.9' }))
  const caller = await made.call({ task: 'support', wire: 'anthropic-messages' })
  expect(caller.json).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'Paris.' }] })
  expect(made.provider('claude').requests).toHaveLength(1)
  expect(made.lastStep().decisions.find(({ stage }) => stage === 'judge')?.inputs).toEqual({
    confidence: 0.9,
  })
})

test('self-consistency draws the further samples, each a step of the task, and counts who agrees', async () => {
  const signals = 'signals: { confidence: { from: self_consistency, samples: 4 } }'
  const said = ['Paris', 'Paris.', 'Lyon', 'paris']
  let calls = 0
  const made = world(task(signals), (request) =>
    isLarge(request) ? chatAnswer() : chatAnswer({ text: said[calls++] ?? '' }),
  )
  const caller = await made.call({ task: 'support' })
  expect(caller.headers['x-spillway-route']).toBe('default')
  expect(made.lastStep().decisions.find(({ stage }) => stage === 'judge')?.inputs).toEqual({
    confidence: 0.75,
  })
  const samples = made.entries('step-ended').filter(({ step }) => step === 'check')
  expect(samples.map(({ number }) => number).sort((a, b) => a - b)).toEqual([2, 3, 4])
})

// 44, 35: fan-out counts against the one cap of the task, also when it is asked for all at once.
test('samples drawn in parallel cannot pass the cap on attempts', async () => {
  const signals = 'signals: { confidence: { from: self_consistency, samples: 8 } }'
  const made = world(task(signals).replace('max_attempts: 10', 'max_attempts: 4'), () =>
    chatAnswer({ delayMs: 20 }),
  )
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(made.provider('main').requests).toHaveLength(4)
})

test('confidence from an attribute is known before the call, so the rule routes directly', async () => {
  const signals = 'signals: { confidence: { from: attribute, name: sure } }'
  const made = world(task(signals), () => chatAnswer())
  const caller = await made.call({ task: 'support', attributes: { sure: 0.2 } })
  expect(made.provider('main').requests.at(-1)?.model).toBe('large-upstream')
  expect(caller.headers['x-spillway-model']).toBe('large-model')
})

test('an attribute sent with a call of a joined task is heard', async () => {
  const signals = 'signals: { confidence: { from: attribute, name: sure } }'
  const made = world(task(signals), () => chatAnswer())
  const opened = await made.open('support')
  const caller = await made.call({ task: 'support', taskId: opened.id, attributes: { sure: 0.2 } })
  expect(caller.headers['x-spillway-model']).toBe('large-model')
})

test('an escalation that cannot be afforded keeps the weaker answer', async () => {
  // The small answer is easily paid; the large model asks 200,000 nano-dollars for each output token.
  const budget = 'budget: { max_cost_usd: 0.003, max_output_tokens: 200 }'
  const made = world(task(budget), () => chatAnswer({ text: 'Lyon?', probability: 0.4 }))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.json).toMatchObject({ choices: [{ message: { content: 'Lyon?' } }] })
  expect(caller.headers).toMatchObject({ 'x-spillway-route': 'degraded', 'x-spillway-model': 'small-model' })
  expect(made.provider('main').requests).toHaveLength(1)
})

test.each([
  ['fails', openAiError(500, 'server_error')],
  ['refuses the request', openAiError(400, 'unsupported_parameter')],
  ['never connects', failWith('connection')],
])(
  'when the larger model %s, the weaker answer is given and the smaller model is not asked again',
  async (_what, script) => {
    const made = world(task(''), (request) =>
      isLarge(request) ? script : chatAnswer({ text: 'Lyon?', probability: 0.4 }),
    )
    const caller = await made.call({ task: 'support' })
    expect(caller.status).toBe(200)
    expect(caller.json).toMatchObject({ choices: [{ message: { content: 'Lyon?' } }] })
    const small = made.provider('main').requests.filter((request) => !isLarge(request))
    expect(small).toHaveLength(1)
  },
)

test('the weaker stream is given whole when its escalation fails', async () => {
  const made = world(task(''), (request) =>
    isLarge(request) ? failWith('connection') : chatStream({ tokens: ['Ly', 'on?'], probability: 0.4 }),
  )
  const caller = await made.call({ task: 'support', body: { stream: true } })
  expect(caller.outcome).toBe('stream')
  expect(caller.text).toContain('Ly')
})

test('an answer escalates from tier to tier while rules hold, and never to the same model twice', async () => {
  const made = world(
    `
  support:
    degrade: []
    retries: { max_attempts: 10 }
    route:
      default: small-model
      escalate_if:
        - { condition: "confidence < 0.7", model: mid-model }
        - { condition: "confidence < 0.7", model: large-model }
`,
    () => chatAnswer({ probability: 0.1 }),
  )
  const caller = await made.call({ task: 'support' })
  expect(made.provider('main').requests.map(({ model }) => model)).toEqual([
    'small-upstream',
    'mid-upstream',
    'large-upstream',
  ])
  expect(caller.headers['x-spillway-route']).toBe('escalated:1')
})

// The fallbacks of a model are worked out once; what one call has tried is no business of the next.
test.each([
  ['escalated, then direct', [false, true]],
  ['direct, then escalated', [true, false]],
])('a weak answer is no fallback, whatever calls came before: %s', async (_order, calls) => {
  const made = world(
    `
  support:
    degrade: []
    retries: { max_attempts: 3 }
    route:
      default: small-model
      escalate_if:
        - { condition: "vip == true", model: large-model }
        - { condition: "confidence < 0.7", model: large-model }
`,
    (request) =>
      isLarge(request)
        ? openAiError(404, 'model_not_found')
        : chatAnswer({ text: 'Lyon?', probability: 0.4 }),
  )
  for (const isDirect of calls) {
    const caller = await made.call({ task: 'support', attributes: { vip: isDirect } })
    const models = made.lastStep().attempts.map(({ model }) => model)
    expect(models).toEqual(isDirect ? ['large-model', 'small-model'] : ['small-model', 'large-model'])
    expect(caller.status).toBe(200)
  }
})
