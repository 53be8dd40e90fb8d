// Services that tasks use beside models, with the limits they are used within.

import { dependencyPool } from '../core/release/dependency.js'
import { DEPENDENCY_KINDS, type Dependency } from '../core/release/release.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import { address } from './provider-fields.js'
import { NO_DEPLOYMENT_LIMITS, nanoUsd, usd } from './read-limits.js'
import { asMap, mapOf, oneOf, optional, record, secret, whole } from './readers.js'
import type { Tree } from './tree.js'

const TIMEOUT_MS_DEFAULT = 5_000
const TIMEOUT_MS_MAX = 600_000
const ATTEMPTS_DEFAULT = 2
const ATTEMPTS_MAX = 5
const RESPONSE_BYTES_DEFAULT = 1024 * 1024
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024

/** It has no tokens. */
const limits = record({
  rpm: optional(whole('requests per minute')),
  concurrency: optional(whole('calls at a time')),
})

const dependency = record({
  kind: optional(oneOf(DEPENDENCY_KINDS, 'kind'), 'tool'),
  /** Without it the application calls it itself, with a permit. */
  base_url: optional(address),
  headers: optional(mapOf(secret)),
  /** Longest use, ms. */
  timeout_ms: optional(whole('ms', 1, TIMEOUT_MS_MAX), TIMEOUT_MS_DEFAULT),
  limits: optional(limits, limits.fallback),
  /** Of one use. Default 0. */
  cost_usd: optional(usd, 0),
  max_attempts: optional(whole('attempts', 1, ATTEMPTS_MAX), ATTEMPTS_DEFAULT),
  max_response_bytes: optional(whole('bytes', 1, RESPONSE_BYTES_MAX), RESPONSE_BYTES_DEFAULT),
})

export function readDependencies(tree: Tree, problems: Problems): ReadonlyMap<string, Dependency> {
  const dependencies = new Map<string, Dependency>()
  for (const [name, { keyOffset, value }] of asMap(tree, problems)?.entries ?? []) {
    checkName(name, keyOffset, problems)
    if (name.includes('/')) problems.add(keyOffset, `a dependency cannot be named \`${name}\`: it is a path`)
    const values = dependency.read(value, problems)
    dependencies.set(name, {
      name,
      kind: values.kind,
      baseUrl: values.base_url,
      headers: Object.fromEntries(
        [...(values.headers ?? [])].map(([header, text]) => [header.toLowerCase(), text]),
      ),
      timeoutMs: values.timeout_ms,
      costNanoUsd: nanoUsd(values.cost_usd),
      maxAttempts: values.max_attempts,
      maxResponseBytes: values.max_response_bytes,
      pool: dependencyPool(name, {
        ...NO_DEPLOYMENT_LIMITS,
        requestsPerMinute: values.limits.rpm,
        concurrency: values.limits.concurrency,
      }),
    })
  }
  return dependencies
}
