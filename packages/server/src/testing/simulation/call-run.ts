// One call of a simulated client, from its start to what came of it.

import type { ModelCall } from '../../engine/step-context.js'
import type { Tenant } from '../../core/release/release.js'
import { formatOf } from '../../wire/formats.js'
import type { SimCaller } from './sim-caller.js'
import type { CallPlan } from './scenario.js'

export interface CallRun {
  readonly plan: CallPlan
  /** How often this client has called before. */
  readonly tries: number
  /** Unique in the run; the question carries it, so that providers can tell whose it is. */
  readonly number: number
  readonly caller: SimCaller
  isDone: boolean
}

/** No client calls more often than this. */
export const TRIES_MAX = 10

export const numberOf = (plan: CallPlan, tries: number): number => plan.id * TRIES_MAX + tries

export function modelCallOf(
  run: Pick<CallRun, 'plan' | 'number'>,
  as: { readonly tenant: Tenant; readonly taskId: string | null },
): ModelCall {
  const { plan, number } = run
  const json = questionOf(plan, number)
  const view = formatOf(plan.wire).view(json)
  if (view.kind === 'invalid') throw new Error(view.problems.map(({ message }) => message).join('; '))
  return {
    wire: plan.wire,
    body: Buffer.from(JSON.stringify(json)),
    json,
    view: view.value,
    tenant: as.tenant,
    contract: plan.target.kind === 'contract' ? plan.target.name : null,
    taskId: as.taskId,
    attributes: {},
    session: plan.session,
    priority: plan.priority,
    traceparent: null,
    requestId: `request-${number}`,
    upstreamHeaders: {},
  }
}

/** Whoever asks what others ask does so without a number, so that a cache has something to find. */
function questionOf(plan: CallPlan, number: number): object {
  const name = plan.question === null ? number : ''
  const content = `<c${name}:${plan.outputTokens}> ${plan.question ?? ''} ${'word '.repeat(plan.words)}`
  const limit = plan.maxTokens ?? (plan.wire === 'anthropic-messages' ? 64 : null)
  return {
    model: plan.target.kind === 'model' ? plan.target.name : 'whatever-the-route-says',
    messages: [...earlierTurns(plan), { role: 'user', content }],
    stream: plan.stream,
    ...(limit === null ? {} : { max_tokens: limit }),
  }
}

function earlierTurns({ turns }: CallPlan): readonly object[] {
  return Array.from({ length: turns * 2 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `Turn ${index} ${'and so on '.repeat(20)}`,
  }))
}
