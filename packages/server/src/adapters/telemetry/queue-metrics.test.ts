import { expect, test } from 'vitest'
import { createMetrics } from './metrics.js'

const NOBODY = { critical_plus: 0, critical: 0, sheddable_plus: 0, sheddable: 0 }
const QUEUE = {
  model: 'narrow',
  waiting: { ...NOBODY, critical: 3 },
  served: { ...NOBODY, critical: 7 },
  shed: { ...NOBODY, sheddable: 2 },
  timed_out: NOBODY,
  overload: { level: 2 },
}

test('queues are shown as they are, and their totals are not added up twice', async () => {
  const metrics = createMetrics({ processMetrics: false })
  metrics.setQueues([QUEUE])
  metrics.setQueues([{ ...QUEUE, waiting: NOBODY }])
  const text = await metrics.text()
  expect(text).toContain('spillway_waiting{model="narrow",criticality="critical"} 0')
  expect(text).toContain('spillway_queue_served_total{model="narrow",criticality="critical"} 7')
  expect(text).toContain('spillway_shed_total{model="narrow",criticality="sheddable"} 2')
  expect(text).toContain('spillway_overload_level{model="narrow"} 2')
})
