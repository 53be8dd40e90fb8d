// What a person needs who has to mend what a seed broke: the command that plays it again, what is left of it
// when everything is taken away that does not matter, and what happened then.

import { type Run, runScenario } from './run-scenario.js'
import type { Scenario } from './scenario.js'
import { shrink } from './shrink.js'
import type { Sabotage } from './world.js'

const LINES_MAX = 120

export async function reportOf(scenario: Scenario, run: Run, sabotage?: () => Sabotage): Promise<string> {
  const kind = kindOf(run.problem)
  const fails = async (smaller: Scenario): Promise<boolean> => {
    const { problem } = await runScenario(smaller, sabotage?.())
    return problem !== null && kindOf(problem) === kind
  }
  const { scenario: smallest, runs } = await shrink(scenario, fails)
  const last = await runScenario(smallest, sabotage?.())
  const { calls, faults, tasks, jumps, reloads, diskFaults, pins, reports, ...rest } = smallest
  return [
    `seed ${scenario.seed} breaks an invariant: ${run.problem}`,
    `play it again: SPILLWAY_SEED=${scenario.seed} npx vitest run packages/server/src/testing/simulation/simulation.test.ts`,
    `smaller, after ${runs} runs: ${calls.length} calls, ${faults.length} faults, ${tasks.length} tasks`,
    JSON.stringify({ ...rest, jumps, reloads, diskFaults, pins, reports }),
    ...faults.map((fault) => `fault ${JSON.stringify(fault)}`),
    ...tasks.map((task) => `task ${JSON.stringify(task)}`),
    ...calls.map((call) => `call ${JSON.stringify(call)}`),
    ...last.log.slice(-LINES_MAX),
  ].join('\n')
}

/** The same invariant, whichever call or hold breaks it. */
function kindOf(problem: string | null): string {
  return (problem ?? '')
    .split('\n', 1)
    .join('')
    .replace(/\b\w*\d\w*\b/g, '#')
}
