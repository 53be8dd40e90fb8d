// Three tenants who all want more than there is: what each is given while all of them wait.

import type { TaskId } from '../../core/ids.js'
import type { Entry } from '../../core/task/records.js'
import { randomScenario } from './random-scenario.js'
import type { CallPlan, Scenario } from './scenario.js'

/** Calls of each, all alike. `eve` has twice the weight of the others. */
export const FAIR_CALLS = { ann: 240, bob: 60, eve: 60 } as const

export function fairScenario(): Scenario {
  const tenants = Object.entries(FAIR_CALLS).flatMap(([name, count]) =>
    Array.from({ length: count }, () => name),
  )
  const pace = { stepMs: 10, perRunningMs: 0, prefillMsPerToken: 0, tokensPerStep: 4, runningMax: 8 }
  const nothing = { faults: [], tasks: [], jumps: [], reloads: [], diskFaults: [], pins: [], reports: [] }
  return {
    ...randomScenario(1),
    shape: 'replicas',
    ledgerMs: 0,
    diskMs: 0,
    paces: { main: pace, spare: pace, third: pace },
    ...nothing,
    calls: tenants.map((tenant, id) => callOf(tenant, id)),
  }
}

function callOf(tenant: string, id: number): CallPlan {
  const size = { words: 20, turns: 0, outputTokens: 20, maxTokens: 20, question: null }
  const patient = { hangUpMs: null, readMs: null, retries: 0, honours: true, session: null }
  const target = { kind: 'contract', name: 'agent' } as const
  const how = { wire: 'openai-chat', stream: false, priority: 'interactive' } as const
  // The one with most comes first.
  return { id, atMs: tenant === 'ann' ? 0 : 3, tenant, target, ...how, ...size, ...patient }
}

/** How many calls of each were sent while all three had some waiting. */
export function servedTogether(entries: readonly Entry[]): Readonly<Record<string, number>> {
  const tenantOf = new Map<TaskId, string>()
  const sent: string[] = []
  for (const entry of entries) {
    if (entry.kind === 'task-opened') tenantOf.set(entry.id, entry.tenant)
    if (entry.kind === 'hold-made') sent.push(tenantOf.get(entry.task) ?? '')
  }
  const names = Object.keys(FAIR_CALLS)
  const from = Math.max(...names.map((name) => sent.indexOf(name)))
  const to = Math.min(...names.map((name) => sent.lastIndexOf(name)))
  const together = sent.slice(from, to + 1)
  return Object.fromEntries(names.map((name) => [name, together.filter((tenant) => tenant === name).length]))
}
