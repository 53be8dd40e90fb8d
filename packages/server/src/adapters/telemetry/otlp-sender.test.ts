import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DecodedRequest, decodeOtlp } from '../../testing/decode-otlp.js'
import { EXAMPLE_START_MS, exampleOpened, exampleOutcome, exampleStep } from '../../testing/example-task.js'
import { type FakeSystem, createFakeSystem } from '../../testing/fake-system.js'
import { SpanWriter, spanTemplate } from '../../wire/span-writer.js'
import { OtlpSender, QUEUE_SPANS_MAX, type SpanBatch } from './otlp-sender.js'
import { SpanAssembler } from './span-assembler.js'

// A collector that answers what each test says, and remembers what it was sent.

type Respond = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let system: FakeSystem
let received: { headers: IncomingMessage['headers']; request: DecodedRequest }[]
let respond: Respond
let health: (string | null)[]
let done: SpanBatch[]

beforeEach(async () => {
  received = []
  health = []
  done = []
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
  const [told, finished] = [health, done]
  return new OtlpSender(options, system, {
    onDone: (batch) => finished.push(batch),
    onHealth: (problem) => told.push(problem),
  })
}

function taskSpans(): SpanBatch {
  const writer = new SpanWriter(4_096)
  const assembler = new SpanAssembler(writer)
  for (const entry of [exampleOpened(), exampleStep({ error: 'upstream.failed' }), exampleOutcome()])
    assembler.add(entry)
  return { spans: writer.spans, bytes: writer.take() }
}

/** Spans of 1 KB. */
function batchOf(spans: number, from = 0): SpanBatch {
  const writer = new SpanWriter(4_096)
  for (let n = from; n < from + spans; n += 1) {
    const place = { traceId: [1, 2, 3, 4], spanId: [5, n], parentSpanId: null } as const
    writer.begin({ ...place, parentIsRemote: false, startMs: 1, endMs: 2 })
    writer.template(
      spanTemplate({ name: `span ${n}`, kind: 'client', attributes: { text: 'x'.repeat(900) }, error: null }),
    )
    writer.end()
  }
  return { spans, bytes: writer.take() }
}

/** Lets real sockets and the fake clock go on until it is so. */
async function until(isSo: () => boolean, stepMs = 0): Promise<void> {
  while (!isSo()) await system.advance(stepMs)
}

describe('a collector receives', () => {
  test('every span with ids, times, attributes, events and status, as bytes of the protocol', async () => {
    const exporter = sender()
    exporter.offer(taskSpans())
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
      atNano: BigInt(EXAMPLE_START_MS + 2) * 1_000_000n,
      attributes: {
        'spillway.stage': 'plan',
        'spillway.choice': 'gpt-4o-mini',
        'spillway.reason': 'no rule applies',
      },
    })
  })

  test('batches that wait together in posts of bounded size, none twice', async () => {
    const exporter = sender()
    for (const from of [0, 400, 800, 1_200, 1_600]) exporter.offer(batchOf(400, from))
    exporter.offer(batchOf(1_000, 2_000))
    await exporter.close()
    expect(received.map(({ request }) => request.spans.length)).toEqual([800, 800, 400, 1_000])
    const names = received.flatMap(({ request }) => request.spans.map((one) => one.name))
    expect(new Set(names).size).toBe(3_000)
    expect(exporter.dropped).toBe(0)
    expect(done.map((batch) => batch.spans)).toEqual([400, 400, 400, 400, 400, 1_000])
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
    exporter.offer(taskSpans())
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
    exporter.offer(taskSpans())
    await exporter.close()
    expect(received).toHaveLength(1)
    expect(exporter.dropped).toBe(4)
    expect(health).toEqual(['the collector answered 401'])
  })

  test('takes only some says how many it did not', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3 } }
    respond = (_request, response) => response.end(Buffer.from([0x0a, 0x02, 0x08, 0x03]))
    const exporter = sender()
    exporter.offer(taskSpans())
    await exporter.close()
    expect(exporter.dropped).toBe(3)
  })

  test('never answers is given up after the timeout, tried again, and then its spans are counted as lost', async () => {
    respond = () => undefined
    const exporter = sender()
    exporter.offer(taskSpans())
    await until(() => exporter.dropped > 0, 500)
    expect(received).toHaveLength(5)
    expect(exporter.dropped).toBe(4)
    expect(health).toEqual(['no answer within 1000 ms'])
  })

  test('answers before it has read everything gets the rest all the same', async () => {
    server.removeAllListeners('request')
    server.on('request', (request, response) => {
      // Answered at the first byte of 16 MB; read a little later.
      response.end()
      setImmediate(() => request.resume())
    })
    const big = { spans: 1, bytes: new Uint8Array(16_000_000) }
    const exporter = sender()
    exporter.offer(big)
    await exporter.close()
    expect(exporter.dropped).toBe(0)
    expect(done).toEqual([big])
  })

  test('hangs while more arrives costs what does not fit the queue, and no memory beyond it', async () => {
    respond = () => undefined
    const size = 512
    const exporter = sender()
    for (let n = 0; n < QUEUE_SPANS_MAX / size; n += 1) exporter.offer(batchOf(size))
    await until(() => received.length === 1)
    // One batch is on its way, so another fits.
    exporter.offer(batchOf(size))
    expect(exporter.dropped).toBe(0)
    exporter.offer(batchOf(100))
    expect(exporter.dropped).toBe(100)
    expect(done.map((batch) => batch.spans)).toEqual([100])
  })

  test('is not there at all is no error of ours', async () => {
    const exporter = sender()
    server.close()
    await once(server, 'close')
    exporter.offer(taskSpans())
    await exporter.close()
    expect(exporter.dropped).toBe(4)
    expect(health[0]).toContain('ECONNREFUSED')
  })
})

function fail(): never {
  throw new Error('expected one')
}
