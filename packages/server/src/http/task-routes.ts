// Tasks over HTTP: open, report a step, judge, look at one, list.

import type { FastifyInstance } from 'fastify'
import {
  type OpenTaskRequest,
  type OpenedTask,
  REQUEST_HEADERS,
  type TaskView,
  nanoFromUsd,
  parseOpenTask,
  parseOutcome,
  parseReportedStep,
} from '@spillway/protocol'
import type { Amounts } from '../core/budget/amounts.js'
import type { StepId, TaskId } from '../core/ids.js'
import type { Parsed } from '../core/parsed.js'
import type { Tenant } from '../core/release/release.js'
import type { TaskFilter } from '../core/task/views.js'
import type { Engine } from '../engine/engine.js'
import { closeTask, findTask, joinTask, openTask } from '../engine/open-task.js'
import { endTask } from '../engine/outcome.js'
import { endReported } from '../engine/dependency/give-permit.js'
import { type Refusal, refused } from '../engine/refusal.js'
import { reportStep } from '../engine/report-step.js'
import type { Task } from '../engine/task-registry.js'
import { limitsJson, taskBudget } from '../engine/answer/budget-json.js'
import { Refused, must } from './control-plane.js'
import { invalidRequest } from './data-plane.js'
import { outcomeJson, taskJson, taskRowJson, traceJson } from './task-json.js'
import { parseTaskQuery } from './queries.js'
import { textHeader } from './text-header.js'

interface WithId {
  readonly Params: { readonly id: string }
}

export function registerTaskRoutes(app: FastifyInstance, engine: Engine): void {
  app.post('/v1/tasks', async (request, reply) => {
    const ask = valid(parseOpenTask(request.body))
    const parent = ask.parent === undefined ? null : must(await joinTask(engine, ask.parent, request.tenant))
    const traceparent = textHeader(request, REQUEST_HEADERS.traceparent)
    const task = must(openTask(engine, { ...openAsk(ask, request.tenant, parent), traceparent }))
    await durable(engine)
    return reply.code(201).send(openedJson(engine, task))
  })
  app.post<WithId>('/v1/tasks/:id/steps', async (request, reply) => {
    const step = valid(parseReportedStep(request.body))
    const task = must(await joinTask(engine, request.params.id, request.tenant))
    const { permit } = step
    const id =
      permit === undefined
        ? await reportStep(engine, task, step)
        : stepOf(await endReported(engine, task, { ...step, permit }))
    return reply.code(201).send({ id, task: balance(engine, task) })
  })
  app.post<WithId>('/v1/tasks/:id/tools/*', async () => {
    throw new Refused(
      refused('request.unsupported', 'This version has no tool gateway: run the tool and report the step.'),
    )
  })
  registerOutcome(app, engine)
  registerReads(app, engine)
}

function registerOutcome(app: FastifyInstance, engine: Engine): void {
  app.post<WithId>('/v1/tasks/:id/outcome', async (request) => {
    const said = valid(parseOutcome(request.body))
    const { task } = must(await findTask(engine, request.params.id, request.tenant))
    const verdict = {
      status: said.status,
      output: said.output,
      evidence: said.evidence ?? [],
      score: said.score ?? null,
      reason: said.reason ?? null,
    }
    const outcome = endTask(engine, task, { source: 'application', verdict })
    await durable(engine)
    if (task.running === 0) closeTask(engine, task)
    return outcomeJson(outcome)
  })
}

function stepOf(id: StepId | Refusal): StepId {
  if (typeof id === 'string') return id
  throw new Refused(id)
}

function registerReads(app: FastifyInstance, engine: Engine): void {
  app.get<WithId>('/v1/tasks/:id', async (request) => {
    const summary = await engine.archive.loadTask(request.params.id as TaskId)
    if (summary === null || summary.opened.tenant !== request.tenant.name)
      throw unknownTask(request.params.id)
    return withLiveBudget(engine, taskJson(summary))
  })
  app.get<WithId>('/v1/tasks/:id/trace', async (request) => {
    const trace = await engine.archive.trace(request.params.id as TaskId)
    if (trace === null || trace.summary.opened.tenant !== request.tenant.name)
      throw unknownTask(request.params.id)
    const view = traceJson(trace)
    return { ...view, task: withLiveBudget(engine, view.task) }
  })
  app.get('/v1/tasks', async (request) => {
    const asked = parseTaskQuery(request.query, engine.system.nowMs())
    if (asked.kind === 'invalid') throw new Refused(invalidRequest(asked.problems))
    const filter: TaskFilter = { ...asked.value, tenant: request.tenant.name }
    const page = await engine.archive.list(filter)
    return { tasks: page.rows.map(taskRowJson), next_cursor: page.nextCursor }
  })
}

function unknownTask(id: string): Refused {
  return new Refused(refused('task.unknown', `No task with the id '${id.slice(0, 64)}' is known.`))
}

export function valid<T>(result: Parsed<T>): T {
  if (result.kind === 'invalid') throw new Refused(invalidRequest(result.problems))
  return result.value
}

/** What was accepted must be in the books before anybody relies on it. */
export async function durable(engine: Engine): Promise<void> {
  try {
    await engine.books.durable()
  } catch {
    throw new Refused(refused('store.unavailable', 'The books cannot be written.'))
  }
}

function openAsk(ask: OpenTaskRequest, tenant: Tenant, parent: Task | null) {
  return {
    tenant,
    contract: ask.contract,
    attributes: ask.attributes ?? {},
    session: ask.session ?? null,
    externalId: ask.external_id ?? null,
    parent,
    budget: budgetOf(ask),
    latencyMs: ask.budget?.max_latency_ms ?? null,
    oneStep: false,
  }
}

function budgetOf({ budget = {} }: OpenTaskRequest): Partial<Amounts> {
  const asked = {
    modelCalls: budget.max_model_calls,
    inputTokens: budget.max_input_tokens,
    outputTokens: budget.max_output_tokens,
    toolCalls: budget.max_tool_calls,
    toolMs: budget.max_tool_ms,
    nanoUsd: budget.max_cost_usd === undefined ? undefined : nanoFromUsd(budget.max_cost_usd),
  }
  return Object.fromEntries(Object.entries(asked).filter(([, limit]) => limit !== undefined))
}

function openedJson(engine: Engine, task: Task): OpenedTask {
  const { onDevice } = task.contract.route
  return {
    ...(onDevice && {
      on_device: {
        min_confidence: onDevice.minConfidence,
        ...(onDevice.timeoutMs !== null && { timeout_ms: onDevice.timeoutMs }),
      },
    }),
    id: task.id,
    contract: task.contract.name,
    release: task.release.id,
    deadline: new Date(task.deadlineMs).toISOString(),
    budget: { limits: limitsJson(task.limits), ...taskBudget(engine.ledger, task) },
  }
}

function balance(engine: Engine, task: Task) {
  return { id: task.id, ...taskBudget(engine.ledger, task) }
}

/**
 * The books know a task's own spending; while it is open, the ledger also knows its sub-tasks' and its
 * parents'.
 */
function withLiveBudget(engine: Engine, view: TaskView): TaskView {
  const task = engine.tasks.get(view.id as TaskId)
  if (task === undefined) return view
  return { ...view, budget: { ...view.budget, ...taskBudget(engine.ledger, task) } }
}
