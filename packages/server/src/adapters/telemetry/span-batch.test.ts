import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AttemptId, TaskId } from '../../core/ids.js'
import {
  exampleAttempt,
  exampleOpened,
  exampleOutcome,
  exampleStep,
  exampleTool,
} from '../../testing/example-task.js'
import { SpanAssembler, type SpanEntry } from './span-assembler.js'
import { type FlatValue, readEntries, writeEntry } from './span-batch.js'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

function flatten(entries: readonly SpanEntry[]): FlatValue[] {
  const values: FlatValue[] = []
  for (const entry of entries) writeEntry(values, entry)
  return values
}

function spansOf(entries: readonly SpanEntry[]) {
  const assembler = new SpanAssembler(hash)
  return entries.flatMap((entry) => assembler.add(entry))
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const ms = fc.integer({ min: 0, max: 1e6 })

const attempt = fc
  .record({
    id: fc.string().map((id) => id as AttemptId),
    end: fc.constantFrom('ok', 'http_500', 'timeout'),
    purpose: fc.constantFrom('answer' as const, 'judge' as const, 'hedge' as const),
    firstByteMs: maybe(ms),
    nanoUsd: maybe(ms),
    chargedNanoUsd: ms,
    priceBook: maybe(fc.string()),
    simulated: fc.boolean(),
    tokens: fc.record({
      input: ms,
      cacheRead: ms,
      cacheWrite: ms,
      cacheWrite1h: ms,
      output: ms,
      reasoning: ms,
      audioInput: ms,
      audioOutput: ms,
    }),
  })
  .map(exampleAttempt)

const step = fc
  .record({
    attempts: fc.array(attempt, { maxLength: 4 }),
    decisions: fc.array(
      fc.record({ stage: fc.constant('plan' as const), choice: fc.string(), reason: fc.string() }),
      { maxLength: 3 },
    ),
    degraded: fc.array(fc.constantFrom('shorter_context', 'refine'), { maxLength: 3 }),
    unknownRules: fc.array(fc.string(), { maxLength: 3 }),
    model: maybe(fc.string()),
    error: maybe(fc.constantFrom('upstream.failed', 'budget.exhausted')),
    streamed: fc.boolean(),
    escalated: fc.boolean(),
    cache: fc.constantFrom('exact' as const, 'miss' as const, 'off' as const),
    traceparent: maybe(fc.constant('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')),
  })
  .map(exampleStep)

const entry: fc.Arbitrary<SpanEntry> = fc.oneof(
  step,
  fc
    .record({ parent: maybe(fc.constant('task_p' as TaskId)), session: maybe(fc.string()) })
    .map(exampleOpened),
  fc.constant(exampleOpened({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })),
  fc
    .record({ success: fc.boolean(), sloMet: maybe(fc.boolean()), priceNanoUsd: maybe(ms) })
    .map(exampleOutcome),
  fc.constant(exampleTool({ error: 'reported' })),
)

test('the spans made of what arrives are those of what was sent', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      expect(spansOf(readEntries(flatten(entries)))).toEqual(spansOf(entries))
    }),
  )
})

test('only plain values travel, and nothing that a caller or an application wrote as content', () => {
  const secret = 'my card number is 4111'
  const values = flatten([
    exampleOpened({ attributes: { secret }, externalId: secret }),
    exampleStep({
      reported: { input: secret },
      unknownRules: [secret],
      decisions: [{ stage: 'plan', choice: 'a', reason: 'b', inputs: { secret } }],
    }),
    exampleOutcome({ evidence: [secret], reasons: [secret] }),
  ])
  expect(values.filter((value) => typeof value === 'object' && value !== null)).toEqual([])
  expect(JSON.stringify(values)).not.toContain(secret)
})
