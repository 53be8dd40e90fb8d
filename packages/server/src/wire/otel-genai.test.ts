import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  exampleAttempt,
  exampleOpened,
  exampleOutcome,
  exampleStep,
  exampleTool,
} from '../testing/example-task.js'
import type { StepEnded } from '../core/task/records.js'
import { operationOf, stepSpans, taskSpan } from './otel-genai.js'
import type { SpanData } from './span-data.js'
import { parseTraceparent, taskSpanContext } from './trace-context.js'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const opened = exampleOpened()
const context = taskSpanContext(opened.id, null, hash)
const used = {
  modelCalls: 2,
  inputTokens: 400,
  outputTokens: 100,
  toolCalls: 1,
  toolMs: 400,
  nanoUsd: 1_112_500,
}

function spansOf(changes: Partial<StepEnded> = {}): SpanData[] {
  return stepSpans(exampleStep(changes), { context, opened }, hash)
}

function stepSpan(changes: Partial<StepEnded> = {}): SpanData {
  const [span] = spansOf(changes)
  if (span === undefined) throw new Error('a step has a span')
  return span
}

/** What a back-end sees of a span's attributes. */
function told(span: SpanData | undefined): Record<string, unknown> {
  const pairs = (span?.attributes ?? [])
    .flatMap((set) => Object.entries(set))
    .filter(([, value]) => value !== null)
  return Object.fromEntries(pairs)
}

test('a task is the workflow of its contract, with outcome, cost and budget', () => {
  const span = taskSpan({ opened, outcome: exampleOutcome(), used }, context)
  expect({ ...span, attributes: told(span), traceId: '', spanId: '' }).toMatchInlineSnapshot(`
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
      "endMs": 1795498870842,
      "error": null,
      "events": [],
      "kind": "internal",
      "links": [],
      "name": "invoke_workflow support_reply",
      "parentIsRemote": false,
      "parentSpanId": null,
      "spanId": "",
      "startMs": 1795498869000,
      "traceId": "",
    }
  `)
})

test('a model step is a chat span under its task, with tokens, route and cost', () => {
  const span = stepSpan()
  expect(span.parentSpanId).toBe(context.spanId)
  expect(span.traceId).toBe(context.traceId)
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
      "error": null,
      "kind": "client",
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
  expect(answered?.error).toBeNull()
  expect((answered?.endMs ?? 0) - (answered?.startMs ?? 0)).toBe(840)
  const names = [failed, answered].flatMap((span) => Object.keys(told(span)))
  expect(names.filter((name) => name.startsWith('gen_ai.'))).toEqual([])
})

describe('the name and kind of a step', () => {
  test.each<[Partial<StepEnded>, string, string, string | null]>([
    [{}, 'chat gpt-4o-mini', 'client', 'chat'],
    [{ name: 'embeddings', model: 'embed-small' }, 'embeddings embed-small', 'client', 'embeddings'],
    [{ model: null, deployment: null }, 'chat gpt-4o-mini', 'client', 'chat'],
    [{ model: null, deployment: null, attempts: [] }, 'chat', 'client', 'chat'],
    [{ step: 'check', name: 'judge' }, 'chat gpt-4o-mini', 'client', 'chat'],
    [{ step: 'check', name: 'schema', model: null }, 'check schema', 'internal', null],
    [{ step: 'tool', name: 'lookup_order' }, 'execute_tool lookup_order', 'internal', 'execute_tool'],
    [{ step: 'retrieval', name: 'handbook' }, 'retrieval handbook', 'client', 'retrieval'],
    [{ step: 'review', name: 'second_pair', model: null }, 'review second_pair', 'internal', null],
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
    const [span] = stepSpans(
      exampleTool({ error: 'no order for jane@example.com' }),
      { context, opened },
      hash,
    )
    expect(span?.error).toBe('_OTHER')
    expect(JSON.stringify(span)).not.toContain('jane')
  })

  test('of a task are how it ended', () => {
    const errorOf = (changes: object) =>
      taskSpan({ opened, outcome: exampleOutcome(changes), used }, context).error
    expect(errorOf({})).toBeNull()
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
    const spans = [
      ...stepSpans(step, { context, opened: task }, hash),
      taskSpan({ opened: task, outcome, used }, context),
    ]
    expect(JSON.stringify(spans)).not.toContain(secret)
  })
})

describe("the callers' own traces", () => {
  const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const theirs = taskSpanContext(opened.id, parseTraceparent(header), hash)

  test('the first caller is the parent of the task, and its steps need no link to it', () => {
    const task = taskSpan({ opened, outcome: exampleOutcome(), used }, theirs)
    expect(task).toMatchObject({
      traceId: theirs.traceId,
      parentSpanId: '00f067aa0ba902b7',
      parentIsRemote: true,
    })
    const [step] = stepSpans(exampleStep({ traceparent: header }), { context: theirs, opened }, hash)
    expect(step).toMatchObject({ traceId: theirs.traceId, parentSpanId: theirs.spanId, links: [] })
  })

  test('another caller of the same task is linked from its step', () => {
    const other = header.replace('00f067aa0ba902b7', '1111111111111111')
    const [step] = stepSpans(exampleStep({ traceparent: other }), { context: theirs, opened }, hash)
    expect(step?.links).toEqual([{ traceId: theirs.traceId, spanId: '1111111111111111', sampled: true }])
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
  const [span] = stepSpans(exampleStep(), { context, opened: null }, hash)
  expect(span?.parentSpanId).toBe(context.spanId)
  expect(told(span)).not.toHaveProperty('spillway.release')
})
