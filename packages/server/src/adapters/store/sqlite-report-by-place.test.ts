import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { ReleaseId } from '../../core/ids.js'
import type { OwnedCost } from '../../core/money/owned-hours.js'
import type { Entry } from '../../core/task/records.js'
import {
  NOT_ON_DEVICE,
  ON_DEVICE,
  PLACE_GROUPINGS,
  type ReportFilter,
  type ReportGroup,
} from '../../core/task/report.js'
import { START_MS, releaseServed } from '../../testing/entries.js'
import { memoryOwnedCosts } from '../../testing/memory-owned.js'
import { memoryReport } from '../../testing/memory-report.js'
import { randomStory } from '../../testing/random-story.js'
import { segmentPath } from './segments.js'
import { SqliteDatabase } from './sqlite-database.js'
import { journalText } from './written-story.test.child.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-place-'))
afterAll(() => rmSync(root, { recursive: true }))

const EVER = { sinceMs: 0, untilMs: START_MS * 2 }

/** The database over this journal. */
function withDatabase<T>(entries: readonly Entry[], ask: (database: SqliteDatabase) => T): T {
  const dir = mkdtempSync(join(root, 'data-'))
  appendFileSync(segmentPath(dir, 1), journalText(entries))
  const database = new SqliteDatabase({ dir })
  try {
    database.open()
    return ask(database)
  } finally {
    database.close(null)
  }
}

/** Sums of fractions depend on their order in the last digits. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, each: unknown) =>
    typeof each === 'number' ? Number(each.toPrecision(10)) : each,
  )
}

test.each(PLACE_GROUPINGS)('in any story the tables say the same of every %s as the entries', (by) => {
  fc.assert(
    fc.property(randomStory, (story) => {
      const entries = [releaseServed(), ...story]
      const windows = [EVER, { sinceMs: START_MS + 900_000, untilMs: START_MS + 5_000_000 }]
      withDatabase(entries, (database) => {
        for (const window of windows) {
          for (const filter of [
            { ...window, by },
            { ...window, by, tenant: 't1' },
          ]) {
            expect(rounded(database.report(filter))).toEqual(rounded(memoryReport(filter, entries)))
          }
        }
      })
    }),
    { numRuns: 40 },
  )
})

test('in any story the tables say the same of owned hours as the entries', () => {
  const later = releaseServed({ release: 'r2' as ReleaseId, atMs: START_MS + 3_000_000, deployments: [] })
  fc.assert(
    fc.property(randomStory, fc.boolean(), (story, isGivenUp) => {
      const entries = [releaseServed(), ...(isGivenUp ? [later] : []), ...story]
      withDatabase(entries, (database) => {
        for (const by of ['tenant', 'model', 'none', 'approach'] as const) {
          for (const tenant of [{}, { tenant: 't1' }]) {
            const filter = { sinceMs: START_MS + 900_000, untilMs: START_MS + 5_000_000, by, ...tenant }
            const costs = database.ownedCosts(filter)
            expect(costs.map(inOrder)).toEqual(memoryOwnedCosts(filter, entries).map(inOrder))
          }
        }
      })
    }),
    { numRuns: 40 },
  )
})

function inOrder(cost: OwnedCost): OwnedCost {
  return { ...cost, shares: cost.shares.toSorted((a, b) => (a.group < b.group ? -1 : 1)) }
}

/** Everything that is in exactly one group. */
function totals(groups: readonly ReportGroup[]) {
  const sum = (of: (group: ReportGroup) => number) => groups.reduce((total, group) => total + of(group), 0)
  return {
    nanoUsd: sum(({ nanoUsd }) => nanoUsd),
    attempts: sum(({ attempts }) => attempts),
    modelCalls: sum(({ modelCalls }) => modelCalls),
    unpricedCalls: sum(({ unpricedCalls }) => unpricedCalls),
    premiumCalls: sum(({ premiumCalls }) => premiumCalls),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    successes: sum(({ successes }) => successes),
    harms: sum(({ harms }) => harms),
    priceNanoUsd: sum(({ priceNanoUsd }) => priceNanoUsd ?? 0),
    sloJudged: sum(({ sloJudged }) => sloJudged),
    sloMet: sum(({ sloMet }) => sloMet ?? 0),
  }
}

/** What the groups have besides: runs on devices, which are in no budget and no bill. */
function onDevices(entries: readonly Entry[]) {
  const runs = entries.flatMap((entry) => {
    if (entry.kind !== 'step-ended' || entry.route !== ON_DEVICE) return []
    return entry.decisions.filter(({ reason }) => reason !== NOT_ON_DEVICE)
  })
  const sum = (name: string) => runs.reduce((total, { inputs }) => total + Number(inputs?.[name] ?? 0), 0)
  return {
    attempts: runs.length,
    inputTokens: sum('input_tokens'),
    outputTokens: sum('output_tokens'),
  }
}

test.each(PLACE_GROUPINGS)('in any story the groups by %s add up to everything', (by) => {
  fc.assert(
    fc.property(randomStory, (story) => {
      withDatabase([releaseServed(), ...story], (database) => {
        const report = (grouping: ReportFilter['by']) => database.report({ ...EVER, by: grouping })
        const groups = report(by)
        const all = report('none')
        const { attempts, inputTokens, outputTokens, ...rest } = totals(all)
        const runs = onDevices(story)
        expect(totals(groups)).toEqual({
          ...rest,
          attempts: attempts + runs.attempts,
          inputTokens: inputTokens + runs.inputTokens,
          outputTokens: outputTokens + runs.outputTokens,
        })
        const answered = groups.reduce((sum, { place }) => sum + (place?.answered ?? 0), 0)
        expect(answered).toBe(all[0]?.tasks ?? 0)
      })
    }),
    { numRuns: 40 },
  )
})
