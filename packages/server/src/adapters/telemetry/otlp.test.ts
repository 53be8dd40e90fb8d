import { once } from 'node:events'
import { type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DecodedSpan, decodeOtlp } from '../../testing/decode-otlp.js'
import {
  exampleOpened,
  exampleOutcome,
  exampleSettled,
  exampleStep,
  exampleTool,
} from '../../testing/example-task.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { SPANS_MAX, startSpanExporter } from './otlp.js'

// The exporter with its real thread (the built file) against a local collector.

let server: Server
let received: DecodedSpan[]
let respond: (response: ServerResponse) => void
let env: Record<string, string>
let warnings: string[]
const logger = {
  warn: (event: string) => void warnings.push(event),
  info: () => undefined,
}

beforeEach(async () => {
  received = []
  warnings = []
  respond = (response) => response.end()
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push(...decodeOtlp(Buffer.concat(chunks)).spans)
      respond(response)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function start() {
  const exporter = startSpanExporter(env, logger)
  if (exporter === null) throw new Error('an endpoint is set')
  return exporter
}

test('what the books are told arrives at the collector as one trace', async () => {
  const exporter = start()
  const step = exampleStep()
  const settled = step.attempts.map((attempt) => exampleSettled(attempt))
  for (const entry of [exampleOpened(), ...settled, step, exampleOutcome()]) exporter.observe(entry)
  await exporter.close(30_000)
  expect(received.map((span) => span.name).sort()).toEqual([
    'attempt openai/gpt-4o-mini-2024-07-18',
    'attempt openai/gpt-4o-mini-2024-07-18',
    'chat gpt-4o-mini',
    'invoke_workflow support_reply',
  ])
  expect(exporter.dropped()).toBe(0)
})

test('a collector that hangs never holds up the caller: what does not fit is counted, closing ends in time', async () => {
  respond = () => undefined
  const system = createFakeSystem()
  const exporter = startSpanExporter(env, logger, system)
  // All in one turn of the event loop: the thread takes nothing over in between.
  const step = exampleTool()
  for (let n = 0; n < SPANS_MAX + 500; n += 1) exporter?.observe(step)
  expect(exporter?.dropped()).toBe(500)
  const closed = exporter?.close(1_000)
  await system.advance(1_000)
  await closed
  exporter?.observe(exampleStep())
  expect(exporter?.dropped()).toBeGreaterThan(500)
})

test('without an endpoint there is no exporter, and a wrong one is said', () => {
  expect(startSpanExporter({}, logger)).toBeNull()
  expect(startSpanExporter({ OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' }, logger)).toBeNull()
  expect(warnings).toEqual(['otlp.not_exporting'])
})
