// A permit for what the application asks itself, a database say: the same place and the same hold as for a
// request through Spillway. It ends with the step that is reported for it, or by its time.

import type { ReportedStep } from '@spillway/protocol'
import type { StepId } from '../../core/ids.js'
import { leaveTask } from '../open-task.js'
import type { Engine } from '../engine.js'
import { type Refusal, refused } from '../refusal.js'
import type { Task } from '../task-registry.js'
import type { Permit } from './permit-table.js'
import { type DependencyUse, type PermitAsk, endPermit, takePermit } from './permits.js'
import { recordUse } from './record-use.js'

export async function givePermit(
  engine: Engine,
  task: Task,
  ask: Omit<PermitAsk, 'isRetry'>,
): Promise<Permit | Refusal> {
  const { permits, capacity } = engine
  if (permits.isFull)
    return refused('capacity.shed', 'Too many permits are held.', { task: task.id, retryAfterSeconds: 1 })
  const permit = await takePermit(engine, task, { ...ask, isRetry: false })
  if (permit.kind === 'refused') return permit
  capacity.countFirst(ask.dependency.pool.name)
  task.running += 1
  permits.add(engine.system, permit, () => {
    void endUse(engine, permit, { end: 'timeout', error: 'timeout' })
  })
  return permit
}

/** The step that the application reports for its permit. */
export async function endReported(
  engine: Engine,
  task: Task,
  reported: ReportedStep & { readonly permit: string },
): Promise<StepId | Refusal> {
  const permit = engine.permits.take(reported.permit, task.id)
  if (permit === undefined) {
    const message = 'The permit is not known, or its time was up: its step is in the trace as `timeout`.'
    return refused('request.conflict', message, { task: task.id })
  }
  const hasFailed = reported.error !== undefined && reported.error !== null
  const end = hasFailed ? 'broken' : 'ok'
  return endUse(engine, permit, { end, error: hasFailed ? 'reported' : null })
}

async function endUse(
  engine: Engine,
  permit: Permit,
  known: { readonly end: string; readonly error: string | null },
): Promise<StepId> {
  const { task, dependency, startedMs, accounts } = permit
  const use: DependencyUse = { end: known.end, status: 0, retryAfterMs: null }
  const used = await endPermit(engine, permit, use)
  leaveTask(engine, task)
  const { error } = known
  const step = recordUse(engine, task, {
    dependency,
    startedMs,
    used: { ...used, accounts },
    decisions: [],
    error,
  })
  await engine.books.durable().catch(() => undefined)
  return step
}
