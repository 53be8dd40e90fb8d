// Levels of overload become events: in the books, in the metrics, and with whoever listens there.

import { type Engine, record } from './engine.js'

/** Each level that changes from now on is an entry of the books: at most one a second per model. */
export function watchOverload(engine: Engine): void {
  engine.capacity.queues.watch(({ model, from, to, step, atMs }) => {
    const detail = { level: to, from_level: from, step }
    record(engine, { kind: 'event', atMs, event: 'overload', subject: model, detail })
  })
}
