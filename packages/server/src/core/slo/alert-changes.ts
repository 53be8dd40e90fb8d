// Which alerts begin and which are over. An alert is told twice: when it begins and when it is over.

import type { BurnAlert, Objective, ObjectiveState } from './burn-rate.js'

export interface SloAlert {
  readonly contract: string
  readonly objective: Objective
  readonly alert: BurnAlert['name']
  readonly severity: BurnAlert['severity']
  readonly state: 'firing' | 'resolved'
  readonly longRate: number
  readonly shortRate: number
  /** The rate from which it alerts. */
  readonly from: number
  readonly budgetLeft: number | null
  readonly sinceMs: number
}

/** Alerts that are firing, by `alertKey`. */
export type Firing = ReadonlyMap<string, SloAlert>

export interface AlertChanges {
  readonly firing: Firing
  /** Those that began or ended, in that state. */
  readonly changes: readonly SloAlert[]
}

/** What is not measured any more (a contract or an objective that was taken away) is over. */
export function alertChanges(
  before: Firing,
  states: ReadonlyMap<string, readonly ObjectiveState[]>,
  nowMs: number,
): AlertChanges {
  const firing = new Map<string, SloAlert>()
  const changes: SloAlert[] = []
  const all = [...states].flatMap(([contract, objectives]) =>
    objectives.flatMap((state) => alertsOf(contract, state, nowMs)),
  )
  for (const now of all) {
    const was = before.get(alertKey(now))
    const known = was === undefined ? now : { ...now, sinceMs: was.sinceMs }
    if (now.state === 'firing') firing.set(alertKey(now), known)
    if ((now.state === 'firing') !== (was !== undefined)) changes.push(known)
  }
  const measured = new Set(all.map(alertKey))
  for (const [key, was] of before) {
    if (!measured.has(key)) changes.push({ ...was, state: 'resolved' })
  }
  return { firing, changes }
}

function alertsOf(contract: string, state: ObjectiveState, nowMs: number): readonly SloAlert[] {
  return state.burns.map(({ alert, longRate, shortRate, from, isBurning }) => ({
    contract,
    objective: state.objective,
    alert: alert.name,
    severity: alert.severity,
    state: isBurning ? 'firing' : 'resolved',
    longRate,
    shortRate,
    from,
    budgetLeft: state.budgetLeft,
    sinceMs: nowMs,
  }))
}

function alertKey({ contract, objective, alert }: SloAlert): string {
  return `${contract}\n${objective}\n${alert}`
}
