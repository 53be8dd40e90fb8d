import { describe, expect, test } from 'vitest'
import { type DecodedSpan, takeSpans } from '../testing/decode-otlp.js'
import {
  exampleAttempt,
  exampleOpened,
  exampleOutcome,
  exampleStep,
  exampleTool,
} from '../testing/example-task.js'
import type { StepEnded } from '../core/task/records.js'
import { operationOf } from './otel-genai.js'
import { SpanWriter } from './span-writer.js'
import { TaskSpans, type Used } from './task-spans.js'
import { parseTraceparent, taskSpanContext } from './trace-context.js'

const INTERNAL = 1
const CLIENT = 3
const opened = exampleOpened()
const context = taskSpanContext(opened.id, null)
const used: Used = {
  modelCalls: 2,
  inputTokens: 400,
  outputTokens: 100,
  toolCalls: 1,
  toolMs: 400,
  nanoUsd: 1_112_500,
}

function stepSpans(step: StepEnded, task: Parameters<TaskSpans['step']>[1]): readonly DecodedSpan[] {
  const writer = new SpanWriter(1_024)
  new TaskSpans(writer).step(step, task)
  return takeSpans(writer)
}

function taskSpan(task: Parameters<TaskSpans['task']>[0], of = context): DecodedSpan {
  const writer = new SpanWriter(1_024)
  new TaskSpans(writer).task(task, of)
  const [span = noSpan()] = takeSpans(writer)
  return span
}

function spansOf(changes: Partial<StepEnded> = {}): readonly DecodedSpan[] {
  return stepSpans(exampleStep(changes), { context, opened })
}

function stepSpan(changes: Partial<StepEnded> = {}): DecodedSpan {
  const [span = noSpan()] = spansOf(changes)
  return span
}

function hex(words: readonly number[]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

function noSpan(): never {
  throw new Error('expected a span')
}

function told(span: DecodedSpan | undefined): Readonly<Record<string, unknown>> {
  return span?.attributes ?? {}
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
}

test('a task is the workflow of its contract, with outcome, cost and budget', () => {
  const span = taskSpan({ opened, outcome: exampleOutcome(), used })
  expect({ ...span, traceId: '', spanId: '' }).toMatchInlineSnapshot(`
    {
      "attributes": {
        "gen_ai.conversation.id": "conversation-7",
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "support_reply",
        "spillway.budget.input_tokens.limit": 6000,
        "spillway.budget.input_tokens.spent": 400,
        "spillway.budget.latency_ms.limit": 8000,
        "spillway.budget.model_calls.limit": 5,
        "spillway.budget.model_calls.spent": 2,
        "spillway.budget.nano_usd.limit": 50000000,
        "spillway.budget.nano_usd.spent": 1112500,
        "spillway.budget.output_tokens.limit": 700,
        "spillway.budget.output_tokens.spent": 100,
        "spillway.budget.tool_calls.limit": 8,
        "spillway.budget.tool_calls.spent": 1,
        "spillway.budget.tool_ms.spent": 400,
        "spillway.cost.amount_nano_usd": 1112500,
        "spillway.price.amount_nano_usd": 100000000,
        "spillway.release": "rel_0123456789abcdef",
        "spillway.task.id": "task_01example",
        "spillway.task.outcome": "succeeded",
        "spillway.task.outcome.source": "application",
        "spillway.task.slo_met": true,
        "spillway.task.success": true,
        "spillway.tenant": "acme",
      },
      "endNano": 1795498870842000000n,
      "error": "",
      "events": [],
      "flags": 257,
      "kind": 1,
      "links": [],
      "name": "invoke_workflow support_reply",
      "parentSpanId": "",
      "spanId": "",
      "startNano": 1795498869000000000n,
      "status": 0,
      "traceId": "",
    }
  `)
})

test('a model step is a chat span under its task, with tokens, route and cost', () => {
  const span = stepSpan()
  expect(span.parentSpanId).toBe(hex(context.spanId))
  expect(span.traceId).toBe(hex(context.traceId))
  expect({ name: span.name, kind: span.kind, attributes: told(span), error: span.error })
    .toMatchInlineSnapshot(`
    {
      "attributes": {
        "gen_ai.conversation.id": "conversation-7",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": [
          "stop",
        ],
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.input_tokens": 400,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.reasoning.output_tokens": 10,
        "spillway.cache.decision": "miss",
        "spillway.cost.amount_nano_usd": 112500,
        "spillway.cost.basis": "reported",
        "spillway.cost.price_book": "genai-prices-0.1.8",
        "spillway.deployment": "openai/gpt-4o-mini-2024-07-18",
        "spillway.prompt.hash": "ab12",
        "spillway.release": "rel_0123456789abcdef",
        "spillway.route": "default",
        "spillway.step.id": "step_1",
        "spillway.step.kind": "model",
        "spillway.step.number": 1,
        "spillway.task.id": "task_01example",
        "spillway.task.type": "support_reply",
        "spillway.tier": "small",
        "spillway.unknown_rules": 1,
      },
      "error": "",
      "kind": 3,
      "name": "chat gpt-4o-mini",
    }
  `)
})

test('input tokens include cached ones and output tokens include reasoning, as the convention wants', () => {
  expect(told(stepSpan())).toMatchObject({
    'gen_ai.usage.input_tokens': 400,
    'gen_ai.usage.cache_read.input_tokens': 100,
    'gen_ai.usage.output_tokens': 100,
    'gen_ai.usage.reasoning.output_tokens': 10,
  })
})

test('attempts hang under their step, in their own time, and do not repeat its usage', () => {
  const [step, failed, answered] = spansOf()
  expect([failed?.parentSpanId, answered?.parentSpanId]).toEqual([step?.spanId, step?.spanId])
  expect(failed).toMatchObject({
    name: 'attempt openai/gpt-4o-mini-2024-07-18',
    error: 'http_429',
  })
  expect(told(failed)).toMatchObject({
    'error.type': 'http_429',
    'http.response.status_code': 429,
    'spillway.cost.amount_nano_usd': 0,
  })
  expect(answered?.error).toBe('')
  expect((answered?.endNano ?? 0n) - (answered?.startNano ?? 0n)).toBe(840_000_000n)
  const names = [failed, answered].flatMap((span) => Object.keys(told(span)))
  expect(names.filter((name) => name.startsWith('gen_ai.'))).toEqual([])
})

describe('the name and kind of a step', () => {
  test.each<[Partial<StepEnded>, string, number, string | null]>([
    [{}, 'chat gpt-4o-mini', CLIENT, 'chat'],
    [{ name: 'embeddings', model: 'embed-small' }, 'embeddings embed-small', CLIENT, 'embeddings'],
    [{ model: null, deployment: null }, 'chat gpt-4o-mini', CLIENT, 'chat'],
    [{ model: null, deployment: null, attempts: [] }, 'chat', CLIENT, 'chat'],
    [{ step: 'check', name: 'judge' }, 'chat gpt-4o-mini', CLIENT, 'chat'],
    [{ step: 'check', name: 'schema', model: null }, 'check schema', INTERNAL, null],
    [{ step: 'tool', name: 'lookup_order' }, 'execute_tool lookup_order', INTERNAL, 'execute_tool'],
    [{ step: 'retrieval', name: 'handbook' }, 'retrieval handbook', CLIENT, 'retrieval'],
    [{ step: 'review', name: 'second_pair', model: null }, 'review second_pair', INTERNAL, null],
  ])('%j is %s', (changes, name, kind, operation) => {
    expect(stepSpan(changes)).toMatchObject({ name, kind })
    expect(operationOf(exampleStep(changes))).toBe(operation)
  })
})

describe('errors', () => {
  test('of a model step are their code', () => {
    const span = stepSpan({ error: 'upstream.failed' })
    expect(span.error).toBe('upstream.failed')
    expect(told(span)['error.type']).toBe('upstream.failed')
  })

  test("of a reported step are not told: the text is the application's", () => {
    const [span] = stepSpans(exampleTool({ error: 'no order for jane@example.com' }), { context, opened })
    expect(span?.error).toBe('_OTHER')
    expect(json(span)).not.toContain('jane')
  })

  test('of a task are how it ended', () => {
    const errorOf = (changes: object) => taskSpan({ opened, outcome: exampleOutcome(changes), used }).error
    expect(errorOf({})).toBe('')
    expect(errorOf({ success: false, status: 'failed' })).toBe('outcome.failed')
    expect(errorOf({ success: false, harm: true })).toBe('outcome.harm')
  })
})

describe('what must never leave', () => {
  test('what the caller or the application sent is in no span', () => {
    const secret = 'my card number is 4111'
    const step = exampleStep({
      reported: { input: secret, output: secret, error: secret },
      decisions: [{ stage: 'plan', choice: 'gpt-4o-mini', reason: 'no rule applies', inputs: { secret } }],
    })
    const task = exampleOpened({ attributes: { secret }, externalId: secret })
    const outcome = exampleOutcome({ evidence: [secret], reasons: [secret] })
    const spans = [...stepSpans(step, { context, opened: task }), taskSpan({ opened: task, outcome, used })]
    expect(json(spans)).not.toContain(secret)
  })
})

describe("the callers' own traces", () => {
  const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const theirs = taskSpanContext(opened.id, parseTraceparent(header))

  test('the first caller is the parent of the task, and its steps need no link to it', () => {
    const task = taskSpan({ opened, outcome: exampleOutcome(), used }, theirs)
    expect(task).toMatchObject({
      traceId: hex(theirs.traceId),
      parentSpanId: '00f067aa0ba902b7',
      // Sampled, and the parent is known to be remote.
      flags: 0x301,
    })
    const [step] = stepSpans(exampleStep({ traceparent: header }), { context: theirs, opened })
    expect(step).toMatchObject({ traceId: hex(theirs.traceId), parentSpanId: hex(theirs.spanId), links: [] })
  })

  test('another caller of the same task is linked from its step', () => {
    const other = header.replace('00f067aa0ba902b7', '1111111111111111')
    const [step] = stepSpans(exampleStep({ traceparent: other }), { context: theirs, opened })
    expect(step?.links).toEqual([{ traceId: hex(theirs.traceId), spanId: '1111111111111111', flags: 0x301 }])
  })
})

test('a price that is unknown has no amount and the basis says so', () => {
  const attempts = [exampleAttempt({ nanoUsd: null, chargedNanoUsd: 495_000 })]
  const [step, attempt] = spansOf({ attempts })
  expect(told(step)['spillway.cost.basis']).toBe('unknown')
  expect(told(attempt)).not.toHaveProperty('spillway.cost.amount_nano_usd')
  expect(told(attempt)['spillway.cost.charged_nano_usd']).toBe(495_000)
})

test('a step whose task is not known any more still has its place in the trace', () => {
  const [span] = stepSpans(exampleStep(), { context, opened: null })
  expect(span?.parentSpanId).toBe(hex(context.spanId))
  expect(told(span)).not.toHaveProperty('spillway.release')
})

test('what one step is told as does not depend on the steps before it', () => {
  const writer = new SpanWriter(1_024)
  const spans = new TaskSpans(writer)
  const steps = [
    exampleStep(),
    exampleStep({ route: 'other', streamed: true }),
    exampleStep({ decisions: [{ stage: 'plan', choice: 'a', reason: 'b' }] }),
    exampleTool(),
    exampleTool({ name: 'lookup_customer' }),
    exampleStep({ attempts: [exampleAttempt({ end: 'timeout', status: 0, simulated: true })] }),
  ]
  for (const step of [...steps, ...steps]) spans.step(step, { context, opened })
  expect(takeSpans(writer)).toEqual(
    [...steps, ...steps].flatMap((step) => stepSpans(step, { context, opened })),
  )
})
