// Names of the headers, both ways, lower case.

export const REQUEST_HEADERS = {
  task: 'x-spillway-task',
  taskId: 'x-spillway-task-id',
  session: 'x-spillway-session',
  attributes: 'x-spillway-attributes',
  priority: 'x-spillway-priority',
  /** Alias of `session`: groups, never joins. */
  sessionAlias: 'x-session-id',
  traceparent: 'traceparent',
  idempotencyKey: 'idempotency-key',
  requestId: 'x-request-id',
} as const

export const RESPONSE_HEADERS = {
  taskId: 'x-spillway-task-id',
  stepId: 'x-spillway-step-id',
  release: 'x-spillway-release',
  model: 'x-spillway-model',
  deployment: 'x-spillway-deployment',
  tier: 'x-spillway-tier',
  route: 'x-spillway-route',
  degraded: 'x-spillway-degraded',
  cache: 'x-spillway-cache',
  /** Age of a cached answer in whole seconds. */
  cacheAge: 'x-spillway-cache-age',
  costUsd: 'x-spillway-cost-usd',
  attempts: 'x-spillway-attempts',
  simulated: 'x-spillway-simulated',
  shouldRetry: 'x-should-retry',
  requestId: 'x-request-id',
  /** The answer was given before, to an earlier request with the same idempotency key. */
  replayed: 'idempotent-replayed',
  /** A count was estimated, not asked of a provider. */
  estimated: 'x-spillway-estimated',
} as const

export const PRIORITIES = ['interactive', 'background', 'batch'] as const
export type Priority = (typeof PRIORITIES)[number]
