// Who is told when an objective is missed, a breaker opens or load is shed.

import type { AlertWebhook } from '../core/release/release.js'
import { EVENTS } from '../core/task/event-names.js'
import type { Problems } from './problems.js'
import { address } from './provider-fields.js'
import { list, oneOf, optional, record, required, secret } from './readers.js'
import type { Tree } from './tree.js'

const WEBHOOKS_MAX = 10

const alerts = record({
  webhooks: optional(
    list(
      record({
        url: required(address),
        secret: optional(secret),
        /** Default: all. */
        events: optional(list(oneOf(EVENTS, 'event')), []),
      }),
    ),
    [],
  ),
})

export function readAlerts(tree: Tree, problems: Problems): readonly AlertWebhook[] {
  const { webhooks } = alerts.read(tree, problems)
  if (webhooks.length > WEBHOOKS_MAX) problems.add(tree.offset, `has more than ${WEBHOOKS_MAX} webhooks`)
  return webhooks
}
