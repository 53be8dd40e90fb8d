// Opening, joining and closing tasks. A sub-task is an account whose holds are also charged to its parents.

import { type Amounts, NOTHING, RESOURCES } from '../core/budget/amounts.js'
import { tighten } from '../core/budget/remaining.js'
import type { TaskId } from '../core/ids.js'
import type { Contract, Release, Tenant } from '../core/release/release.js'
import type { Facts } from '../core/release/rule.js'
import type { TaskSummary } from '../core/task/views.js'
import { type Engine, record } from './engine.js'
import { type Refusal, refused } from './refusal.js'
import { OPEN_TASKS_MAX, type Task, accountOf, limitsOf, taskOpened } from './task-registry.js'

/** For callers without attributes: lets the common case copy nothing. */
export const NO_FACTS: Facts = {}

export interface OpenTask {
  readonly tenant: Tenant
  readonly contract: string
  readonly attributes: Facts
  readonly session: string | null
  readonly externalId: string | null
  readonly parent: Task | null
  /** Limits the caller tightens. */
  readonly budget: Partial<Amounts>
  readonly latencyMs: number | null
  readonly oneStep: boolean
  readonly traceparent?: string | null
}

export function openTask(engine: Engine, ask: OpenTask): Task | Refusal {
  const release = ask.parent?.release ?? engine.release()
  const contract = release.contracts.get(ask.contract)
  if (contract === undefined) return unknownContract(ask.contract, release)
  if (engine.tasks.size >= OPEN_TASKS_MAX) {
    return refused('capacity.shed', 'Too many tasks are open in this process.', { retryAfterSeconds: 1 })
  }
  const task = newTask(engine, { release, contract, ask })
  const opened = taskOpened(task)
  record(engine, typeof ask.traceparent === 'string' ? { ...opened, traceparent: ask.traceparent } : opened)
  engine.ledger.open(task.accounts[0] ?? accountOf(task.id), task.limits)
  engine.tasks.add(task)
  return task
}

function newTask(engine: Engine, from: { release: Release; contract: Contract; ask: OpenTask }): Task {
  const { release, contract, ask } = from
  const id = engine.system.newId('task') as TaskId
  const openedMs = engine.system.nowMs()
  const latencyMs = Math.min(contract.budget.latencyMs, ask.latencyMs ?? Infinity)
  const deadlineMs = Math.min(openedMs + latencyMs, ask.parent?.deadlineMs ?? Infinity)
  return {
    id,
    contract,
    release,
    tenant: ask.tenant,
    attributes: attributesOf(ask),
    session: ask.session ?? ask.parent?.session ?? null,
    externalId: ask.externalId,
    parent: ask.parent,
    oneStep: ask.oneStep,
    openedMs,
    deadlineMs,
    limits: ask.oneStep ? contract.budget.limits : tighten(contract.budget.limits, ask.budget),
    accounts: ask.parent === null ? [accountOf(id)] : [accountOf(id), ...ask.parent.accounts],
    status: 'open',
    steps: 0,
    attempts: 0,
    modelCalls: 0,
    nanoUsd: 0,
    unpricedCalls: 0,
    running: 0,
    refusedSteps: 0,
    degraded: [],
    escalated: false,
    signals: NO_FACTS,
    answer: null,
    lastStepEndedMs: null,
    outcome: null,
  }
}

/** The tenant's facts, the parent's and the caller's over them; usually only the first. */
function attributesOf({ parent, tenant, attributes, oneStep }: OpenTask): Facts {
  return oneStep && attributes === NO_FACTS
    ? tenant.attributes
    : { ...parent?.attributes, ...tenant.attributes, ...attributes }
}

function unknownContract(name: string, release: Release): Refusal {
  const known = [...release.contracts.keys()].slice(0, 20).join(', ')
  return refused('task.unknown', `No task named '${name}' is configured. Known: ${known}.`)
}

/**
 * Finds a running task of this tenant; `task.closed` when it has ended, `deadline.exceeded` when its time is
 * up.
 */
export async function joinTask(engine: Engine, id: string, tenant: Tenant): Promise<Task | Refusal> {
  const task = await findTask(engine, id, tenant)
  if (task.kind === 'refused') return task
  if (task.task.status !== 'open')
    return refused('task.closed', 'The task has ended.', { task: task.task.id })
  if (task.task.deadlineMs <= engine.system.nowMs()) {
    return refused('deadline.exceeded', "The task's time is up.", { task: task.task.id })
  }
  return task.task
}

/** Finds a task of this tenant in any state, from memory or the books. Another tenant's task is unknown. */
export async function findTask(
  engine: Engine,
  id: string,
  tenant: Tenant,
): Promise<{ readonly kind: 'found'; readonly task: Task } | Refusal> {
  const running = engine.tasks.get(id as TaskId)
  if (running !== undefined && running.tenant.name === tenant.name) return { kind: 'found', task: running }
  const summary = running === undefined ? await engine.archive.loadTask(id as TaskId) : null
  if (summary === null || summary.opened.tenant !== tenant.name) {
    return refused('task.unknown', `No task with the id '${id.slice(0, 64)}' is known.`)
  }
  const task = await restoreTask(engine, summary, tenant)
  return task === null
    ? refused('task.unknown', 'The contract of this task is no longer configured.')
    : { kind: 'found', task }
}

/**
 * Brings a task back from the books after a restart: under today's release, with what it has already spent.
 */
async function restoreTask(engine: Engine, summary: TaskSummary, tenant: Tenant): Promise<Task | null> {
  const { opened } = summary
  const release = engine.release()
  const contract = release.contracts.get(opened.contract)
  if (contract === undefined) return null
  const parent = opened.parent === null ? null : await findTask(engine, opened.parent, tenant)
  const parentTask = parent?.kind === 'found' ? parent.task : null
  const spent = summary.status === 'open' ? await spentWithin(engine, opened.id) : NOTHING
  // Somebody else may have brought it back while the books were read.
  const again = engine.tasks.get(opened.id)
  if (again !== undefined) return again
  const task = restoredTask(summary, { contract, release, tenant, parent: parentTask })
  if (task.status === 'open') {
    engine.ledger.open(accountOf(task.id), task.limits, spent)
    engine.tasks.add(task)
  }
  return task
}

/** What a task and all its sub-tasks have spent: all of it is charged to the task's account. */
async function spentWithin({ archive }: Engine, id: TaskId): Promise<Amounts> {
  const spent: { -readonly [R in keyof Amounts]: number } = { ...NOTHING }
  const waiting = [id]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const trace = await archive.trace(next)
    if (trace === null) continue
    for (const resource of RESOURCES) spent[resource] += trace.summary.spent[resource]
    waiting.push(...trace.children)
  }
  return spent
}

function restoredTask(
  summary: TaskSummary,
  around: {
    readonly contract: Contract
    readonly release: Release
    readonly tenant: Tenant
    readonly parent: Task | null
  },
): Task {
  const { opened } = summary
  return {
    ...around,
    id: opened.id,
    attributes: opened.attributes,
    session: opened.session,
    externalId: opened.externalId,
    oneStep: opened.oneStep,
    openedMs: opened.atMs,
    deadlineMs: opened.deadlineMs,
    limits: limitsOf(opened),
    accounts: [accountOf(opened.id), ...(around.parent?.accounts ?? [])],
    status: summary.status,
    steps: summary.steps,
    attempts: summary.attempts,
    modelCalls: summary.spent.modelCalls,
    nanoUsd: summary.spent.nanoUsd,
    unpricedCalls: summary.unpricedCalls,
    running: 0,
    refusedSteps: 0,
    degraded: [],
    escalated: false,
    signals: NO_FACTS,
    answer: null,
    lastStepEndedMs: summary.lastStepEndedMs,
    outcome: summary.outcome,
  }
}

/** Something that ran for the task is over. A task that has ended meanwhile is forgotten with the last. */
export function leaveTask(engine: Engine, task: Task): void {
  task.running -= 1
  if ((task.oneStep || task.status !== 'open') && task.running === 0) closeTask(engine, task)
}

/** Forgets a task that has ended; the books keep it. */
export function closeTask(engine: Engine, task: Task): void {
  engine.tasks.remove(task.id)
  engine.ledger.close(task.accounts[0] ?? accountOf(task.id))
}
