// What both SDK journeys run on: a gateway in front of a simulated provider that is reached over HTTP on both
// wires, so that each SDK is tested on bytes that pass through and on bytes that are translated.

import { type RunningServer, startServer, startSim } from './server.js'

export const SDK_KEY = 'sdk-key-0001'
/** Of another tenant. */
export const OTHER_KEY = 'other-key-0001'

/** Same wire for one SDK, the other wire for the other. */
export const MODELS = { openai: 'gpt-4o-mini', anthropic: 'claude-3-5-haiku' } as const

/** A one-pixel PNG. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

export const conformanceConfig = (simUrl: string) => `
providers:
  openai: { kind: openai, api_key: provider-key-1, base_url: "${simUrl}/v1" }
  anthropic: { kind: anthropic, api_key: provider-key-2, base_url: "${simUrl}" }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
  text-embedding-3-small:
    tier: small
    deployments: [{ provider: openai, model: text-embedding-3-small, price: { input: 0.02, output: 0 } }]
tasks:
  default:
    route: { default: gpt-4o-mini }
  one_call:
    budget: { max_model_calls: 1 }
    degrade: []
    route: { default: gpt-4o-mini }
tenants:
  acme: { keys: ["${SDK_KEY}"] }
  globex: { keys: ["${OTHER_KEY}"] }
`

export interface Conformance {
  readonly server: RunningServer
  readonly simUrl: string
  stop(): Promise<void>
}

export async function startConformance(): Promise<Conformance> {
  const sim = await startSim(['--output-tokens', '24'])
  const server = await startServer({ config: conformanceConfig(sim.url) })
  const stop = async () => {
    await server.stop()
    await sim.stop()
  }
  return { server, simUrl: sim.url, stop }
}
