// Turning a call away, in the caller's own format, with the retry signals their SDK obeys: without
// `x-should-retry: false` an SDK would multiply a budget refusal by three.

import { ERRORS, RESPONSE_HEADERS } from '@spillway/protocol'
import { isAllSimulated } from '../../core/release/release.js'
import { formatOf } from '../../wire/formats.js'
import { type Engine, record } from '../engine.js'
import type { Caller } from '../ports.js'
import type { Refusal } from '../refusal.js'
import type { ModelCall, Step } from '../step-context.js'
import { errorBody } from './error-body.js'
import { responseHeaders } from './shown.js'

export function sendRefusal(
  engine: Engine,
  call: ModelCall,
  to: { readonly caller: Caller; readonly refusal: Refusal; readonly step?: Step },
): void {
  const { caller, refusal, step } = to
  record(engine, {
    kind: 'call-refused',
    atMs: engine.system.nowMs(),
    tenant: call.tenant.name,
    contract: step?.task.contract.name ?? call.contract,
    task: refusal.task,
    code: refusal.code,
  })
  const shown = step === undefined ? {} : responseHeaders(step, { route: step.route ?? 'default', ...NOBODY })
  const { upstream } = refusal
  const body =
    upstream?.body ?? Buffer.from(JSON.stringify(formatOf(call.wire).encodeError(errorBody(call, refusal))))
  caller.begin(upstream?.status ?? ERRORS[refusal.code].status, {
    ...shown,
    'content-type': upstream?.contentType ?? 'application/json',
    'content-length': String(body.length),
    ...retryHeaders(refusal),
    [RESPONSE_HEADERS.requestId]: call.requestId,
    ...(isAllSimulated(engine.release()) ? { [RESPONSE_HEADERS.simulated]: 'true' } : {}),
  })
  caller.end(body)
}

const NOBODY = { model: null, deployment: null, simulated: false }

/** `x-should-retry: false` where a repetition cannot help, whole seconds of `Retry-After` where it can. */
export function retryHeaders(refusal: Refusal): Record<string, string> {
  const { retry } = ERRORS[refusal.code]
  const headers: Record<string, string> = {}
  if (retry === 'never') headers[RESPONSE_HEADERS.shouldRetry] = 'false'
  if (retry === 'later' || refusal.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(refusal.retryAfterSeconds ?? 1)
  }
  return headers
}
