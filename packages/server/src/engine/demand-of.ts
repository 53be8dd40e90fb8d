// What a call wants of a deployment: its tokens as they were held, and how it counts beside others.

import type { Criticality, Demand } from '../core/capacity/demand.js'
import type { ModelEntry } from '../core/release/release.js'
import type { Step } from './step-context.js'
import { type Reservation, maxOutputOf } from './call-model/hold.js'

export function demandOf(step: Step, model: ModelEntry, reservation: Reservation): Demand {
  const { view } = step.request
  const { task, call } = step
  const perChoice = reservation.outputTokens ?? view.maxOutputTokens ?? maxOutputOf(model)
  const outputTokensMax = call.wire === 'openai-embeddings' ? 0 : perChoice * view.choices
  return {
    inputTokens: reservation.estimatedInput,
    outputTokens: outputTokensMax,
    outputTokensMax,
    criticality: criticalityOf(call.priority),
    tenant: task.tenant.name,
    weight: 1,
    deadlineMs: task.deadlineMs,
    stream: view.stream,
  }
}

/** A header may only make a call less urgent. */
function criticalityOf(priority: Step['call']['priority']): Criticality {
  switch (priority) {
    case 'interactive':
      return 'critical'
    case 'background':
      return 'sheddable_plus'
    case 'batch':
      return 'sheddable'
  }
}
