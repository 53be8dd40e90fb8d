import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { NOTHING } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type { Entry, HoldMade, HoldSettled, StepEnded } from '../../core/task/records.js'
import type { TaskTrace } from '../../core/task/views.js'
import {
  START_MS,
  holdMade,
  holdSettled,
  outcomeJudged,
  stepEnded,
  taskOpened,
} from '../../testing/entries.js'
import { segmentPath } from './segments.js'
import { SqliteDatabase } from './sqlite-database.js'
import { EACH_ALONE, journalText, plainCall } from './written-story.test.child.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-call-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Tags of the lines, without those of definitions. */
function tagsOf(entries: readonly Entry[], isTurnOver?: (i: number) => boolean): string {
  const lines = journalText(entries, isTurnOver).split('\n')
  return lines
    .map((line) => line.charAt(0))
    .filter((tag) => !'VKT'.includes(tag))
    .join('')
}

function traceOf(entries: readonly Entry[], isTurnOver?: (i: number) => boolean): TaskTrace | null {
  const dir = mkdtempSync(join(root, 'data-'))
  appendFileSync(segmentPath(dir, 1), journalText(entries, isTurnOver))
  const database = new SqliteDatabase({ dir })
  expect(database.ingest({ segment: Infinity, offset: Infinity })).toEqual([])
  const trace = database.read((reader) => reader.trace('task_1' as TaskId))
  database.close(null)
  return trace
}

const atAnswer = (i: number): boolean => i === 2

describe('the lines of a call', () => {
  test.each([
    ['all in one turn: only what it is when it is done', undefined, 'D'],
    ['its answer in a later turn: begun, then done', atAnswer, 'BD'],
    ['every entry in a turn of its own: one line each', EACH_ALONE, 'OHSEJ'],
    ['held in a turn of its own', (i: number) => i === 1 || i === 2, 'OHD'],
    ['settled in a turn of its own', (i: number) => i === 2 || i === 3, 'BSEJ'],
    ['judged in a turn of its own', (i: number) => i === 2 || i === 4, 'BSEJ'],
  ])('%s', (_, isTurnOver, tags) => {
    expect(tagsOf(plainCall('task_1'), isTurnOver)).toBe(tags)
  })

  test('an answer that needed no attempt is one line', () => {
    const step = stepEnded('task_1', [], { model: null, deployment: null, tier: null, cache: 'exact' })
    const entries = [taskOpened('task_1'), step, outcomeJudged('task_1')]
    expect(tagsOf(entries)).toBe('D')
    expect(traceOf(entries)).toMatchObject({ steps: [step], charges: [], summary: { attempts: 0 } })
  })

  const [opened, hold, settled, step, outcome] = plainCall('task_1') as [
    Entry,
    HoldMade,
    HoldSettled,
    StepEnded,
    Entry,
  ]
  const second = holdMade('task_1', 'hold_2')
  const other = { ...settled, attempt: { ...settled.attempt, deployment: 'elsewhere' } }
  test.each<[string, string, readonly Entry[]]>([
    ['a sub-task', 'OHSEJ', [{ ...opened, parent: 'task_0' } as Entry, hold, settled, step, outcome]],
    [
      'a task of more than a call',
      'OHSEJ',
      [{ ...opened, oneStep: false } as Entry, hold, settled, step, outcome],
    ],
    ['a second hold', 'BHSEJ', [opened, hold, second, settled, step, outcome]],
    ['a second attempt', 'BHSSEJ', [opened, hold, second, settled, holdSettled(second), step, outcome]],
    ['a judge', 'OHJ', [opened, { ...hold, attempt: { ...hold.attempt, purpose: 'judge' } }, outcome]],
    ['another account of its own', 'OHJ', [opened, { ...hold, accounts: ['task:task_0'] }, outcome]],
    ['tools', 'OHJ', [opened, { ...hold, amounts: { ...NOTHING, toolCalls: 1 } }, outcome]],
    ['another deployment than was held for', 'BSEJ', [opened, hold, other, step, outcome]],
    ['an answer by another model', 'OHSEJ', [opened, hold, settled, { ...step, model: 'other' }, outcome]],
    ['a step that costs by itself', 'OHSEJ', [opened, hold, settled, { ...step, otherNanoUsd: 1 }, outcome]],
    ['a step that is not the first', 'OHSEJ', [opened, hold, settled, { ...step, number: 2 }, outcome]],
    ['an outcome without a step', 'OHSJ', [opened, hold, settled, outcome]],
    [
      'a second settlement of another hold',
      'BSEJ',
      [opened, hold, { ...settled, id: second.id }, step, outcome],
    ],
    [
      'a charge that differs from its attempt',
      'BSEJ',
      [opened, hold, { ...settled, actual: NOTHING }, step, outcome],
    ],
  ])('%s: what has been gathered, and then entry by entry', (_, tags, entries) => {
    expect(tagsOf(entries)).toBe(tags)
  })
})

// Every number may differ from every other, so that two that changed places cannot look right for long.
const count = fc.nat(1_000_000)
const text = fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: null })
const amounts = fc.record({ modelCalls: count, inputTokens: count, outputTokens: count, nanoUsd: count })
const tokens = fc.record({
  input: count,
  cacheRead: count,
  cacheWrite: count,
  cacheWrite1h: count,
  output: count,
  reasoning: count,
  audioInput: count,
  audioOutput: count,
})
const attempted = fc.record({
  startedMs: count.map((ms) => START_MS + ms),
  durationMs: count,
  firstByteMs: fc.option(count, { nil: null }),
  status: count,
  end: fc.string(),
  tokens,
  basis: fc.constantFrom('reported' as const, 'estimated' as const),
  isPriced: fc.boolean(),
})
const stepped = fc.record({
  startedMs: count.map((ms) => START_MS + ms),
  durationMs: count,
  firstByteMs: fc.option(count, { nil: null }),
  route: text,
  cache: fc.constantFrom('miss' as const, 'off' as const, 'exact' as const),
  cacheAgeMs: fc.option(count, { nil: null }),
  degraded: fc.array(fc.string(), { maxLength: 2 }),
  escalated: fc.boolean(),
  streamed: fc.boolean(),
  unknownRules: fc.array(fc.string(), { maxLength: 2 }),
  promptHash: text,
  error: text,
  content: text,
  finishReason: text,
  traceparent: text,
})
const judged = fc.record({
  atMs: count.map((ms) => START_MS + ms),
  status: fc.constantFrom('succeeded' as const, 'failed' as const, 'abandoned' as const),
  success: fc.boolean(),
  harm: fc.boolean(),
  reasons: fc.array(fc.string(), { maxLength: 2 }),
  score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }), { nil: null }),
  evidence: fc.array(fc.constantFrom('a', 7, { b: null }), { maxLength: 2 }),
  latencyMs: count,
  sloMet: fc.option(fc.boolean(), { nil: null }),
  nanoUsd: count,
  unpricedCalls: count,
  priceNanoUsd: fc.option(count, { nil: null }),
})
const opening = fc.record({
  atMs: count.map((ms) => START_MS + ms),
  deadlineMs: count.map((ms) => START_MS + ms),
  session: text,
  externalId: text,
  attributes: fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    fc.string(),
  ),
})
const anyCall = fc.record({
  opening,
  held: amounts,
  used: amounts,
  attempted,
  stepped,
  judged,
  anonymous: fc.boolean(),
})

test('any call comes back as it was written, as one line or as two, and when more of it comes', () => {
  fc.assert(
    fc.property(anyCall, fc.constantFrom(undefined, atAnswer), fc.boolean(), (made, isTurnOver, hasMore) => {
      const { isPriced, ...sent } = made.attempted
      const hold = holdMade('task_1', 'hold_1', {
        amounts: { ...NOTHING, ...made.held },
        simulated: isPriced,
      })
      const chargedNanoUsd = made.used.nanoUsd
      const base = holdSettled(hold)
      const attempt = {
        ...base.attempt,
        ...sent,
        simulated: isPriced,
        held: hold.amounts,
        nanoUsd: isPriced ? chargedNanoUsd : null,
        chargedNanoUsd,
        ...(isPriced ? { disputed: { input: 1, output: null, total: 3 } } : {}),
      }
      const settled = { ...base, actual: { ...NOTHING, ...made.used }, attempt }
      const nobody = made.anonymous ? { model: null, deployment: null, tier: null } : {}
      const step = stepEnded('task_1', [attempt], { ...made.stepped, ...nobody })
      const opened = taskOpened('task_1', made.opening)
      const outcome = outcomeJudged('task_1', made.judged)
      const entries = [opened, hold, settled, step, outcome]
      expect(tagsOf(entries, isTurnOver)).toBe(isTurnOver === undefined ? 'D' : 'BD')
      const again = outcomeJudged('task_1', { source: 'application' })
      const trace = traceOf(hasMore ? [...entries, again] : entries, isTurnOver)
      expect(trace).toMatchObject({ steps: [step], charges: [settled] })
      expect(trace?.outcomes).toEqual(hasMore ? [outcome, again] : [outcome])
      expect(trace?.summary).toMatchObject({ opened, spent: settled.actual, attempts: 1, steps: 1 })
      expect(trace?.summary.unpricedCalls).toBe(isPriced ? 0 : 1)
    }),
    { numRuns: 60 },
  )
})

test('a hold that is settled late takes a call apart that was filed', () => {
  const late = holdMade('task_1', 'hold_late')
  const trace = traceOf([...plainCall('task_1'), late, holdSettled(late)], atAnswer)
  expect(trace?.charges.map(({ id }) => id)).toEqual(['hold_task_1', 'hold_late'])
  expect(trace?.summary).toMatchObject({ attempts: 2, status: 'succeeded', spent: { modelCalls: 2 } })
})
