// What a task needs beside models: a search, a vector store, a database, somebody else's API. To capacity each
// is a model with one deployment: the same breaker, rates, calls at once, queue and retry budget.

import type { QuotaRules } from '../capacity/quota-rules.js'
import type { Deployment, ModelEntry } from './release.js'

export const DEPENDENCY_KINDS = ['tool', 'retrieval', 'custom'] as const
/** Which kind of step a use of it is. Only `tool` counts against tool calls and tool time. */
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number]

export interface Dependency {
  readonly name: string
  readonly kind: DependencyKind
  /** null: it is no HTTP service; the application calls it itself, with a permit. */
  readonly baseUrl: string | null
  /** Sent with every request. Values may be secrets: never printed. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest use, ms; what is left of the task cuts it shorter. Default 5000. */
  readonly timeoutMs: number
  /** Of one use. Default 0. */
  readonly costNanoUsd: number
  /** Tries of a request that may be repeated. Default 2. */
  readonly maxAttempts: number
  /** Default 1 MiB. */
  readonly maxResponseBytes: number
  /** As capacity knows it. */
  readonly pool: ModelEntry & { readonly deployments: readonly [Deployment] }
}

const FREE = { start: 'nothing', end: 'as_at_start', outputWeight: 1 } as const

/** It has no tokens, and tells nothing of its limits but 429 and `Retry-After`. */
const REQUESTS_ONLY: QuotaRules = {
  tokens: FREE,
  inputTokens: FREE,
  outputTokens: FREE,
  chargesCacheReads: false,
  requestsSliceMs: 60_000,
  headers: [],
  theirCapacity: [],
}

/** No model has a space in its name, and every deployment of one a slash: these are set apart. */
export function dependencyPool(name: string, limits: Deployment['limits']): Dependency['pool'] {
  const deployment: Deployment = {
    id: `dependency:${name}`,
    provider: 'dependency',
    model: name,
    limits,
    quota: REQUESTS_ONLY,
    price: null,
    usdPerHour: null,
    maxOutputTokens: 0,
  }
  return { name: `dependency ${name}`, tier: 'small', deployments: [deployment] }
}
