// What a call wants of a deployment: its tokens as they were held, and how it counts beside others.

import type { Criticality, Demand } from '../core/capacity/demand.js'
import { expectedTokens } from '../core/capacity/output-history.js'
import type { Contract, ModelEntry } from '../core/release/release.js'
import type { RequestView } from '../wire/format.js'
import { type Reservation, estimateInput, maxOutputOf, sizeOf } from './call-model/hold.js'
import type { Engine } from './engine.js'
import { promptIdentity } from './prompt-identity.js'
import type { ModelCall, Step } from './step-context.js'

export function demandOf(step: Step, model: ModelEntry, reservation: Reservation): Demand {
  const { view } = step.request
  const { task, call, engine } = step
  const outputTokensMax = outputMaxOf(call.wire, view, reservation.outputTokens ?? mostOf(view, model))
  return {
    inputTokens: reservation.estimatedInput,
    outputTokens: expectedOf(engine, { model, contract: task.contract }, outputTokensMax),
    outputTokensMax,
    criticality: criticalityOf(task.contract.criticality, call.priority),
    tenant: task.tenant.name,
    weight: task.tenant.weight,
    deadlineMs: task.deadlineMs,
    stream: view.stream,
    ...promptIdentity(step, model, reservation.estimatedInput),
  }
}

export interface Destination {
  readonly model: ModelEntry
  readonly contract: Contract
}

/** The same before there is a task. */
export function demandOfCall(engine: Engine, call: ModelCall, { model, contract }: Destination): Demand {
  const { view, tenant } = call
  const outputTokensMax = outputMaxOf(call.wire, view, mostOf(view, model))
  return {
    inputTokens: estimateInput(engine, { model, size: sizeOf(view) }),
    outputTokens: expectedOf(engine, { model, contract }, outputTokensMax),
    outputTokensMax,
    criticality: criticalityOf(contract.criticality, call.priority),
    tenant: tenant.name,
    weight: tenant.weight,
    deadlineMs: engine.system.nowMs() + contract.budget.latencyMs,
    stream: view.stream,
  }
}

function expectedOf({ capacity }: Engine, { model, contract }: Destination, outputTokensMax: number): number {
  return expectedTokens(capacity.outputs.expected(contract.name, model.name), outputTokensMax)
}

function mostOf(view: RequestView, model: ModelEntry): number {
  return view.maxOutputTokens ?? maxOutputOf(model)
}

/** Of all choices together. Embeddings generate nothing. */
function outputMaxOf(wire: ModelCall['wire'], { choices }: RequestView, perChoice: number): number {
  return wire === 'openai-embeddings' ? 0 : perChoice * choices
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
