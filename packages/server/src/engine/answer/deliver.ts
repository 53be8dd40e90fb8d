// Giving an answer to the caller. The last bytes wait until the charge is in the books for good: an answer that was
// finished is an answer that was paid for.

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
  const answered = { route: to.route, model: to.model, deployment: to.deployment, simulated: isSimulated(step, to.deployment) }
  const headers = responseHeaders(step, answered)
  // The attempt under way is not settled yet, so it is not among the step's attempts.
  headers[RESPONSE_HEADERS.attempts] = String(step.attempts.length + 1)
  step.caller.begin(200, { ...STREAM_HEADERS, ...headers })
}

export async function deliver(step: Step, answer: Answer, route: string): Promise<void> {
  const answered = {
    route,
    model: answer.model,
    deployment: answer.deployment,
    simulated: isSimulated(step, answer.deployment),
  }
  switch (answer.kind) {
    case 'whole':
      return deliverWhole(step, answered, answer.body)
    case 'held': {
      const frames = Buffer.concat(answer.frames)
      const tail = answer.scanner.finish(await spillwayMember(step))
      step.caller.begin(200, { ...STREAM_HEADERS, ...responseHeaders(step, answered) })
      step.caller.write(frames)
      step.caller.end(tail ?? undefined)
      return
    }
    case 'streamed':
      return endStream(step, answer)
  }
}

async function endStream(step: Step, answer: Answer & { kind: 'streamed' }): Promise<void> {
  switch (answer.end.kind) {
    case 'complete':
      step.caller.end(answer.scanner.finish(await spillwayMember(step)) ?? undefined)
      return
    case 'cut':
      if (step.degraded.includes('partial_result')) step.caller.end(step.format.cutFrames(answer.scanner))
      else step.caller.end(step.format.errorFrame(errorBody(step.call, cutRefusal(step, answer.end.by))))
      return
    case 'failed': {
      const refusal = refused('upstream.failed', `The stream broke off (${answer.end.end}).`, { task: step.task.id })
      step.caller.end(step.format.errorFrame(errorBody(step.call, refusal)))
      return
    }
    case 'caller-left':
      return
  }
}

function cutRefusal(step: Step, by: 'outputTokens' | 'deadline') {
  return by === 'deadline'
    ? refused('deadline.exceeded', "The task's time was up before the answer was complete.", { task: step.task.id })
    : refused('budget.exhausted', 'The output limit was reached before the answer was complete.', { task: step.task.id })
}

export async function deliverMade(step: Step, made: MadeAnswer, answered: Answered): Promise<void> {
  if (!made.stream) return deliverWhole(step, answered, made.body)
  step.caller.begin(200, { ...STREAM_HEADERS, ...responseHeaders(step, answered) })
  step.caller.end(made.body)
}

async function deliverWhole(step: Step, answered: Answered, answer: Uint8Array): Promise<void> {
  const body = appendMember(answer, 'spillway', JSON.stringify(await spillwayMember(step)))
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
