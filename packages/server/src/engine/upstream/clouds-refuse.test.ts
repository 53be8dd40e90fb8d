// Refusals as the clouds say them: each means what it means elsewhere, whatever status and place it comes in.

import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, failWith, reply } from '../../testing/provider-answers.js'
import { createTestEngine } from '../../testing/test-engine.js'

const task = (model: string) => `
  support:
    degrade: []
    route: { default: ${model} }
`

function world(model: string) {
  return createTestEngine(configured(task(model)))
}

const RETRY_INFO = {
  error: {
    code: 429,
    message: 'Resource exhausted.',
    status: 'RESOURCE_EXHAUSTED',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }],
  },
}
const AWS_QUOTA = { 'x-amzn-errortype': 'ServiceQuotaExceededException' }

test.each([
  ['RetryInfo of Google', reply(RETRY_INFO, { status: 429 }), 7_000],
  ['retry-after-ms of Azure', reply('{}', { status: 429, headers: { 'retry-after-ms': '7000' } }), 7_000],
  [
    'retry-after with a throttling exception of AWS',
    reply('{}', { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException', 'retry-after': '7' } }),
    7_000,
  ],
])('%s is waited for before the deployment is asked again', async (_, script, waitMs) => {
  const made = world('small-model')
  made.provider('main').next(script, chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  const [first, second] = made.provider('main').requests
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(waitMs)
})

test('a quota of AWS that comes as 400 makes the deployment rest, and another is asked', async () => {
  const made = world('twin-model')
  made.provider('main').otherwise(() => reply('{}', { status: 400, headers: AWS_QUOTA }))
  made.provider('spare').next(chatAnswer())
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.engine.capacity.snapshot().find(({ id }) => id.startsWith('main/'))?.failures).toEqual({
    throttled: 1,
  })
})

test("a key Google does not know is the deployment's fault: never tried again, another is asked", async () => {
  const body = {
    error: {
      code: 400,
      status: 'INVALID_ARGUMENT',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
    },
  }
  const made = world('twin-model')
  made.provider('main').otherwise(() => reply(body, { status: 400 }))
  made.provider('spare').next(failWith('connection'), chatAnswer())
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect(made.provider('main').requests).toHaveLength(1)
})

test('credentials that cannot be had are not asked for again, cost nothing, and leave their reason', async () => {
  const made = world('small-model')
  made.provider('main').otherwise(() => failWith('credentials'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(502)
  expect(caller.json).toMatchObject({
    error: { code: 'upstream.failed', attempts: [{ end: 'credentials' }] },
  })
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.attempts()[0]).toMatchObject({ end: 'credentials', chargedNanoUsd: 0, basis: 'none' })
  expect(JSON.stringify(made.lastStep().decisions)).toContain('as scripted')
})
