// Ceilings of a tenant and of the product, and of a deployment; money becomes nano-dollars here.

import type { DeploymentTargets } from '../core/release/capacity-settings.js'
import { nanoFromUsd } from '../core/money/nano.js'
import { type CeilingLimits, type DeploymentLimits, NO_CEILINGS } from '../core/release/release.js'
import { number, optional, type Reader, record, whole } from './readers.js'

// Nano-dollars stay exact integers up to nine million dollars.
export const USD_MAX = 9_000_000

export function nanoUsd(usd: number): number
export function nanoUsd(usd: number | null): number | null
export function nanoUsd(usd: number | null): number | null {
  return usd === null ? null : nanoFromUsd(usd)
}

export const usd = number({ min: 0, max: USD_MAX, unit: 'USD' })

const ceilings = record({
  usd_per_day: optional(usd),
  usd_per_month: optional(usd),
  rpm: optional(whole('requests per minute')),
  tpm: optional(whole('tokens per minute')),
  concurrency: optional(whole('calls at a time')),
})

export const ceilingLimits: Reader<CeilingLimits> = {
  fallback: NO_CEILINGS,
  read(tree, problems) {
    const values = ceilings.read(tree, problems)
    return {
      nanoUsdPerDay: nanoUsd(values.usd_per_day),
      nanoUsdPerMonth: nanoUsd(values.usd_per_month),
      requestsPerMinute: values.rpm,
      tokensPerMinute: values.tpm,
      concurrency: values.concurrency,
    }
  },
}

const deployment = record({
  rpm: optional(whole('requests per minute')),
  tpm: optional(whole('tokens per minute')),
  itpm: optional(whole('input tokens per minute')),
  otpm: optional(whole('output tokens per minute')),
  concurrency: optional(whole('calls at a time')),
})

export const NO_DEPLOYMENT_LIMITS: DeploymentLimits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  inputTokensPerMinute: null,
  outputTokensPerMinute: null,
  concurrency: null,
}

export const deploymentLimits: Reader<DeploymentLimits> = {
  fallback: NO_DEPLOYMENT_LIMITS,
  read(tree, problems) {
    const { rpm, tpm, itpm, otpm, concurrency } = deployment.read(tree, problems)
    return {
      requestsPerMinute: rpm,
      tokensPerMinute: tpm,
      inputTokensPerMinute: itpm,
      outputTokensPerMinute: otpm,
      concurrency,
    }
  },
}

const targets = record({
  first_token_ms: optional(whole('ms')),
  per_token_ms: optional(whole('ms')),
})

export const NO_TARGETS: DeploymentTargets = { firstTokenMs: null, perTokenMs: null }

export const deploymentTargets: Reader<DeploymentTargets> = {
  fallback: NO_TARGETS,
  read(tree, problems) {
    const values = targets.read(tree, problems)
    return { firstTokenMs: values.first_token_ms, perTokenMs: values.per_token_ms }
  },
}
