// Stage 1, admit caller: which task is this a step of, under which contract and release, until when.

import type { StepId } from '../../core/ids.js'
import {
  DEFAULT_CONTRACT,
  type ResolvedModel,
  resolveRequestedModel,
} from '../../core/routing/resolve-requested-model.js'
import { formatOf } from '../../wire/formats.js'
import type { Admission } from '../capacity/capacity.js'
import type { Engine } from '../engine.js'
import { joinTask, leaveTask, openTask } from '../open-task.js'
import type { Caller } from '../ports.js'
import { type Refusal, refused } from '../refusal.js'
import type { ModelCall, Step } from '../step-context.js'
import { turnAway } from '../turn-away.js'
import type { Task } from '../task-registry.js'

export interface Admitted {
  readonly kind: 'admitted'
  readonly step: Step
}

/** More than a minute makes clients give up, and a minute's limit is fresh by then. */
const RETRY_SECONDS_MAX = 60

/** A promise only where a task is joined: the books may have to be asked for it. */
export function admit(
  engine: Engine,
  call: ModelCall,
  caller: Caller,
): Admitted | Refusal | Promise<Admitted | Refusal> {
  if (engine.books.failed !== null) {
    return refused('store.unavailable', 'The books cannot be written, so nothing is spent.', {
      retryAfterSeconds: 1,
    })
  }
  const admission = engine.capacity.admit(call.tenant, engine.release().product, engine.system.nowMs())
  if (admission.kind === 'over') return overLimit(admission)
  if (call.taskId !== null) return join(engine, { call, caller, id: call.taskId })
  try {
    return enter(engine, { call, caller, task: openOneStep(engine, call) })
  } catch (fault) {
    engine.capacity.leave(call.tenant)
    throw fault
  }
}

function overLimit({ waitMs, whose }: Extract<Admission, { readonly kind: 'over' }>): Refusal {
  const waitSeconds = Number.isFinite(waitMs) ? Math.ceil(waitMs / 1000) : RETRY_SECONDS_MAX
  return refused('ceiling.reached', `The request rate, token rate or concurrency of ${whose} is used up.`, {
    retryAfterSeconds: Math.min(RETRY_SECONDS_MAX, Math.max(1, waitSeconds)),
  })
}

async function join(
  engine: Engine,
  from: { readonly call: ModelCall; readonly caller: Caller; readonly id: string },
): Promise<Admitted | Refusal> {
  const { call, caller, id } = from
  try {
    return enter(engine, { call, caller, task: await joinTask(engine, id, call.tenant) })
  } catch (fault) {
    engine.capacity.leave(call.tenant)
    throw fault
  }
}

function enter(
  engine: Engine,
  from: { readonly call: ModelCall; readonly caller: Caller; readonly task: Task | Refusal },
): Admitted | Refusal {
  const { call, caller, task } = from
  if (isRefusal(task)) {
    engine.capacity.leave(call.tenant)
    return task
  }
  task.running += 1
  task.steps += 1
  return { kind: 'admitted', step: newStep(engine, { call, caller, task }) }
}

function isRefusal(task: Task | Refusal): task is Refusal {
  return 'kind' in task
}

/**
 * The contract of a call outside a task: the header, else the body's `model` when that names one, else
 * `default`.
 */
function openOneStep(engine: Engine, call: ModelCall): Task | Refusal {
  const { contracts, models } = engine.release()
  const named = resolveRequestedModel({ requested: call.view.model, task: call.contract, contracts, models })
  const away = turnAway(engine, call, named)
  if (away !== null) return away
  const contract = call.contract ?? (named.kind === 'resolved' ? named.contract.name : taskOf(named))
  return openTask(engine, {
    tenant: call.tenant,
    contract,
    attributes: call.attributes,
    session: call.session,
    externalId: null,
    parent: null,
    budget: {},
    latencyMs: null,
    oneStep: true,
  })
}

/** A name that only looks like a task's is refused as a task; everything else is a plain call. */
function taskOf(named: ResolvedModel & { kind: 'unknown-model' | 'unknown-task' | 'conflict' }): string {
  return named.kind === 'unknown-task' ? named.task : DEFAULT_CONTRACT
}

export function newStep(engine: Engine, from: { call: ModelCall; caller: Caller; task: Task }): Step {
  const { call, caller, task } = from
  return {
    engine,
    call,
    caller,
    format: formatOf(call.wire),
    task,
    id: engine.system.newId('step') as StepId,
    number: task.steps,
    startedMs: engine.system.nowMs(),
    decisions: [],
    attempts: [],
    sent: 0,
    degraded: [],
    unknownRules: [],
    request: { body: call.body, json: call.json, view: call.view },
    route: null,
    scanner: null,
    tried: [],
    fallbackAnswer: null,
    escalatedBy: null,
    signals: {},
    firstByteMs: null,
    cache: 'off',
    cacheAgeMs: null,
    isClosed: false,
  }
}

/** The call is over, whatever came of it. A task that ended with it is forgotten here; the books keep it. */
export function leave({ engine, task }: Step): void {
  engine.capacity.leave(task.tenant)
  leaveTask(engine, task)
}
