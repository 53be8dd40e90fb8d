// What a task needs beside models, within the limits that Spillway is configured with: asked through
// Spillway, or by the application itself with a permit.

import type { PermitGiven, ReportedStep } from '@spillway/protocol'
import type { Clock } from './clock.js'
import { nameOfError } from './outcome-values.js'
import { CLIENT_CODES, SpillwayError, isRecord } from './spillway-error.js'
import { type Transport, sendControl } from './transport.js'
import { untilAborted } from './until-aborted.js'

/** What the callback is given. */
export interface DependencyUse {
  /** Aborts when the time of this use is up, and with the task. */
  readonly signal: AbortSignal
  /** As long as this use may take, ms. */
  readonly timeoutMs: number
}

export interface DependencyContext {
  readonly transport: Transport
  readonly clock: Clock
  readonly taskId: string
  readonly signal: AbortSignal
  readonly report: (step: ReportedStep) => Promise<void>
}

/**
 * Takes a permit, runs, and reports the step, whatever comes of it. Rejects with `SpillwayError` where there
 * is no permit: then `run` is not called. An error of `run` counts against the dependency and is rethrown.
 */
export async function useDependency<Output>(
  context: DependencyContext,
  name: string,
  run: (use: DependencyUse) => Promise<Output> | Output,
): Promise<Output> {
  const { clock } = context
  const given = await takePermit(context, name)
  const limit = new AbortController()
  const stopTimer = clock.after(given.timeout_ms, () => limit.abort(timedOut(name, context.taskId)))
  const signal = AbortSignal.any([context.signal, limit.signal])
  const startedMs = clock.now()
  const stepOf = (end: Partial<ReportedStep>): ReportedStep => ({
    kind: 'custom',
    name,
    started_at: new Date(startedMs).toISOString(),
    duration_ms: Math.max(0, clock.now() - startedMs),
    permit: given.permit,
    ...end,
  })
  let output: Output
  try {
    output = await untilAborted(signal, () => run({ signal, timeoutMs: given.timeout_ms }))
  } catch (error) {
    await context.report(stepOf({ error: { name: nameOfError(error) } }))
    throw error
  } finally {
    stopTimer()
  }
  await context.report(stepOf({}))
  return output
}

async function takePermit(context: DependencyContext, dependency: string): Promise<PermitGiven> {
  const { transport, taskId, signal } = context
  const path = `/v1/tasks/${encodeURIComponent(taskId)}/permits`
  const { body } = await sendControl(transport, { path, body: { dependency }, signal })
  if (isRecord(body) && typeof body['permit'] === 'string' && typeof body['timeout_ms'] === 'number')
    return body as unknown as PermitGiven
  throw new SpillwayError({ code: CLIENT_CODES.badAnswer, message: `POST ${path} gave no permit`, taskId })
}

function timedOut(name: string, taskId: string): SpillwayError {
  const message = `The dependency '${name}' took too long.`
  return new SpillwayError({ code: 'upstream.timeout', message, taskId })
}

/** A request to a dependency with a `base_url`. Whatever it answers is the answer; nothing is thrown. */
export function fetchDependency(
  context: Pick<DependencyContext, 'transport' | 'taskId' | 'signal'>,
  to: { readonly name: string; readonly path: string; readonly init: RequestInit },
): Promise<Response> {
  const { transport, taskId, signal } = context
  const below = to.path === '' || /^[/?]/.test(to.path) ? to.path : `/${to.path}`
  const place = `/v1/tasks/${encodeURIComponent(taskId)}/dependencies/${encodeURIComponent(to.name)}`
  const headers = new Headers(to.init.headers)
  if (transport.apiKey !== null) headers.set('authorization', `Bearer ${transport.apiKey}`)
  const signals = to.init.signal instanceof AbortSignal ? [signal, to.init.signal] : [signal]
  const init = { ...to.init, headers, signal: AbortSignal.any(signals) }
  return transport.fetch(transport.origin + place + below, init)
}
