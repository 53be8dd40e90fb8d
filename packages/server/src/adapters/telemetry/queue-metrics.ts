// Queues and overload, as they are when the metrics are asked for. Labels are configured models and four
// classes, so this is bounded.

import { Counter, Gauge, type Registry } from 'prom-client'

/** By the name of the class. */
type PerCriticality = Readonly<Record<string, number>>

/** As in `GET /v1/capacity`. */
export interface QueueCounts {
  readonly model: string
  readonly waiting: PerCriticality
  readonly served: PerCriticality
  readonly shed: PerCriticality
  readonly timed_out: PerCriticality
  readonly overload: { readonly level: number }
}

const LABELS = ['model', 'criticality'] as const

export function createQueueMetrics(registry: Registry): (queues: readonly QueueCounts[]) => void {
  const registers = [registry]
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: LABELS, registers })
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames: LABELS, registers })
  const waiting = gauge('spillway_waiting', 'Calls that wait for a place at a deployment.')
  const level = new Gauge({
    name: 'spillway_overload_level',
    help: 'How much is given up for a model, 0 to 6.',
    labelNames: ['model'],
    registers,
  })
  const counters = {
    served: counter('spillway_queue_served_total', 'Calls that got a place after they had waited.'),
    shed: counter('spillway_shed_total', 'Calls refused at once because places are scarce.'),
    timed_out: counter('spillway_queue_timeouts_total', 'Calls whose time ran out while they waited.'),
  }
  return (queues) => {
    for (const queue of queues) {
      level.set({ model: queue.model }, queue.overload.level)
      each(queue.waiting, (criticality, value) => waiting.set({ model: queue.model, criticality }, value))
    }
    for (const name of ['served', 'shed', 'timed_out'] as const) {
      // The queue has the totals.
      counters[name].reset()
      for (const { model, [name]: totals } of queues)
        each(totals, (criticality, value) => counters[name].inc({ model, criticality }, value))
    }
  }
}

function each(values: PerCriticality, run: (criticality: string, value: number) => void): void {
  for (const [criticality, value] of Object.entries(values)) run(criticality, value)
}
