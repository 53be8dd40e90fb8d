// R4: whatever a vendor refuses, the caller is told in its own format, in the vendor's own words and without
// a secret; it is tried again exactly where that can help; nothing is charged, and nothing stays held.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Told, type Way, askOnce } from './support/caller-formats.js'
import { errorOf } from './support/http.js'
import { type Fault, SECRETS } from './support/vendors/fault.js'
import { FAULTS } from './support/vendors/faults.js'
import { type Scripted, startScripted } from './support/vendors/scripted.js'

// A script for each way: a deployment that rests after a refusal would keep the others waiting.
const CASES = FAULTS.flatMap((fault) => [...EVERY_WAY, null].map((way) => ({ fault, way })))

let vendors: Scripted
beforeAll(async () => {
  const scripts = CASES.map(({ fault: { vendor, answer } }) => ({ vendor, answer: () => answer }))
  vendors = await startScripted(scripts)
})
afterAll(() => vendors[Symbol.asyncDispose]())

const indexOf = (fault: Fault, way: Way | null) =>
  CASES.findIndex((one) => one.fault === fault && one.way === way)

describe.each(FAULTS)('$vendor: $name, $says', (fault) => {
  test.concurrent.each(EVERY_WAY)('asked in $name', async (way) => {
    const index = indexOf(fault, way)
    const told = await askOnce(vendors, way, { contract: `alone${index}` })
    expectTold(told, fault, way)
    expectShape(told, way)
    const attempts = told.trace.steps.flatMap((step) => step.attempts)
    const times = fault.next === 'again' ? 2 : 1
    expect(attempts.map(({ end }) => end)).toEqual(Array.from({ length: times }, () => fault.end))
    expect(vendors.calls(index)).toHaveLength(times)
    const [first, second] = attempts.map(({ started_ms }) => started_ms)
    const waitedMs = times === 2 ? Number(second) - Number(first) : Infinity
    expect(waitedMs).toBeGreaterThanOrEqual(fault.waitMs ?? 0)
    expect(attempts.map(({ charged_usd, basis }) => [charged_usd, basis])).toEqual(
      attempts.map(() => [0, 'none']),
    )
    expect([told.spentUsd, told.heldUsd]).toEqual([0, 0])
  })

  test.concurrent('another model stands in, unless the request itself was refused', async () => {
    const index = indexOf(fault, null)
    const [chat] = EVERY_WAY as [Way]
    const { answer } = await askOnce(vendors, chat, { contract: `spared${index}` })
    const isSpared = fault.next !== 'rejected'
    expect(answer.status === 200).toBe(isSpared)
    expect(answer.headers.get('x-spillway-route')).toBe(isSpared ? 'fallback' : 'default')
    // A second time only where waiting is shorter than going elsewhere.
    expect(vendors.calls(index).length).toBeLessThanOrEqual(fault.next === 'again' ? 2 : 1)
  })
})

test('no secret is in the log either', () => {
  const output = vendors.server.output()
  expect(output).toMatch(/http_401|credentials/)
  for (const secret of Object.values(SECRETS)) expect(output).not.toContain(secret)
})

function expectTold({ answer, text }: Told, fault: Fault, { format }: Way): void {
  const isHandedOn = fault.next === 'rejected' && format.same.includes(fault.vendor)
  const status = isHandedOn ? fault.answer.status : fault.next === 'rejected' ? 400 : 502
  expect(answer.status).toBe(status)
  expect(text).toContain(JSON.stringify(fault.says).slice(1, -1))
  for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret)
  expect(answer.headers.get('x-should-retry')).toBe('false')
  if (isHandedOn) return
  expect(errorOf(answer)['code']).toBe(fault.next === 'rejected' ? 'upstream.rejected' : 'upstream.failed')
}

/** As the caller's own client takes it for an error. */
function expectShape({ answer }: Told, { format }: Way): void {
  const body = answer.body as Readonly<Record<string, unknown>>
  // vLLM puts the members of the error beside each other, and clients of it read it so.
  const error = (body['error'] ?? body) as Readonly<Record<string, unknown>>
  const isAnthropic = format.name === 'messages'
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(body['type']).toBe(isAnthropic ? 'error' : error === body ? body['type'] : undefined)
  expect(typeof (error['message'] ?? error['detail'])).toBe('string')
}
