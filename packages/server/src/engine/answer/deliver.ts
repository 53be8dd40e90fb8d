// Giving an answer to the caller. The last bytes wait until the charge is in the books for good: an answer
// that was finished is an answer that was paid for.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import { appendMember } from '../../wire/json-splice.js'
import type { Step } from '../step-context.js'
import type { Answer } from './answer.js'
import type { MadeAnswer } from './make-answer.js'
import { type Answered, costHeader, responseHeaders, spillwayMember } from './shown.js'
import { errorBody } from './error-body.js'
import { refused } from '../refusal.js'

const JSON_TYPE = 'application/json'
/** Proxies in between must neither buffer nor compress a stream. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** Sends the head of a passed-through stream: at its first frame, so without cost. */
export function beginStream(
  step: Step,
  to: { readonly route: string; readonly deployment: Deployment; readonly model: ModelEntry },
): void {
  const answered = {
    route: to.route,
    model: to.model,
    deployment: to.deployment,
    simulated: isSimulated(step, to.deployment),
  }
  const headers = responseHeaders(step, answered)
  // The attempt under way is not settled yet, nor may a copy of it be that has just been stopped.
  headers[RESPONSE_HEADERS.attempts] = String(step.sent)
  step.caller.begin(200, { ...STREAM_HEADERS, ...headers })
}

/**
 * Returns the last bytes of a stream: those that only now were free to go. null for whole answers and broken
 * ones.
 */
export function deliver(step: Step, answer: Answer, route: string): Uint8Array | null {
  const answered = {
    route,
    model: answer.model,
    deployment: answer.deployment,
    simulated: isSimulated(step, answer.deployment),
  }
  switch (answer.kind) {
    case 'whole':
      deliverWhole(step, answered, answer.body)
      return null
    case 'held':
      step.caller.begin(200, { ...STREAM_HEADERS, ...responseHeaders(step, answered) })
      step.caller.write(answer.frames)
      return endStream(step, answer)
    case 'streamed':
      return endStream(step, answer)
  }
}

function endStream(step: Step, answer: Answer & { kind: 'held' | 'streamed' }): Uint8Array | null {
  switch (answer.end.kind) {
    case 'complete': {
      const tail = answer.scanner.finish(spillwayMember(step))
      step.caller.end(tail ?? undefined)
      return tail
    }
    case 'cut':
      if (step.degraded.includes('partial_result')) step.caller.end(step.format.cutFrames(answer.scanner))
      else
        step.caller.end(
          step.format.errorFrame(errorBody(step.call, cutRefusal(step, answer.end.by)), answer.scanner),
        )
      return null
    case 'failed': {
      const { end, error } = answer.end
      const said = error === null ? '' : ` The provider said: ${error.message}`
      const refusal = refused('upstream.failed', `The stream broke off (${end}).${said}`, {
        task: step.task.id,
      })
      step.caller.end(step.format.errorFrame(errorBody(step.call, refusal), answer.scanner))
      return null
    }
    case 'caller-left':
      return null
  }
}

function cutRefusal(step: Step, by: 'outputTokens' | 'deadline') {
  return by === 'deadline'
    ? refused('deadline.exceeded', "The task's time was up before the answer was complete.", {
        task: step.task.id,
      })
    : refused('budget.exhausted', 'The output limit was reached before the answer was complete.', {
        task: step.task.id,
      })
}

export function deliverMade(step: Step, made: MadeAnswer, answered: Answered): void {
  if (!made.stream) return deliverWhole(step, answered, made.body)
  step.caller.begin(200, { ...STREAM_HEADERS, ...responseHeaders(step, answered) })
  step.caller.end(made.body)
}

function deliverWhole(step: Step, answered: Answered, answer: Uint8Array): void {
  const body = appendMember(answer, 'spillway', spillwayMember(step))
  const headers = responseHeaders(step, answered)
  const cost = costHeader(step)
  if (cost !== null) headers[RESPONSE_HEADERS.costUsd] = cost
  headers['content-type'] = JSON_TYPE
  headers['content-length'] = String(body.length)
  step.caller.begin(200, headers)
  step.caller.end(body)
}

export function isSimulated(step: Step, deployment: Deployment): boolean {
  return step.task.release.providers.get(deployment.provider)?.kind === 'simulated'
}
