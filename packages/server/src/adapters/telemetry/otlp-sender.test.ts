import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DecodedRequest, decodeOtlp } from '../../testing/decode-otlp.js'
import { EXAMPLE_START_MS, exampleOpened, exampleOutcome, exampleStep } from '../../testing/example-task.js'
import { type FakeSystem, createFakeSystem } from '../../testing/fake-system.js'
import type { SpanData } from '../../wire/span-data.js'
import { BATCH_SPANS_MAX, OtlpSender, QUEUE_SPANS_MAX } from './otlp-sender.js'
import { SpanAssembler } from './span-assembler.js'

// A collector that answers what each test says, and remembers what it was sent.

type Respond = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let system: FakeSystem
let received: { headers: IncomingMessage['headers']; request: DecodedRequest }[]
let respond: Respond
let health: (string | null)[]

beforeEach(async () => {
  received = []
  health = []
  system = createFakeSystem()
  respond = (_request, response) => response.end()
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, request: decodeOtlp(Buffer.concat(chunks)) })
      respond(request, response)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function sender(): OtlpSender {
  const { port } = server.address() as AddressInfo
  const options = {
    url: `http://127.0.0.1:${port}/v1/traces`,
    headers: { 'x-team': 'core' },
    timeoutMs: 1_000,
    resource: { 'service.name': 'spillway' },
  }
  // A sender of an earlier test may still be trying: it must not tell its troubles to this one.
  const told = health
  return new OtlpSender(options, system, { onHealth: (problem) => told.push(problem) })
}

function spans(): SpanData[] {
  const assembler = new SpanAssembler((text) => createHash('sha256').update(text).digest('hex'))
  return [exampleOpened(), exampleStep({ error: 'upstream.failed' }), exampleOutcome()].flatMap((entry) =>
    assembler.add(entry),
  )
}

/** Lets real sockets and the fake clock go on until it is so. */
async function until(isSo: () => boolean, stepMs = 0): Promise<void> {
  while (!isSo()) await system.advance(stepMs)
}

describe('a collector receives', () => {
  test('every span with ids, times, attributes, events and status, as bytes of the protocol', async () => {
    const exporter = sender()
    exporter.offer(spans())
    await exporter.close()
    expect(received).toHaveLength(1)
    const [{ headers, request } = fail()] = received
    expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-team': 'core' })
    expect(request).toMatchObject({
      resource: { 'service.name': 'spillway' },
      scope: 'spillway',
      schemaUrl: 'https://opentelemetry.io/schemas/1.41.0',
    })
    const [step, failed, answered, task] = request.spans
    expect(task).toMatchObject({
      name: 'invoke_workflow support_reply',
      kind: 1,
      parentSpanId: '',
      status: 0,
    })
    expect(step).toMatchObject({ name: 'chat gpt-4o-mini', kind: 3, parentSpanId: task?.spanId, status: 2 })
    expect([failed, answered].map((attempt) => attempt?.parentSpanId)).toEqual([step?.spanId, step?.spanId])
    expect(task?.startNano).toBe(BigInt(EXAMPLE_START_MS) * 1_000_000n)
    expect((task?.endNano ?? 0n) - (task?.startNano ?? 0n)).toBe(1_842_000_000n)
    expect(step?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 400,
      'gen_ai.response.finish_reasons': ['stop'],
      'error.type': 'upstream.failed',
    })
    expect(step?.events[0]).toEqual({
      name: 'spillway.decision',
      attributes: {
        'spillway.stage': 'plan',
        'spillway.choice': 'gpt-4o-mini',
        'spillway.reason': 'no rule applies',
      },
    })
  })

  test('many spans in batches of bounded size, none twice', async () => {
    const [span = fail()] = spans()
    const exporter = sender()
    exporter.offer(
      Array.from({ length: BATCH_SPANS_MAX * 2 + 1 }, (_, n) => ({ ...span, name: `span ${n}` })),
    )
    await exporter.close()
    expect(received.map(({ request }) => request.spans.length)).toEqual([BATCH_SPANS_MAX, BATCH_SPANS_MAX, 1])
    expect(new Set(received.flatMap(({ request }) => request.spans.map((one) => one.name))).size).toBe(1_025)
    expect(exporter.dropped).toBe(0)
  })
})

describe('a collector that', () => {
  test('is busy is asked again after the time it names, and the failure is told once', async () => {
    let asked = 0
    respond = (_request, response) => {
      asked += 1
      if (asked < 3) response.writeHead(503, { 'retry-after': '7' })
      response.end()
    }
    const exporter = sender()
    exporter.offer(spans())
    await until(() => system.pendingTimers() === 1 && received.length === 1 && health.length === 1)
    await system.advance(6_999)
    expect(received).toHaveLength(1)
    await until(() => received.length === 3, 7_000)
    await exporter.close()
    expect(exporter.dropped).toBe(0)
    expect(health).toEqual(['the collector answered 503', null])
  })

  test('refuses loses the batch, counted, without a second try', async () => {
    respond = (_request, response) => response.writeHead(401).end()
    const exporter = sender()
    exporter.offer(spans())
    await exporter.close()
    expect(received).toHaveLength(1)
    expect(exporter.dropped).toBe(4)
    expect(health).toEqual(['the collector answered 401'])
  })

  test('takes only some says how many it did not', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3 } }
    respond = (_request, response) => response.end(Buffer.from([0x0a, 0x02, 0x08, 0x03]))
    const exporter = sender()
    exporter.offer(spans())
    await exporter.close()
    expect(exporter.dropped).toBe(3)
  })

  test('never answers is given up after the timeout, tried again, and then its spans are counted as lost', async () => {
    respond = () => undefined
    const exporter = sender()
    exporter.offer(spans())
    await until(() => exporter.dropped > 0, 500)
    expect(received).toHaveLength(5)
    expect(exporter.dropped).toBe(4)
    expect(health).toEqual(['no answer within 1000 ms'])
  })

  test('hangs while more arrives costs what does not fit the queue, and no memory beyond it', async () => {
    respond = () => undefined
    const [span = fail()] = spans()
    const exporter = sender()
    exporter.offer(Array.from({ length: QUEUE_SPANS_MAX }, () => span))
    await until(() => received.length === 1)
    // One batch is on its way, so that many fit again.
    exporter.offer(Array.from({ length: BATCH_SPANS_MAX + 100 }, () => span))
    expect(exporter.dropped).toBe(100)
  })

  test('is not there at all is no error of ours', async () => {
    const exporter = sender()
    server.close()
    await once(server, 'close')
    exporter.offer(spans())
    await exporter.close()
    expect(exporter.dropped).toBe(4)
    expect(health[0]).toContain('ECONNREFUSED')
  })
})

function fail(): never {
  throw new Error('expected one')
}
