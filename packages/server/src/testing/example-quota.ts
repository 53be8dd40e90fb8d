// How a provider without a name of its own charges calls to its limits, for tests.

import type { QuotaRules } from '../core/capacity/quota-rules.js'

/** What came is charged in the end, what is expected at the start. No headers. */
export const EXAMPLE_QUOTA: QuotaRules = {
  tokens: { start: 'input_and_expected_output', end: 'input_and_output', outputWeight: 1 },
  inputTokens: { start: 'input', end: 'input', outputWeight: 1 },
  outputTokens: { start: 'expected_output', end: 'output', outputWeight: 1 },
  chargesCacheReads: false,
  requestsSliceMs: 60_000,
  headers: [],
  theirCapacity: [],
}
