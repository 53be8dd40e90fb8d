import { expect, test } from 'vitest'
import type { StepId, TaskId } from '../../core/ids.js'
import { exampleOpened, exampleOutcome, exampleStep, exampleTool } from '../../testing/example-task.js'
import { type DecodedSpan, takeSpans } from '../../testing/decode-otlp.js'
import { SpanWriter } from '../../wire/span-writer.js'
import { SpanAssembler, type SpanEntry, TASKS_MAX, isSpanEntry } from './span-assembler.js'

const HEADER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** What the assembler makes of entries, in one process. */
class Exported {
  readonly #writer = new SpanWriter(4_096)
  readonly #assembler = new SpanAssembler(this.#writer)

  add(...entries: readonly SpanEntry[]): readonly DecodedSpan[] {
    for (const entry of entries) this.#assembler.add(entry)
    return takeSpans(this.#writer)
  }
}

test('a task becomes one tree: its span comes last, with what its steps used', () => {
  const assembler = new Exported()
  const entries = [exampleOpened(), exampleStep(), exampleTool(), exampleOutcome()]
  const spans = assembler.add(...entries)
  expect(spans.map((span) => span.name)).toEqual([
    'chat gpt-4o-mini',
    'attempt openai/gpt-4o-mini-2024-07-18',
    'attempt openai/gpt-4o-mini-2024-07-18',
    'execute_tool lookup_order',
    'invoke_workflow support_reply',
  ])
  expect(new Set(spans.map((span) => span.traceId)).size).toBe(1)
  expect(new Set(spans.map((span) => span.spanId)).size).toBe(5)
  expect(spans.at(-1)?.attributes).toMatchObject({
    'spillway.budget.model_calls.spent': 1,
    'spillway.budget.input_tokens.spent': 400,
    'spillway.budget.tool_calls.spent': 1,
    'spillway.budget.nano_usd.spent': 1_112_500,
  })
})

test("the whole task joins the first caller's trace", () => {
  const assembler = new Exported()
  const other = HEADER.replace('4bf9', '5bf9')
  const spans = assembler.add(
    exampleOpened(),
    exampleStep({ traceparent: HEADER }),
    exampleStep({ id: 'step_3' as StepId, traceparent: other }),
    exampleOutcome(),
  )
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set(['4bf92f3577b34da6a3ce929d0e0e4736']))
  expect(spans.at(-1)?.parentSpanId).toBe('00f067aa0ba902b7')
})

test('a task opened from a span of the application hangs there, whoever calls within it', () => {
  const assembler = new Exported()
  const other = HEADER.replace('4bf9', '5bf9').replace('00f0', '11f0')
  const [call, , , task] = assembler.add(
    exampleOpened({ traceparent: HEADER }),
    exampleStep({ traceparent: other }),
    exampleOutcome(),
  )
  expect(call?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  expect(call?.links.map(({ traceId }) => traceId)).toEqual(['5bf92f3577b34da6a3ce929d0e0e4736'])
  expect(task?.parentSpanId).toBe('00f067aa0ba902b7')
})

test('a caller who does not sample gets no spans, of the whole task', () => {
  const assembler = new Exported()
  const quiet = exampleStep({ traceparent: HEADER.replace(/01$/, '00') })
  expect(assembler.add(exampleOpened(), quiet, exampleTool(), exampleOutcome())).toEqual([])
})

test('a task is exported once: a later verdict makes no second span', () => {
  const assembler = new Exported()
  assembler.add(exampleOpened())
  expect(assembler.add(exampleOutcome())).toHaveLength(1)
  expect(assembler.add(exampleOutcome({ success: false }))).toEqual([])
})

test('the same entries give the same ids in another process', () => {
  const ids = () => {
    const assembler = new Exported()
    return assembler.add(exampleOpened(), exampleStep()).map((span) => span.spanId)
  }
  expect(ids()).toEqual(ids())
})

test('forgotten tasks cost their own span and nothing else', () => {
  const assembler = new Exported()
  assembler.add(exampleOpened())
  for (let n = 0; n < TASKS_MAX; n += 1) assembler.add(exampleOpened({ id: `task_${n}` as TaskId }))
  expect(assembler.add(exampleStep())).toHaveLength(3)
  expect(assembler.add(exampleOutcome())).toEqual([])
})

test('only what spans are made of is sent to the thread', () => {
  const refused = {
    kind: 'call-refused',
    atMs: 0,
    tenant: null,
    contract: null,
    task: null,
    code: 'x',
  } as const
  expect([exampleOpened(), exampleStep(), exampleOutcome(), refused].map(isSpanEntry)).toEqual([
    true,
    true,
    true,
    false,
  ])
})
