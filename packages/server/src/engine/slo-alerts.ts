// Alerts on objectives become events: in the books, in the metrics, and with whoever listens there.

import type { SloAlert } from '../core/slo/alert-changes.js'
import { type Engine, record } from './engine.js'

/** How often alerts are looked at, ms: the shortest window is five minutes. */
const LOOK_MS = 5_000

/** Looks for alerts from now on; each that begins or ends is an entry of the books. */
export function watchSlos(engine: Engine): void {
  engine.system.after(LOOK_MS, () => {
    const atMs = engine.system.nowMs()
    for (const alert of engine.slo.look(engine.release(), atMs)) {
      record(engine, {
        kind: 'event',
        atMs,
        event: 'slo-alert',
        subject: alert.contract,
        detail: shown(alert),
      })
    }
    watchSlos(engine)
  })
}

/** Names and numbers as they are on the wire. */
function shown(alert: SloAlert) {
  return {
    objective: alert.objective,
    alert: alert.alert,
    severity: alert.severity,
    state: alert.state,
    long_rate: alert.longRate,
    short_rate: alert.shortRate,
    from_rate: alert.from,
    budget_left: alert.budgetLeft,
    since: new Date(alert.sinceMs).toISOString(),
  }
}
