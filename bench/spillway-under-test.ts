// Spillway with everything on, as the bench runs it: tenant key, task contract, budget, ceilings, rules
// before the call, durable books, metrics and traces. The configuration is what a user would write.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Started, startProcess } from './processes.js'

export const TENANT_KEY = 'bench-key-0123456789abcdef'
const MAIN = fileURLToPath(new URL('../../packages/server/dist/cli/main.js', import.meta.url))

export function spillwayIsBuilt(): boolean {
  return existsSync(MAIN)
}

function configuration(upstream: string): string {
  return `
providers:
  mock: { kind: openai-compatible, base_url: "${upstream}/v1", api_key: "upstream-key", hosting: self-hosted }
models:
  bench-small:
    tier: small
    deployments:
      - { provider: mock, model: bench-small, price: { input: 0.15, output: 0.6 }, limits: { concurrency: 2048 } }
  bench-large:
    tier: premium
    deployments:
      - { provider: mock, model: bench-large, price: { input: 2.5, output: 10 }, limits: { concurrency: 2048 } }
tasks:
  support_reply:
    success: ["output.text != ''"]
    slo: { p95_latency_ms: 6000, success_rate: 0.95 }
    budget: { max_model_calls: 5, max_input_tokens: 6000, max_output_tokens: 700, max_latency_ms: 60000,
              max_cost_usd: 0.05 }
    route:
      default: bench-small
      escalate_if:
        - { condition: "account_tier == 'enterprise' and sentiment == 'high_risk'", model: bench-large }
        - { condition: "input_tokens > 20000", model: bench-large }
  counted:
    budget: { max_model_calls: 5000, max_latency_ms: 600000 }
    degrade: []
    retries: { max_attempts: 5000 }
    route: { default: bench-small }
tenants:
  acme:
    keys: ["${TENANT_KEY}"]
    limits: { usd_per_day: 1000000, rpm: 100000000 }
    attributes: { account_tier: free, sentiment: calm }
`
}

/** Starts `spillway serve` on an empty data folder, which goes away with it. */
export async function startSpillway(options: {
  readonly cores: string
  readonly upstream: string
  readonly otlpEndpoint?: string
}): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
  const config = join(folder, 'spillway.yaml')
  writeFileSync(config, configuration(options.upstream))
  const otlp = options.otlpEndpoint
  const started = await startProcess({
    cores: options.cores,
    script: MAIN,
    scriptArguments: ['serve', '--port', '0', '--data', join(folder, 'data'), '--config', config],
    environment: otlp === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: otlp },
  })
  const stop = async (): Promise<void> => {
    await started.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...started, stop, [Symbol.asyncDispose]: stop }
}

/** Opens a task that may make `calls` model calls and no more. */
export async function openCountedTask(url: string, calls: number): Promise<string> {
  const response = await fetch(`${url}/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TENANT_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contract: 'counted', budget: { max_model_calls: calls } }),
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`POST /v1/tasks answered ${response.status}: ${text}`)
  const { id } = JSON.parse(text) as { readonly id: string }
  return id
}
