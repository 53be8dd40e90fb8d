// Runs a scenario to its end, or to the first broken invariant.

import type { Entry } from '../../core/task/records.js'
import { checkIdle, checkMoment, checkRest } from './check-state.js'
import type { Scenario } from './scenario.js'
import { type Sabotage, World } from './world.js'

export interface Run {
  /** The first invariant that was broken; null: none was. */
  readonly problem: string | null
  readonly log: readonly string[]
  readonly calls: number
  readonly events: number
  readonly entries: readonly Entry[]
  /** Codes, rungs, ends, purposes and routes that came up: what the run has been good for. */
  readonly marks: ReadonlySet<string>
}

/** After the last call of the scenario: virtual time in which every run must come to rest, ms. */
const PATIENCE_MS = 6 * 3_600_000
/** After rest: the longest a timer may still be set for, and more than the minute of any rate, ms. */
const COOL_DOWN_MS = 130_000

export async function runScenario(scenario: Scenario, sabotage?: Sabotage): Promise<Run> {
  const world = new World(scenario, sabotage)
  const { clock, log } = world
  world.begin()
  const patienceMs = PATIENCE_MS + Math.max(0, ...scenario.calls.map(({ atMs }) => atMs))
  let events = 0
  while (!world.isDone && log.problem === null) {
    events += 1
    await clock.step()
    checkMoment(world)
    if (clock.passedMs > patienceMs) log.fail(`${world.running} calls never end`)
  }
  if (log.problem === null) checkRest(world)
  if (log.problem === null) await coolDown(world)
  if (log.problem === null) checkIdle(world)
  const { entries } = world.books
  return {
    problem: log.problem,
    log: log.lines,
    calls: world.calls.size,
    events,
    entries,
    marks: marksOf(entries),
  }
}

async function coolDown({ clock }: World): Promise<void> {
  const untilMs = clock.passedMs + COOL_DOWN_MS
  while (clock.passedMs < untilMs) await clock.step()
}

function marksOf(entries: readonly Entry[]): ReadonlySet<string> {
  const marks = new Set<string>()
  for (const entry of entries) {
    if (entry.kind === 'call-refused') marks.add(entry.code)
    if (entry.kind === 'hold-settled') {
      const { end, purpose, basis, disputed } = entry.attempt
      for (const mark of [end, purpose, basis]) marks.add(mark)
      if (disputed !== undefined) marks.add('disputed')
    }
    if (entry.kind === 'step-ended')
      for (const mark of [...entry.degraded, entry.cache, entry.route ?? '', entry.step]) marks.add(mark)
  }
  return marks
}
