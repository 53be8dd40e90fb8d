// What every error says beyond its format's own fields, under the same names in every format.

import type { JsonObject } from '../core/json.js'
import type { ErrorBody } from './format.js'

export function errorDetail({ code, hint, taskId, attempts, problems }: ErrorBody): JsonObject {
  return {
    code,
    hint,
    task_id: taskId,
    ...(attempts === undefined ? {} : { attempts: attempts.map((attempt) => ({ ...attempt })) }),
    ...(problems === undefined ? {} : { problems: problems.map((problem) => ({ ...problem })) }),
  }
}
