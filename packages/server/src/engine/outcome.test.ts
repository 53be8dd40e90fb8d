import { expect, test } from 'vitest'
import { configured } from '../testing/example-config.js'
import { chatAnswer, chatStream, failWith } from '../testing/provider-answers.js'
import { LOCAL, type TestEngine, createTestEngine } from '../testing/test-engine.js'
import { closeTask, findTask } from './open-task.js'
import { type Verdict, endTask } from './outcome.js'

const task = (judge: string) => `
  support:
    degrade: []
    ${judge}
    slo: { p95_latency_ms: 2000 }
    budget: { max_latency_ms: 60000 }
    price: { usd_per_success: 0.1 }
    route: { default: small-model, escalate_if: [{ condition: "confidence < 0.5", model: mid-model }] }
`

function world(judge: string) {
  return createTestEngine(configured(task(judge)))
}

const SAID: Verdict = { status: 'succeeded', output: null, evidence: [], score: null, reason: null }

/** As the HTTP floor does it: also for tasks that have ended. */
async function judgeAgain(made: TestEngine, id: string, verdict: Partial<Verdict>) {
  const found = await findTask(made.engine, id, LOCAL)
  if (found.kind === 'refused') throw new Error(found.code)
  const outcome = endTask(made.engine, found.task, {
    source: 'application',
    verdict: { ...SAID, ...verdict },
  })
  if (found.task.running === 0) closeTask(made.engine, found.task)
  return outcome
}

const RULES: readonly (readonly [string, string, Parameters<typeof chatAnswer>[0], boolean, boolean])[] = [
  ['a rule on the text that holds', `success: ["output.text != ''"]`, { text: 'Yes.' }, true, false],
  [
    'a rule on the text that does not hold',
    `success: ["output.text.contains('Paris')"]`,
    { text: 'Lyon.' },
    false,
    false,
  ],
  ['a rule on JSON', 'success: ["output.json.ok == true"]', { text: '{"ok":true}' }, true, false],
  ['a rule on JSON where there is none', 'success: ["output.json.ok == true"]', { text: 'ok' }, false, false],
  ['a check', 'success: ["checks.finished"]', { finish: 'length' }, false, false],
  [
    'a harm that happened',
    'harm: ["checks.leaked_secret"]',
    { text: 'key: sk-proj-abcdefghijklmnopqrstuvwxyz0123456789AB' },
    false,
    true,
  ],
  ['a harm that did not', 'harm: ["checks.leaked_secret"]', { text: 'no key here' }, true, false],
  ['a rule on what it cost', 'success: ["cost_usd < 0.00001"]', {}, false, false],
  ['a rule on a fact that only the application has', 'success: ["evidence.size() > 0"]', {}, false, false],
]
test.each(RULES)('%s judges the task', async (_what, judge, said, success, harm) => {
  const made = world(judge)
  made.provider('main').next(chatAnswer({ probability: 0.9, ...said }))
  await made.call({ task: 'support' })
  expect(made.lastOutcome()).toMatchObject({ success, harm, source: 'contract' })
  expect(made.lastOutcome().priceNanoUsd).toBe(success ? 100_000_000 : 0)
})

test('a streamed answer is judged by what it said', async () => {
  const made = createTestEngine(
    configured(task(`success: ["output.text == 'An answer.'"]`).replace(/, escalate_if.*\]/, '')),
  )
  made.provider('main').next(chatStream())
  await made.call({ task: 'support', body: { stream: true } })
  expect(made.lastOutcome().success).toBe(true)
})

test('an answer that follows its schema is told from one that does not', async () => {
  const schema = { type: 'object', required: ['city'], properties: { city: { type: 'string' } } }
  const body = { response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } }
  for (const [text, success] of [
    ['{"city":"Paris"}', true],
    ['{"town":"Paris"}', false],
  ] as const) {
    const made = world('success: ["checks.schema_valid"]')
    made.provider('main').next(chatAnswer({ text }))
    await made.call({ task: 'support', body })
    expect(made.lastOutcome().success).toBe(success)
  }
})

test('a clean 200 is no success when the rules say otherwise, and a failure never is', async () => {
  const made = world('')
  made.provider('main').otherwise(() => failWith('connection'))
  await made.call({ task: 'support' })
  expect(made.lastOutcome()).toMatchObject({
    success: false,
    status: 'failed',
    reasons: ['no answer was delivered'],
  })
})

test('the target for latency counts from the opening to the last answer, not to the verdict', async () => {
  const made = world('')
  made.provider('main').next(chatAnswer({ delayMs: 1_500 }))
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  await made.system.advance(20_000)
  expect(await judgeAgain(made, opened.id, {})).toMatchObject({
    latencyMs: 1_500,
    sloMet: true,
    success: true,
  })
})

test("the application's word counts, and its output stands for the answer", async () => {
  const made = world(`success: ["output.text.contains('Paris')"]`)
  made.provider('main').next(chatAnswer({ text: 'Lyon.' }))
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  expect(await judgeAgain(made, opened.id, {})).toMatchObject({ success: false })
  expect(await judgeAgain(made, opened.id, { output: { city: 'Paris' } })).toMatchObject({ success: true })
  expect(
    await judgeAgain(made, opened.id, { status: 'failed', output: 'Paris', reason: 'the user complained' }),
  ).toMatchObject({
    success: false,
    status: 'failed',
    reasons: ['the application says failed', 'the user complained'],
  })
})

test('a late verdict on a one-step task is judged with what was known when its answer was there', async () => {
  const made = world(`success: ["output.text != ''", "verdict.status == 'succeeded'"]`)
  made.provider('main').next(chatAnswer())
  await made.call({ task: 'support' })
  expect(made.lastOutcome().success).toBe(false)
  await made.system.advance(3_600_000)
  const late = await judgeAgain(made, made.lastOutcome().task, { score: 0.8, evidence: ['ticket closed'] })
  expect(late).toMatchObject({
    success: true,
    score: 0.8,
    evidence: ['ticket closed'],
    source: 'application',
    nanoUsd: 56_000,
  })
})

test('the last outcome stands, and the history is kept', async () => {
  const made = world('')
  made.provider('main').next(chatAnswer())
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  for (const status of ['succeeded', 'failed', 'succeeded'] as const)
    await judgeAgain(made, opened.id, { status })
  const trace = await made.books.trace(opened.id)
  expect(trace?.outcomes.map(({ success }) => success)).toEqual([true, false, true])
  expect(trace?.summary.outcome?.success).toBe(true)
  expect(trace?.summary.spent.nanoUsd).toBe(56_000)
})

test('a verdict while a call still runs ends the task, and the call is settled all the same', async () => {
  const made = world('')
  made.provider('main').next(chatAnswer({ delayMs: 1_000 }))
  const opened = await made.open('support')
  const running = made.start({ taskId: opened.id })
  await made.system.advance(500)
  await judgeAgain(made, opened.id, { status: 'abandoned' })
  const caller = await made.finish(running)
  expect(caller.status).toBe(200)
  expect(made.attempts()[0]?.chargedNanoUsd).toBe(56_000)
  expect(made.engine.tasks.size).toBe(0)
  expect(made.ledger.read(`task:${opened.id}`)).toBeNull()
})

test('an escalation and the signals that caused it are facts for the judgement', async () => {
  const made = world('success: ["escalated", "confidence < 0.5", "model_calls == 2.0"]')
  made
    .provider('main')
    .otherwise(({ model }) => chatAnswer(model === 'small-upstream' ? { probability: 0.2 } : {}))
  await made.call({ task: 'support' })
  expect(made.lastOutcome()).toMatchObject({ success: true, reasons: [] })
})
