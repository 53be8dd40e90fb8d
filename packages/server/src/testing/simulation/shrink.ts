// Makes a failing scenario smaller: leaves out what it fails without. Plain and bounded: what is left is for
// a person to read.

import type { Scenario } from './scenario.js'

const PARTS = ['calls', 'faults', 'tasks', 'jumps', 'reloads', 'diskFaults', 'pins', 'reports'] as const
type Part = (typeof PARTS)[number]

/** Runs are cheap, patience is not. */
const RUNS_MAX = 200

export interface Shrunk {
  readonly scenario: Scenario
  readonly runs: number
}

/** `fails` must say whether a scenario still breaks the same invariant. */
export async function shrink(
  scenario: Scenario,
  fails: (smaller: Scenario) => Promise<boolean>,
): Promise<Shrunk> {
  let smallest = scenario
  let runs = 0
  const tryWith = async (smaller: Scenario): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false
    runs += 1
    const isFailing = await fails(smaller)
    if (isFailing) smallest = smaller
    return isFailing
  }
  for (const part of PARTS) {
    // Halves first, then quarters, down to single ones.
    for (
      let size = Math.ceil(smallest[part].length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < smallest[part].length;)
        if (!(await tryWith(without(smallest, part, { at, size })))) at += size
    }
  }
  await tryWith({ ...smallest, ledgerMs: 0 })
  await tryWith({ ...smallest, diskMs: 0 })
  return { scenario: smallest, runs }
}

function without(
  scenario: Scenario,
  part: Part,
  cut: { readonly at: number; readonly size: number },
): Scenario {
  const kept = (scenario[part] as readonly unknown[]).filter(
    (_, index) => index < cut.at || index >= cut.at + cut.size,
  )
  return { ...scenario, [part]: kept }
}
