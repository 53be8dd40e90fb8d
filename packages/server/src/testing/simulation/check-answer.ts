// What a caller may be told: one proper end, a stable code with its own status, whole seconds to wait; and no
// answer that is not paid for in the books.

import { ERRORS, RESPONSE_HEADERS, isErrorCode } from '@spillway/protocol'
import type { AttemptId, StepId } from '../../core/ids.js'
import type { StepEnded } from '../../core/task/records.js'
import type { RecordingCaller } from '../recording-caller.js'

export interface AnswerCheck {
  /** null: not in the books for good. */
  readonly stepOf: (id: StepId) => StepEnded | null
  readonly isCharged: (id: AttemptId) => boolean
}

/** More than an hour is no wait. */
const SECONDS = /^[1-9]\d{0,3}$/

export function checkHead(
  caller: RecordingCaller,
  headers: Readonly<Record<string, string>>,
): readonly string[] {
  const problems: string[] = []
  if (caller.begins > 1) problems.push('is begun twice')
  const wait = headers['retry-after']
  if (wait !== undefined && (!SECONDS.test(wait) || Number(wait) > 3_600))
    problems.push(`Retry-After is '${wait}'`)
  return problems
}

export function checkEnd(caller: RecordingCaller, check: AnswerCheck): readonly string[] {
  if (caller.ends > 1) return ['is ended twice']
  if (!caller.begun) return ['is ended without a head']
  if (caller.gone) return []
  const { outcome, status } = caller
  if (outcome === 'improper') return [`ends improperly: ${caller.text.slice(-200)}`]
  if (status !== 200) return checkRefusal(caller)
  return outcome === 'error' ? [] : checkPaid(caller, check)
}

function checkRefusal(caller: RecordingCaller): readonly string[] {
  const { error } = caller.json as { error?: { code?: string; message?: string } }
  // The provider's own refusal of a request is handed on as it came.
  if (error?.message?.startsWith('refused: ') === true) return []
  const code = error?.code ?? ''
  if (!isErrorCode(code)) return [`is refused without a stable code: ${caller.text.slice(0, 200)}`]
  if (code === 'internal.error') return ['meets a fault of ours']
  const { status, retry } = ERRORS[code]
  const problems: string[] = []
  if (status !== caller.status) problems.push(`${code} has the status ${caller.status}`)
  if (retry === 'later' && caller.headers['retry-after'] === undefined)
    problems.push(`${code} does not say when to come again`)
  return problems
}

function checkPaid(caller: RecordingCaller, check: AnswerCheck): readonly string[] {
  const id = caller.headers[RESPONSE_HEADERS.stepId] as StepId | undefined
  const step = id === undefined ? null : check.stepOf(id)
  if (step === null) return [`is answered before ${id} is in the books`]
  const unpaid = step.attempts.filter((attempt) => !check.isCharged(attempt.id))
  if (unpaid.length > 0) return [`is answered before ${unpaid[0]?.id} is charged`]
  const isMade = step.cache === 'exact' || step.degraded.includes('refine')
  return isMade || step.attempts.some(({ basis }) => basis !== 'none') ? [] : ['is answered for free']
}
