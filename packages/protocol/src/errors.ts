// The registry of everything Spillway refuses or fails with. `docs/errors.md` is compared with it, both ways.

export interface ErrorEntry {
  readonly status: number
  /**
   * `never`: `x-should-retry: false`. `later`: `Retry-After` is set. `wait`: both, because an SDK that
   * repeats adds to the load. `caller`: the caller decides.
   */
  readonly retry: 'never' | 'later' | 'wait' | 'caller'
  /** What to do about it. */
  readonly hint: string
}

export const ERRORS = {
  'request.invalid': { status: 400, retry: 'never', hint: 'Mend what the message names and send it again.' },
  'request.too_large': {
    status: 413,
    retry: 'never',
    hint: 'Send a smaller body, or raise `server.max_body_bytes`.',
  },
  'request.unsupported': {
    status: 501,
    retry: 'never',
    hint: 'Use a route or feature listed in docs/interface.md.',
  },
  'request.conflict': {
    status: 409,
    retry: 'never',
    hint: 'Use a new idempotency key for a different request.',
  },
  'route.unknown': {
    status: 404,
    retry: 'never',
    hint: 'Check the path and method; docs/interface.md lists them.',
  },
  'auth.missing': {
    status: 401,
    retry: 'never',
    hint: 'Send a tenant key as `Authorization: Bearer` or `x-api-key`.',
  },
  'auth.unknown': {
    status: 401,
    retry: 'never',
    hint: 'The key belongs to no tenant; check `tenants` in the configuration.',
  },
  'auth.forbidden': {
    status: 403,
    retry: 'never',
    hint: 'Only operators may: set `operator: true` for the tenant, or call from loopback where there are none.',
  },
  'deployment.unknown': {
    status: 404,
    retry: 'never',
    hint: 'GET /v1/capacity lists the deployments by their ids.',
  },
  'task.unknown': {
    status: 404,
    retry: 'never',
    hint: 'Open a task with POST /v1/tasks, or name a contract of the configuration.',
  },
  'response.unknown': {
    status: 404,
    retry: 'never',
    hint: 'The response was not stored, was deleted, or is past its time; send the whole conversation.',
  },
  'dependency.unknown': {
    status: 404,
    retry: 'never',
    hint: 'Name one of `dependencies` in the configuration.',
  },
  'task.closed': { status: 409, retry: 'never', hint: 'The task has ended; open a new one.' },
  'model.unknown': { status: 404, retry: 'never', hint: 'GET /v1/models lists what can be named.' },
  'budget.exhausted': {
    status: 429,
    retry: 'never',
    hint: 'Raise the limit or add a cheaper rung to the ladder.',
  },
  'ceiling.reached': {
    status: 429,
    retry: 'never',
    hint: 'The tenant or product ceiling is reached; raise it or wait for the next window.',
  },
  'capacity.shed': {
    status: 429,
    retry: 'wait',
    hint: 'More arrives than can be served; retry after the given seconds.',
  },
  'capacity.queue_timeout': {
    status: 503,
    retry: 'wait',
    hint: 'No deployment became free in time; retry after the given seconds.',
  },
  'upstream.failed': {
    status: 502,
    retry: 'never',
    hint: 'Every attempt failed; the attempts are listed. Check `spillway providers`.',
  },
  'upstream.timeout': {
    status: 504,
    retry: 'never',
    hint: 'No deployment answered in time; raise `timeout_ms` or the latency budget.',
  },
  'upstream.rejected': {
    status: 400,
    retry: 'never',
    hint: 'The provider refused the request itself; its message is kept.',
  },
  'policy.refused': { status: 403, retry: 'never', hint: 'A guard or tool policy said no.' },
  'deadline.exceeded': {
    status: 504,
    retry: 'never',
    hint: "The task's time is up; raise `max_latency_ms` or add `partial_result` to the ladder.",
  },
  'store.unavailable': {
    status: 503,
    retry: 'later',
    hint: 'The books cannot be written, so nothing is spent; check disk space and permissions.',
  },
  'internal.error': {
    status: 500,
    retry: 'caller',
    hint: 'A fault of Spillway itself; the log has the details under this request id.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
