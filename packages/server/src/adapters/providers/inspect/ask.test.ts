import { expect, test } from 'vitest'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { fixedHeaders } from '../auth/authorizer.js'
import { CredentialError } from '../auth/credential-error.js'
import type { PooledCall } from '../http1/connection-pool.js'
import { headWriter } from '../request-head.js'
import { type Line, type Told, askOver } from './ask.js'

function world(more: Partial<Line> = {}) {
  const system = createFakeSystem()
  const sent: PooledCall[] = []
  const withdrawn: PooledCall[] = []
  const ask = askOver({
    system,
    pool: { send: (call) => void sent.push(call) },
    authorizer: fixedHeaders({}),
    host: 'h',
    withdraw: (call) => void withdrawn.push(call),
    onHead: () => false,
    writeHead: headWriter({ method: 'GET', name: 'p', host: 'h', fixed: {}, configured: {}, defaults: {} }),
    ...more,
  })
  const told: Told[] = []
  const asking = ask('/x', system.nowMs() + 1_000).then((answer) => told.push(answer))
  return { system, sent, withdrawn, told, asking }
}

test('a body that drips is given up when the time for all of it is over', async () => {
  const { system, sent, withdrawn, told, asking } = world()
  sent[0]?.onHead(200, {})
  for (let step = 0; step < 9; step++) {
    await system.advance(100)
    sent[0]?.onBody(Buffer.from(' '))
  }
  expect(told).toEqual([])
  await system.advance(100)
  await asking
  expect(told).toEqual([{ kind: 'failed', reason: 'it takes too long' }])
  expect(withdrawn).toEqual(sent)
  expect(system.pendingTimers()).toBe(0)
})

test('an answer leaves no timer behind, and is whole', async () => {
  const { system, sent, told, asking } = world()
  expect(sent[0]?.head).toMatch(/^GET \/x HTTP\/1\.1\r\nhost: h\r\n/)
  sent[0]?.onHead(200, { 'content-type': 'text/plain' })
  const buffer = Buffer.from('ab')
  sent[0]?.onBody(buffer)
  buffer.fill('x')
  sent[0]?.onBody(Buffer.from('c'))
  sent[0]?.onEnd()
  await asking
  expect(told).toEqual([{ kind: 'answered', status: 200, isHtml: false, body: 'abc' }])
  expect(system.pendingTimers()).toBe(0)
})

test('without credentials nothing is sent, and why is told', async () => {
  const error = new CredentialError('nobody is logged in', { isFinal: true })
  const { sent, told, asking } = world({ authorizer: { headersFor: () => Promise.reject(error) } })
  await asking
  expect(told).toEqual([{ kind: 'failed', reason: 'credentials: nobody is logged in (h)' }])
  expect(sent).toEqual([])
})
