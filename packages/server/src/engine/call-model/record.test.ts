import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, chatStream, openAiError } from '../../testing/provider-answers.js'
import { createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support: { degrade: [], retries: { max_attempts: 2 }, route: { default: small-model } }
  kind: { degrade: [refine], budget: { max_input_tokens: 5 }, route: { default: small-model } }
  short: { degrade: [partial_result], budget: { max_output_tokens: 500 }, cache: { exact: { ttl_seconds: 60 } }, route: { default: small-model } }
  strict: { degrade: [], budget: { max_output_tokens: 500 }, cache: { exact: { ttl_seconds: 60 } }, route: { default: small-model } }
  kept: { degrade: [], record: content, retention_days: 2, route: { default: small-model } }
`

function world(atPort?: (port: string) => void) {
  return createTestEngine({ ...configured(TASKS), ...(atPort === undefined ? {} : { atPort }) })
}

test.each(['support', 'kind'])(
  '%s: when the books cannot be written the caller gets 503 and no answer',
  async (task) => {
    const made = world()
    made.provider('main').next(chatAnswer({ text: 'Paris.' }))
    made.books.fail(new Error('disk full'))
    const caller = await made.call({ task })
    expect(caller.status).toBe(503)
    expect(caller.json).toMatchObject({ error: { code: 'store.unavailable' } })
    expect(caller.headers['retry-after']).toMatch(/^\d+$/)
    expect(caller.text).not.toContain('Paris')
    expect(caller.ends).toBe(1)
    expect(made.ledger.heldTotal().nanoUsd).toBe(0)
    expect(made.engine.tasks.size).toBe(0)
  },
)

test('while the books cannot be written nothing is sent, so nothing is spent', async () => {
  const made = world()
  made.books.fail(new Error('disk full'))
  await made.call({ task: 'support' })
  expect(made.provider('main').requests).toEqual([])
  made.books.fail(null)
  made.provider('main').next(chatAnswer({ text: 'Paris.' }))
  expect((await made.call({ task: 'support' })).status).toBe(200)
})

test('a task that is asked in vain again and again shows its first refusals and counts the rest', async () => {
  const made = createTestEngine(configured('  poor: { degrade: [], budget: { max_model_calls: 1 } }'))
  const task = await made.open('poor', { budget: { modelCalls: 0 } })
  for (let call = 0; call < 30; call++) {
    expect((await made.call({ taskId: task.id })).json).toMatchObject({ error: { code: 'budget.exhausted' } })
  }
  expect(made.entries('step-ended')).toHaveLength(20)
  expect(made.entries('call-refused')).toHaveLength(30)
})

test('a stream whose charge cannot be written ends with an error in band and without its end marker', async () => {
  const made = world()
  made.provider('main').next(chatStream())
  const running = made.start({ task: 'support', body: { stream: true } })
  made.books.fail(new Error('disk full'))
  const caller = await made.finish(running)
  expect(caller.outcome).toBe('error')
  expect(caller.frames.at(-1)).toMatchObject({ error: { code: 'store.unavailable' } })
})

test('an answer ends only when its charge is safe', async () => {
  let release = () => {}
  const safe = new Promise<void>((resolve) => {
    release = resolve
  })
  const made = createTestEngine({
    ...configured(TASKS),
    atPort: (port) => (port === 'books.durable' ? safe : undefined),
  })
  made.provider('main').next(chatStream())
  const running = made.start({ task: 'support', body: { stream: true } })
  await made.system.advance(10_000)
  expect(running.caller.chunks.length).toBeGreaterThan(0)
  expect(running.caller.outcome).toBe('open')
  expect(running.caller.text).not.toContain('[DONE]')
  release()
  expect((await made.finish(running)).outcome).toBe('stream')
})

test('prompts and answers are stored only where the contract says so, by reference', async () => {
  const made = world()
  made.provider('main').otherwise(() => chatAnswer({ text: 'Paris.' }))
  await made.call({ task: 'support' })
  expect(made.lastStep().content).toBeNull()
  expect(JSON.stringify(made.books.entries)).not.toMatch(/Paris|France/)
  await made.call({ task: 'kept' })
  const reference = made.lastStep().content
  const content = await made.books.loadContent(reference ?? '')
  expect(content).toContain('Paris.')
  expect(content).toContain('France')
  expect(JSON.stringify(made.books.entries)).not.toMatch(/Paris|France/)
})

// A fault of ours is told like any other end, and costs no hold.
test.each([
  ['the provider port', null],
  ['the ledger, before the hold', 'ledger.hold'],
  ['the books, before anything is sent', 'books.write:hold-made'],
  ['the books, when the step ends', 'books.write:step-ended'],
  ['the caller, at its head', 'caller.begin'],
])('when %s throws, the caller gets a proper error and nothing stays held', async (_what, broken) => {
  for (const stream of [false, true]) {
    let left = 1
    const made = world((port) => {
      if (port === broken && left-- > 0) throw new Error('broken on purpose')
    })
    made.provider('main').next(broken === null ? [{ kind: 'throw' }] : stream ? chatStream() : chatAnswer())
    const running = made.start({ task: 'support', body: { stream } })
    await expect(made.finish(running)).rejects.toThrow(
      broken === null ? 'the provider port threw' : 'broken on purpose',
    )
    const { caller } = running
    expect(caller.ends).toBe(1)
    const error = caller.outcome === 'whole' ? caller.json : caller.frames.at(-1)
    expect(error).toMatchObject({ error: { code: 'internal.error' } })
    expect(made.ledger.heldTotal().nanoUsd).toBe(0)
    expect(made.engine.tasks.size).toBe(0)
    expect(made.engine.capacity.snapshot().every(({ inFlight }) => inFlight === 0)).toBe(true)
  }
})

test('a write that throws in the middle of a stream is settled at what was generated and said in band', async () => {
  let writes = 0
  const made = world((port) => {
    if (port === 'caller.write' && ++writes === 3) throw new Error('broken on purpose')
  })
  made.provider('main').next(chatStream({ tokens: ['1', '2', '3', '4'] }))
  const running = made.start({ task: 'support', body: { stream: true } })
  await expect(made.finish(running)).rejects.toThrow('broken on purpose')
  expect(running.caller.outcome).toBe('error')
  expect(made.attempts()[0]).toMatchObject({ end: 'fault', tokens: { output: 2 } })
  expect(made.provider('main').requests[0]?.aborted).toBe(true)
})

test('a refusal is recorded with its step and its decisions, which say why', async () => {
  const made = world()
  made.provider('main').otherwise(() => openAiError(500, 'server_error'))
  await made.call({ task: 'support' })
  const step = made.lastStep()
  expect(step.error).toBe('upstream.failed')
  expect(step.decisions.map(({ choice }) => choice)).toEqual(
    expect.arrayContaining(['small-model', 'failed', 'retry', 'stop', 'refuse']),
  )
  expect(made.lastOutcome()).toMatchObject({ success: false, reasons: ['no answer was delivered'] })
})

const ASKED_FOR_MORE = { body: { max_tokens: 2_000 } }

test('an answer that the budget cut short says so where the contract plans for it, and is not remembered', async () => {
  const made = world()
  made.provider('main').next(chatAnswer({ text: 'Half an', finish: 'length' }))
  const caller = await made.call({ task: 'short', ...ASKED_FOR_MORE })
  expect([caller.status, caller.headers['x-spillway-degraded']]).toEqual([200, 'partial_result'])
  expect(made.lastStep()).toMatchObject({
    route: 'degraded',
    degraded: ['partial_result'],
    finishReason: 'length',
  })
  made.provider('main').next(chatAnswer({ text: 'A whole answer.' }))
  const again = await made.call({ task: 'short', ...ASKED_FOR_MORE })
  expect([again.headers['x-spillway-cache'], again.headers['x-spillway-degraded']]).toEqual([
    'miss',
    undefined,
  ])
  expect((await made.call({ task: 'short', ...ASKED_FOR_MORE })).headers['x-spillway-cache']).toBe('exact')
})

test('without such a plan it is an answer like any other, but no other call gets it', async () => {
  const made = world()
  made.provider('main').next(chatAnswer({ finish: 'length' }))
  const caller = await made.call({ task: 'strict', ...ASKED_FOR_MORE })
  expect([caller.status, caller.headers['x-spillway-degraded']]).toEqual([200, undefined])
  made.provider('main').next(chatAnswer())
  expect((await made.call({ task: 'strict', ...ASKED_FOR_MORE })).headers['x-spillway-cache']).toBe('miss')
})

test("an answer that reached the caller's own limit is what was asked for", async () => {
  const made = world()
  made.provider('main').next(chatAnswer({ finish: 'length' }))
  const asked = { task: 'short', body: { max_tokens: 20 } }
  expect((await made.call(asked)).headers['x-spillway-degraded']).toBeUndefined()
  expect((await made.call(asked)).headers['x-spillway-cache']).toBe('exact')
})

test('a stream that the budget cut short is a partial result in the books', async () => {
  const made = world()
  made.provider('main').next(chatStream({ finish: 'length' }))
  const caller = await made.call({ task: 'short', body: { max_tokens: 2_000, stream: true } })
  expect(caller.text).toContain('[DONE]')
  expect(made.lastStep().degraded).toEqual(['partial_result'])
})
