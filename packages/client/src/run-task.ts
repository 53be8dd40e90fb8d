// The life of a task: opened, run until its work, its deadline or its caller ends it, and closed with an
// outcome.

import {
  type JudgedOutcome,
  type OpenTaskRequest,
  type OpenedTask,
  type OutcomeRequest,
  REQUEST_LIMITS,
} from '@spillway/protocol'
import { nameOfError, plainJson } from './outcome-values.js'
import { CLIENT_CODES, SpillwayError, isRecord } from './spillway-error.js'
import type { OnDeviceOptions } from './on-device/rule.js'
import { randomKey } from './random-key.js'
import type { ReportQueue } from './report-queue.js'
import { Task, type TaskOptions, type TaskResult, type TaskWork } from './task.js'
import { type OutcomeSent, TaskReports } from './task-reports.js'
import { type Transport, sendControl } from './transport.js'
import { untilAborted } from './until-aborted.js'

/** What the tasks of one client share. */
export interface ClientContext {
  readonly transport: Transport
  readonly queue: ReportQueue
  readonly onDevice: OnDeviceOptions | undefined
}

/**
 * Rejects with what the work threw, with `deadline.exceeded`, or with the caller's abort reason, after the
 * outcome was reported. Work that ignores its signal is left behind, not waited for.
 */
export async function runTask<T>(
  context: ClientContext,
  ask: { readonly contract: string; readonly options: TaskOptions },
  work: TaskWork<T>,
): Promise<TaskResult<T>> {
  const { transport } = context
  const { options } = ask
  const { opened, deadlineMs } = await openTask(transport, ask)
  const deadline = deadlineSignal(transport, opened.id, deadlineMs)
  const undelivered: SpillwayError[] = []
  const reports = new TaskReports({ transport, queue: context.queue, taskId: opened.id, undelivered })
  const task = new Task({
    transport,
    onDevice: context.onDevice,
    reports,
    opened,
    deadlineMs,
    priority: options.priority,
    signal:
      options.signal === undefined ? deadline.signal : AbortSignal.any([options.signal, deadline.signal]),
    runTask: (contract, childOptions, childWork) =>
      runTask(context, { contract, options: childOptions }, childWork),
  })
  const close = (outcome: OutcomeRequest) => deliver(transport, { outcome, reports, undelivered }, opened.id)
  try {
    const value = await untilAborted(task.signal, () => work(task))
    return { value, outcome: await close(task.verdict ?? outcomeOfValue(value)), undelivered }
  } catch (error) {
    await close(outcomeOfError(error, task.verdict, options.signal))
    throw error
  } finally {
    deadline.stop()
  }
}

async function openTask(
  transport: Transport,
  { contract, options }: { readonly contract: string; readonly options: TaskOptions },
): Promise<{ readonly opened: OpenedTask; readonly deadlineMs: number }> {
  const { attributes, session, budget, externalId, parent, signal } = options
  const body: OpenTaskRequest = {
    contract,
    ...(attributes !== undefined && { attributes }),
    ...(session !== undefined && { session }),
    ...(budget !== undefined && { budget }),
    ...(externalId !== undefined && { external_id: externalId }),
    ...(parent !== undefined && { parent }),
  }
  const answer = await sendControl(transport, { path: '/v1/tasks', body, signal })
  if (!isOpenedTask(answer.body)) throw badAnswer('POST /v1/tasks')
  return { opened: answer.body, deadlineMs: localDeadline(transport, answer.body, answer.headers) }
}

function isOpenedTask(body: unknown): body is OpenedTask {
  if (!isRecord(body) || !isRecord(body['budget']) || !isRecord(body['budget']['remaining'])) return false
  const device = body['on_device']
  if (device !== undefined && !(isRecord(device) && typeof device['min_confidence'] === 'number'))
    return false
  return typeof body['id'] === 'string' && !Number.isNaN(Date.parse(String(body['deadline'])))
}

// The `date` header is cut to whole seconds, so smaller differences are not the clock's.
const CLOCK_DIFFERENCE_NOTICED_MS = 5_000

/** The server's instant by our clock: devices of users are minutes off, and a deadline is seconds. */
function localDeadline(transport: Transport, opened: OpenedTask, headers: Headers): number {
  const nowMs = transport.clock.now()
  const serverMs = Date.parse(headers.get('date') ?? '')
  const aheadMs = nowMs - serverMs
  const correctionMs = Math.abs(aheadMs) > CLOCK_DIFFERENCE_NOTICED_MS ? aheadMs : 0
  return Date.parse(opened.deadline) + correctionMs
}

function deadlineSignal(
  { clock }: Transport,
  taskId: string,
  deadlineMs: number,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const deadline = new AbortController()
  const message = "The task's time is up."
  const stop = clock.after(deadlineMs - clock.now(), () =>
    deadline.abort(new SpillwayError({ code: 'deadline.exceeded', status: 504, message, taskId })),
  )
  return { signal: deadline.signal, stop }
}

function outcomeOfValue(value: unknown): OutcomeRequest {
  const output = plainJson(value, REQUEST_LIMITS.outputBytesMax)
  return output === undefined ? { status: 'succeeded' } : { status: 'succeeded', output }
}

function outcomeOfError(
  error: unknown,
  verdict: OutcomeRequest | null,
  callersSignal: AbortSignal | undefined,
): OutcomeRequest {
  if (callersSignal?.aborted === true)
    return { status: 'abandoned', reason: nameOfError(callersSignal.reason) }
  // A reason that the application chose says more than the name of the error that followed it.
  if (verdict?.status === 'failed') return verdict
  return { status: 'failed', reason: nameOfError(error) }
}

interface Closing {
  readonly outcome: OutcomeRequest
  readonly reports: TaskReports
  readonly undelivered: SpillwayError[]
}

/** Never rejects with a `SpillwayError`: work that is done is not undone by its bookkeeping. */
async function deliver(
  transport: Transport,
  { outcome, reports, undelivered }: Closing,
  taskId: string,
): Promise<JudgedOutcome | null> {
  await reports.settled()
  const sent = { path: outcomePath(taskId), body: outcome, idempotencyKey: randomKey() }
  // Nobody answered its reports, and an outcome that overtakes them would close the task to them.
  if (reports.keepOutcome(sent, null)) return null
  try {
    return await sendOutcome(transport, sent)
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error
    undelivered.push(error)
    reports.keepOutcome(sent, error)
    return null
  }
}

/** Also for a verdict that comes later (reopened, disputed): the last one stands. */
export function reportOutcome(
  { transport, queue }: ClientContext,
  taskId: string,
  outcome: OutcomeRequest,
): Promise<JudgedOutcome> {
  queue.dropOutcomes(taskId)
  return sendOutcome(transport, { path: outcomePath(taskId), body: outcome, idempotencyKey: randomKey() })
}

function outcomePath(taskId: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}/outcome`
}

async function sendOutcome(
  transport: Transport,
  { path, body: outcome, idempotencyKey }: OutcomeSent,
): Promise<JudgedOutcome> {
  const { body } = await sendControl(transport, { path, body: outcome }, idempotencyKey)
  if (!isRecord(body) || typeof body['success'] !== 'boolean') throw badAnswer('POST /v1/tasks/{id}/outcome')
  // Our own server's answer; what says whether it is one has been looked at.
  return body as unknown as JudgedOutcome
}

function badAnswer(route: string): SpillwayError {
  return new SpillwayError({
    code: CLIENT_CODES.badAnswer,
    status: 200,
    message: `${route} answered an unexpected shape`,
  })
}
