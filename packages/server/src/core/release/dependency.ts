// A dependency as capacity knows it: a model with one deployment, so that it gets the same breaker, rates,
// calls at once, queue and retry budget.

import type { PromptCacheRules } from '../capacity/prompt-cache-rules.js'
import type { QuotaRules } from '../capacity/quota-rules.js'
import type { Dependency, Deployment } from './release.js'

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

const NO_PROMPTS: PromptCacheRules = {
  ttlMs: 0,
  roomTokens: 0,
  minTokens: 0,
  ask: 'nothing',
  requestsPerKey: 1,
}

/** No model has a space in its name, and every deployment of one a slash: these are set apart. */
export function dependencyPool(name: string, limits: Deployment['limits']): Dependency['pool'] {
  const deployment: Deployment = {
    id: `dependency:${name}`,
    provider: 'dependency',
    model: name,
    limits,
    quota: REQUESTS_ONLY,
    promptCache: NO_PROMPTS,
    targets: { firstTokenMs: null, perTokenMs: null },
    price: null,
    usdPerHour: null,
    maxOutputTokens: 0,
  }
  return { name: `dependency ${name}`, tier: 'small', deployments: [deployment] }
}
