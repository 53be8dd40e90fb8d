// How scarce places are given out: the calls that may wait for a model, and how long is too long.

import type { CapacitySettings } from '../core/release/capacity-settings.js'
import type { Problems } from './problems.js'
import { located, optional, record, whole } from './readers.js'
import type { Tree } from './tree.js'

const WAITING_DEFAULT = 1_000
/** Each waiting call keeps its body and its hold. */
const WAITING_MAX = 100_000
const TARGET_WAIT_MS_DEFAULT = 1_000
const TARGET_WAIT_MS_MAX = 3_600_000

const waiting = whole('calls', 1, WAITING_MAX)

const queue = record({
  max_waiting: optional(waiting, WAITING_DEFAULT),
  /** Default: `max_waiting`. */
  max_waiting_per_tenant: optional(located(waiting)),
  target_wait_ms: optional(whole('ms', 1, TARGET_WAIT_MS_MAX), TARGET_WAIT_MS_DEFAULT),
})

const capacity = record({ queue: optional(queue, queue.fallback) })

export function readCapacity(tree: Tree, problems: Problems): CapacitySettings {
  const { queue: values } = capacity.read(tree, problems)
  const { max_waiting: maxWaiting, max_waiting_per_tenant: perTenant } = values
  if (perTenant !== null && perTenant.value > maxWaiting) {
    problems.add(perTenant.offset, `is above \`max_waiting\` (${maxWaiting}), so it would never bind`)
  }
  const maxWaitingPerTenant = perTenant?.value ?? maxWaiting
  return { queue: { maxWaiting, maxWaitingPerTenant, targetWaitMs: values.target_wait_ms } }
}
