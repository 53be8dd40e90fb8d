// The whole engine in another world: thousands of bad days, each drawn from a seed, each replayed by it.
//   SPILLWAY_SEED=1234 npx vitest run packages/server/src/testing/simulation/simulation.test.ts
// plays one and prints all that happens; SPILLWAY_SEEDS=100000 plays that many.

import { describe, expect, test } from 'vitest'
import { fairScenario, servedTogether } from './fair-share.js'
import { longScenarios } from './long-scenarios.js'
import { BUSY_SEEDS, randomScenario } from './random-scenario.js'
import { reportOf } from './report-run.js'
import { runScenario } from './run-scenario.js'
import { SABOTAGES } from './sabotages.js'
import { shrink } from './shrink.js'
import type { Scenario } from './scenario.js'

const only = process.env['SPILLWAY_SEED']
const SEEDS = Number(process.env['SPILLWAY_SEEDS'] ?? 2_000)
/** Each test has its share of the seeds, so that a slow machine is not stopped by the time of one test. */
const SHARES = 4
/** The first ones, and some busy days. */
const SABOTAGED_SEEDS = [...Array.from({ length: 60 }, (_, index) => index + 1), ...BUSY_SEEDS]

const MEANT_TO_HAPPEN = `
  budget.exhausted capacity.queue_timeout ceiling.reached deadline.exceeded store.unavailable
  task.closed task.unknown upstream.failed upstream.rejected upstream.timeout
  shorter_context smaller_model cached_answer partial_result refine exact escalated:0
  ok caller_left cut connection context_length timeout invalid_body throttled broken_stream stream_error
  http_400 http_401 http_404 http_429 http_500 http_503 http_529
  tool retrieval answer judge sample hedge hedge_lost capacity.shed reported estimated none disputed`

async function expectUnbroken(scenario: Scenario): Promise<void> {
  const run = await runScenario(scenario)
  if (run.problem !== null) throw new Error(await reportOf(scenario, run))
}

test.runIf(only !== undefined)('one seed', async () => {
  const scenario = randomScenario(Number(only))
  const run = await runScenario(scenario)
  process.stdout.write(`${run.log.join('\n')}\n`)
  if (run.problem !== null) process.stdout.write(`${await reportOf(scenario, run)}\n`)
  expect(run.problem).toBeNull()
})

describe.skipIf(only !== undefined)('the engine under simulation', () => {
  const shares = Array.from({ length: SHARES }, (_, share) => share)
  const seen = new Set<string>()

  test.each(shares)(
    'no seed of share %i breaks an invariant',
    async (share) => {
      let calls = 0
      for (let seed = 1 + share; seed <= SEEDS; seed += SHARES) {
        const scenario = randomScenario(seed)
        const run = await runScenario(scenario)
        calls += run.calls
        for (const mark of run.marks) seen.add(mark)
        if (run.problem !== null) throw new Error(await reportOf(scenario, run))
      }
      expect(calls).toBeGreaterThan((SEEDS / SHARES) * 20)
    },
    120_000,
  )

  test.skipIf(SEEDS < 500)('the bad days are bad enough: all that is meant to happen did', () => {
    const meant = MEANT_TO_HAPPEN.trim().split(/\s+/)
    expect(meant.filter((mark) => !seen.has(mark))).toEqual([])
  })

  test.each(longScenarios())('$about', ({ scenario }) => expectUnbroken(scenario))

  test('who waits is served by weight, however much another tenant asks for', async () => {
    const run = await runScenario(fairScenario())
    expect(run.problem).toBeNull()
    const { ann = 0, bob = 0, eve = 0 } = servedTogether(run.entries)
    // Within what runs at the same time: eight places.
    expect(bob).toBeGreaterThan(20)
    expect(Math.abs(ann - bob)).toBeLessThanOrEqual(8)
    expect(Math.abs(eve - 2 * bob)).toBeLessThanOrEqual(8)
  })

  test('a seed tells everything: two runs of it are the same, line by line', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const [first, second] = [
        await runScenario(randomScenario(seed)),
        await runScenario(randomScenario(seed)),
      ]
      expect(second.log).toEqual(first.log)
      expect(first.log.length).toBeGreaterThan(100)
    }
  })
})

describe.skipIf(only !== undefined)('the simulation can fail:', () => {
  test.each(Object.entries(SABOTAGES))('%s is noticed', async (_, sabotage) => {
    const noticed: string[] = []
    for (const seed of SABOTAGED_SEEDS) {
      if (noticed.length > 0) break
      const { problem } = await runScenario(randomScenario(seed), sabotage())
      if (problem !== null) noticed.push(problem)
    }
    expect(noticed).toHaveLength(1)
  })

  test('what fails is made smaller, and can be replayed', async () => {
    const sabotage = SABOTAGES['a ledger that forgets to settle']
    const scenario = randomScenario(3)
    const fails = async (smaller: Scenario) => (await runScenario(smaller, sabotage?.())).problem !== null
    const { scenario: smallest } = await shrink(scenario, fails)
    expect(await fails(smallest)).toBe(true)
    expect(smallest.calls.length).toBeLessThan(scenario.calls.length / 4)
    const report = await reportOf(scenario, await runScenario(scenario, sabotage?.()), sabotage)
    expect(report).toContain('SPILLWAY_SEED=3 npx vitest run')
    expect(report).toContain('BROKEN')
  })
})
