// What a call wants of a deployment: its tokens as they were held, and how it counts beside others.

import type { Criticality, Demand } from '../core/capacity/demand.js'
import type { ModelEntry } from '../core/release/release.js'
import type { ModelCall, Step } from './step-context.js'
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
    criticality: criticalityOf(task.contract.criticality, call.priority),
    tenant: task.tenant.name,
    weight: task.tenant.weight,
    deadlineMs: task.deadlineMs,
    stream: view.stream,
  }
}

/** A header may only make a call less urgent than its contract says. */
export function criticalityOf(contract: Criticality, priority: ModelCall['priority']): Criticality {
  switch (priority) {
    case 'interactive':
      return contract
    case 'background':
      return contract === 'sheddable' ? 'sheddable' : 'sheddable_plus'
    case 'batch':
      return 'sheddable'
  }
}
