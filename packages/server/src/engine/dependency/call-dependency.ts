// One request of a task to a dependency: held, placed, sent, and tried again where that is safe, within the
// task's deadline and its budget. What it does in all is one step of the task.

import { isRetryable } from '../../core/capacity/retry.js'
import type { Dependency } from '../../core/release/release.js'
import type { StepId } from '../../core/ids.js'
import type { Decision } from '../../core/task/records.js'
import { pauseBeforeRetry } from '../capacity/retry-pause.js'
import type { Engine } from '../engine.js'
import type { Caller } from '../ports.js'
import { leaveTask } from '../open-task.js'
import { type Refusal, refused } from '../refusal.js'
import type { Task } from '../task-registry.js'
import { retryAfterMs } from '../../wire/retry-after.js'
import type { DependencyAnswer, DependencyRequest } from '../ports.js'
import type { Permit } from './permit-table.js'
import { type DependencyUse, endPermit, takePermit } from './permits.js'
import { NOTHING_USED, type Used, recordUse, sumOf } from './record-use.js'

export interface DependencyAsk {
  readonly dependency: Dependency
  readonly request: Pick<DependencyRequest, 'method' | 'url' | 'headers' | 'body'>
  /** The method may be repeated, or the request carries an idempotency key. */
  readonly isRepeatable: boolean
  readonly caller: Pick<Caller, 'gone' | 'onGone'>
}

export interface DependencyResult {
  readonly kind: 'answered'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly step: StepId
  readonly attempts: number
}

interface Going {
  readonly ask: DependencyAsk
  readonly startedMs: number
  readonly signal: AbortSignal
  readonly decisions: Decision[]
  attempts: number
  used: Used
}

export async function callDependency(
  engine: Engine,
  task: Task,
  ask: DependencyAsk,
): Promise<DependencyResult | Refusal> {
  const left = new AbortController()
  ask.caller.onGone(() => left.abort())
  const startedMs = engine.system.nowMs()
  const going: Going = {
    ask,
    startedMs,
    signal: left.signal,
    decisions: [],
    attempts: 0,
    used: NOTHING_USED,
  }
  task.running += 1
  try {
    return await useWhole(engine, task, going)
  } finally {
    leaveTask(engine, task)
  }
}

async function useWhole(engine: Engine, task: Task, going: Going): Promise<DependencyResult | Refusal> {
  const end = await tryAll(engine, task, going)
  // Nothing was sent: there is no step, and the caller is told why.
  if (end.kind === 'refused' && going.attempts === 0) return end
  const error = end.kind === 'answered' && end.status < 500 ? null : endName(end)
  const { used, decisions, startedMs } = going
  const { dependency } = going.ask
  const step = recordUse(engine, task, { dependency, startedMs, used, decisions, error })
  await engine.books.durable()
  if (end.kind === 'refused') return end
  if (end.kind === 'failed') return failed(going, end)
  const { status, headers, body } = end
  return { kind: 'answered', status, headers, body, step, attempts: going.attempts }
}

type Tried = DependencyAnswer | Refusal

async function tryAll(engine: Engine, task: Task, going: Going): Promise<Tried> {
  const { dependency, isRepeatable } = going.ask
  let last: Tried | null = null
  for (;;) {
    const isRetry = last !== null
    const permit = await takePermit(engine, task, { dependency, caller: going.ask.caller, isRetry })
    // A retry that is refused leaves what the last attempt said.
    if (permit.kind === 'refused') return last ?? permit
    if (!isRetry) engine.capacity.countFirst(dependency.pool.name)
    const answer = await sendOnce(engine, permit, going)
    last = answer
    const end = endName(answer)
    if (end === 'ok' || !isRepeatable || !isRetryable(end)) return answer
    if (going.attempts >= dependency.maxAttempts || going.signal.aborted) return answer
    if (!(await mayTryAgain(engine, task, { going, end }))) return answer
  }
}

async function sendOnce(engine: Engine, permit: Permit, going: Going): Promise<DependencyAnswer> {
  const { dependency, timeoutMs } = permit
  const { request } = going.ask
  going.attempts += 1
  let use: DependencyUse = { end: 'fault', status: 0, retryAfterMs: null }
  try {
    const answer = await engine.sendToDependency(
      { ...request, timeoutMs, maxResponseBytes: dependency.maxResponseBytes },
      going.signal,
    )
    use = useOf(answer, engine.system.nowMs())
    return answer
  } finally {
    const used = await endPermit(engine, permit, use)
    going.used = sumOf(going.used, { ...used, accounts: permit.accounts })
  }
}

/** A refusal of the request itself (4xx) says nothing against the dependency. */
function useOf(answer: DependencyAnswer, nowMs: number): DependencyUse {
  if (answer.kind === 'failed') return { end: answer.end, status: 0, retryAfterMs: null }
  const { status, headers } = answer
  return { end: endName(answer), status, retryAfterMs: retryAfterMs(headers, nowMs) }
}

function endName(end: Tried): string {
  if (end.kind === 'refused') return end.code
  if (end.kind === 'failed') return end.end
  const { status } = end
  return status >= 500 || status === 429 || status === 408 ? `http_${status}` : 'ok'
}

async function mayTryAgain(
  engine: Engine,
  task: Task,
  { going, end }: { readonly going: Going; readonly end: string },
): Promise<boolean> {
  const { ask, attempts: attempt, decisions } = going
  const { pool: model } = ask.dependency
  const [deployment] = model.deployments
  const leftMs = task.deadlineMs - engine.system.nowMs()
  const last = { model, deployment, end, attempt, leftMs }
  return (await pauseBeforeRetry(engine, { ...last, caller: ask.caller, decisions })) === 'over'
}

function failed(going: Going, { end, detail }: Extract<DependencyAnswer, { kind: 'failed' }>): Refusal {
  const { name } = going.ask.dependency
  const attempts = [{ deployment: name, status: 0, end }]
  const message = `The dependency '${name}' did not answer: ${detail}.`
  return refused(end === 'timeout' ? 'upstream.timeout' : 'upstream.failed', message, { attempts })
}
