// Turning a call away, in the caller's own format, with the retry signals their SDK obeys: without
// `x-should-retry: false` an SDK would multiply a budget refusal by three.

import { ERRORS, RESPONSE_HEADERS } from '@spillway/protocol'
import { jsonBytes } from '../json-bytes.js'
import { isAllSimulated } from '../../core/release/release.js'
import { formatOf } from '../../wire/formats.js'
import { type Engine, record } from '../engine.js'
import type { Caller } from '../ports.js'
import type { Refusal } from '../refusal.js'
import type { ModelCall, Step } from '../step-context.js'
import { errorBody } from './error-body.js'
import { type Answered, responseHeaders } from './shown.js'

export function sendRefusal(
  engine: Engine,
  call: ModelCall,
  to: { readonly caller: Caller; readonly refusal: Refusal; readonly step?: Step },
): void {
  const { caller, refusal, step } = to
  const atMs = engine.system.nowMs()
  if (step === undefined && call.taskId === null && call.contract !== null) {
    engine.slo.refused(engine.release().contracts.get(call.contract), refusal.code, atMs)
  }
  record(engine, {
    kind: 'call-refused',
    atMs,
    tenant: call.tenant.name,
    contract: step?.task.contract.name ?? call.contract,
    task: refusal.task,
    code: refusal.code,
  })
  const { upstream } = refusal
  const body = upstream?.body ?? jsonBytes(formatOf(call.wire).encodeError(errorBody(call, refusal)))
  // Filled one by one: a storm of refusals must stay cheap, and spreading objects is not.
  const headers = step === undefined ? {} : responseHeaders(step, answeredByNobody(step))
  headers['content-type'] = upstream?.contentType ?? 'application/json'
  headers['content-length'] = String(body.length)
  addRetryHeaders(headers, refusal)
  // What could be tried again was: a repetition by the caller's SDK would multiply it.
  if (step !== undefined && step.attempts.length > 0) headers[RESPONSE_HEADERS.shouldRetry] = 'false'
  headers[RESPONSE_HEADERS.requestId] = call.requestId
  if (isAllSimulated(engine.release())) headers[RESPONSE_HEADERS.simulated] = 'true'
  caller.begin(upstream?.status ?? ERRORS[refusal.code].status, headers)
  caller.end(body)
}

function answeredByNobody({ route }: Step): Answered {
  return { route: route ?? 'default', model: null, deployment: null, simulated: false }
}

/** `x-should-retry: false` where repeating cannot help or adds to the load; `Retry-After` where it can. */
export function retryHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = {}
  addRetryHeaders(headers, refusal)
  return headers
}

function addRetryHeaders(headers: Record<string, string>, refusal: Refusal): void {
  const { retry } = ERRORS[refusal.code]
  if (retry === 'never' || retry === 'wait') headers[RESPONSE_HEADERS.shouldRetry] = 'false'
  if (retry === 'later' || retry === 'wait' || refusal.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(refusal.retryAfterSeconds ?? 1)
  }
}
