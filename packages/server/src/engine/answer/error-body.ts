// A refusal as the formats encode it.

import { ERRORS } from '@spillway/protocol'
import type { ErrorBody } from '../../wire/format.js'
import type { Refusal } from '../refusal.js'

export function errorBody(call: { readonly requestId: string }, refusal: Refusal): ErrorBody {
  const { status, hint } = ERRORS[refusal.code]
  return {
    code: refusal.code,
    status,
    message: refusal.message,
    hint,
    taskId: refusal.task,
    requestId: call.requestId,
    ...(refusal.attempts === undefined ? {} : { attempts: refusal.attempts }),
    ...(refusal.problems === undefined ? {} : { problems: refusal.problems }),
  }
}
