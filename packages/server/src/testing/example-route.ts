// Models and a contract as a small configuration would give them, for tests of routing decisions.

import { NO_DEPLOYMENT_LIMITS } from '../config/read-limits.js'
import { NO_LIMITS } from '../core/budget/amounts.js'
import type { Contract, Deployment, ModelEntry, Route, RouteRule, Tier } from '../core/release/release.js'
import type { Facts, Rule, Verdict } from '../core/release/rule.js'
import { EXAMPLE_QUOTA } from './example-quota.js'

/**
 * A rule that answers as told, or reads one fact: `yes` for true, `no` for anything else, `unknown` when
 * missing.
 */
export function exampleRule(source: string, verdict?: Verdict): Rule {
  const read = (facts: Facts): Verdict =>
    source in facts ? (facts[source] === true ? 'yes' : 'no') : 'unknown'
  return { source, reads: [source], evaluate: (facts) => verdict ?? read(facts) }
}

/** The output rate is in pico-USD per token; null: the price is unknown. */
export function exampleDeployment(id: string, outputRate: number | null = 600_000): Deployment {
  const [provider = 'sim', model = id] = id.split('/')
  return {
    id,
    provider,
    model,
    promptCache: {
      minTokens: 1_024,
      ttlMs: 300_000,
      roomTokens: Infinity,
      ask: 'nothing',
      requestsPerKey: 15,
    },
    limits: NO_DEPLOYMENT_LIMITS,
    targets: { firstTokenMs: null, perTokenMs: null },
    quota: EXAMPLE_QUOTA,
    price:
      outputRate === null ? null : { rates: { input: 100_000, output: outputRate }, tiers: [], book: 'test' },
    usdPerHour: null,
    maxOutputTokens: 4_096,
  }
}

export function exampleModel(name: string, tier: Tier, outputRate: number | null = 600_000): ModelEntry {
  return { name, tier, deployments: [exampleDeployment(`sim/${name}`, outputRate)] }
}

export function exampleModels(...models: readonly ModelEntry[]): ReadonlyMap<string, ModelEntry> {
  return new Map(models.map((model) => [model.name, model]))
}

/** Rules are numbered as given. */
export function exampleRoute(
  fallback: string,
  rules: readonly Omit<RouteRule, 'index'>[] = [],
  premium: Partial<Route['premium']> = {},
): Route {
  return {
    default: fallback,
    rules: rules.map((rule, index) => ({ index, ...rule })),
    premium: { maxShare: null, maxNanoUsdPerDay: null, ...premium },
  }
}

export function exampleContract(name: string, changes: Partial<Contract> = {}): Contract {
  return {
    name,
    description: null,
    success: [],
    harm: [],
    slo: { p95LatencyMs: null, successRate: null },
    budget: { limits: NO_LIMITS, latencyMs: 600_000 },
    degrade: [],
    refineMessage: 'One more detail, please.',
    signals: {},
    route: exampleRoute('small-one'),
    cache: { exactTtlMs: null, semantic: null, provider: 'auto' },
    maxAttempts: 4,
    hedge: true,
    criticality: 'critical',
    record: 'metadata',
    retentionDays: 30,
    price: { nanoUsdPerSuccess: null },
    ...changes,
  }
}
