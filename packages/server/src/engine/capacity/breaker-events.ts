// What operators see and do of breakers: every change is an event of the books, and what was set by hand is
// read from there again at the start, so that a restart in the middle of an incident forgets no drain.

import { type BreakerChange, PIN_MS_MAX, type PinAction } from '../../core/capacity/breaker.js'
import type { Deployment, Release } from '../../core/release/release.js'
import type { EventRow } from '../../core/task/views.js'
import { type Engine, record } from '../engine.js'

const PAGE = 500
/** Breakers that change more often in a day than this are past reading. */
const PAGES_MAX = 40

/** Writes down from now on when calls stop or begin to flow to a deployment, and who wanted it. */
export function watchBreakers(engine: Engine): void {
  engine.capacity.watchBreakers((subject, change) => {
    const atMs = engine.system.nowMs()
    record(engine, { kind: 'event', atMs, event: 'breaker', subject, detail: shown(change, atMs) })
  })
}

function shown({ from, to, why, forMs, pin }: BreakerChange, atMs: number): EventRow['detail'] {
  return {
    from,
    to,
    why,
    ...(forMs === null ? {} : { until: new Date(atMs + forMs).toISOString() }),
    ...(pin === null ? {} : { action: pin.action, by: pin.by, reason: pin.reason }),
  }
}

export interface Order {
  /** `auto`: back to what the calls say. */
  readonly action: PinAction | 'auto'
  /** Of no meaning for `auto`. */
  readonly forMs: number
  readonly by: string
  readonly reason: string
}

export function steerBreaker(engine: Engine, deployment: Deployment, order: Order): void {
  const nowMs = engine.system.nowMs()
  const { breaker } = engine.capacity.look(deployment, nowMs)
  const { action, ...rest } = order
  if (action === 'auto') breaker.unpin(rest, nowMs)
  else breaker.pin({ action, ...rest }, nowMs)
  // Who waits may be let in now.
  engine.capacity.queues.serve(nowMs)
}

/** Of a model, or a dependency. */
export function findDeployment(release: Release, id: string): Deployment | undefined {
  const dependencies = [...release.dependencies.values()].map(({ pool }) => pool)
  for (const { deployments } of [...release.models.values(), ...dependencies]) {
    const found = deployments.find((deployment) => deployment.id === id)
    if (found !== undefined) return found
  }
  return undefined
}

/** Before `watchBreakers`: nothing of it is news. */
export async function restorePins(engine: Engine): Promise<void> {
  const nowMs = engine.system.nowMs()
  const seen = new Set<string>()
  let before: number | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const filter = { event: 'breaker', limit: PAGE, ...(before === undefined ? {} : { before }) } as const
    const rows = await engine.archive.events(filter)
    for (const row of rows) {
      // The newest is what holds.
      if (!seen.has(row.subject)) restorePin(engine, row, nowMs)
      seen.add(row.subject)
    }
    const oldest = rows.at(-1)
    if (rows.length < PAGE || oldest === undefined || oldest.atMs < nowMs - PIN_MS_MAX) return
    before = oldest.n
  }
}

function restorePin(engine: Engine, { subject, detail }: EventRow, nowMs: number): void {
  const deployment = findDeployment(engine.release(), subject)
  const { why, action, by, reason, until } = detail
  const forMs = Date.parse(String(until)) - nowMs
  if (why !== 'pinned' || !isPinAction(action) || deployment === undefined || !(forMs > 0)) return
  steerBreaker(engine, deployment, { action, forMs, by: String(by), reason: String(reason) })
}

function isPinAction(action: unknown): action is PinAction {
  return action === 'open' || action === 'close' || action === 'drain'
}
