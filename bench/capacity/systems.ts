// What stands between clients and the simulated provider: a bare pass-through, Spillway as it is, or Spillway
// of another build beside it.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Started, startProcess } from '../processes.js'
import type { Criticality } from './arrivals.js'

export const TENANTS = ['acme', 'first', 'second'] as const
export const KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  TENANTS.map((name) => [name, `capacity-key-of-${name}`]),
)

const CRITICALITIES = ['critical', 'sheddable_plus', 'sheddable'] as const

/** The name clients ask for: a contract per class, so that a class says nothing but what goes first. */
export function modelFor(criticality: Criticality): string {
  return `chat_${criticality}`
}

const MAIN = fileURLToPath(new URL('../../../packages/server/dist/cli/main.js', import.meta.url))
const BARE = fileURLToPath(new URL('../bare-proxy.js', import.meta.url))

/** Connections of the bare pass-through: more than any load here has open. */
const BARE_CONNECTIONS = 20_000

export interface SystemKind {
  readonly name: string
  /** null: the bare pass-through. */
  readonly main: string | null
  /** Is told what a good answer is, and which class a contract has. */
  readonly isTold: boolean
  /** Calls at a time per deployment, configured by hand; null: found out. */
  readonly concurrency: number | null
}

const SPILLWAY: SystemKind = { name: 'spillway', main: MAIN, isTold: true, concurrency: null }
export const BARE_PROXY: SystemKind = { name: 'bare proxy', main: null, isTold: false, concurrency: null }

/** Spillway as it is built here. */
export function spillwayKind(concurrency: number | null): SystemKind {
  return { ...SPILLWAY, concurrency }
}

export function besideKind(main: string): SystemKind {
  if (!existsSync(main)) throw new Error(`--beside: there is no ${main}`)
  return { name: 'beside', main, isTold: false, concurrency: null }
}

function configuration(upstreams: readonly string[], { isTold, concurrency }: SystemKind): string {
  const limits = concurrency === null ? '' : `, limits: { concurrency: ${concurrency} }`
  const provider = (url: string, index: number): string =>
    `  up-${index}: { kind: openai-compatible, base_url: "${url}/v1", api_key: "upstream", hosting: self-hosted }`
  const deployment = (_url: string, index: number): string =>
    `      - { provider: up-${index}, model: chat, price: { input: 0.15, output: 0.6 }${limits} }`
  const target = isTold ? '    targets: { first_token_ms: 3000, per_token_ms: 150 }\n' : ''
  const contract = (name: Criticality): string =>
    [
      `  ${modelFor(name)}:`,
      ...(isTold ? [`    criticality: ${name}`] : []),
      '    budget: { max_model_calls: 4, max_latency_ms: 30000 }',
      '    degrade: []',
      '    route: { default: chat }',
    ].join('\n')
  const tenant = (name: string): string => `  ${name}: { keys: ["${KEYS[name] ?? ''}"] }`
  return `
providers:
${upstreams.map(provider).join('\n')}
models:
  chat:
    tier: small
${target}    deployments:
${upstreams.map(deployment).join('\n')}
tasks:
${CRITICALITIES.map(contract).join('\n')}
tenants:
${TENANTS.map(tenant).join('\n')}
`
}

export interface SystemOptions {
  readonly kind: SystemKind
  readonly cores: string
  readonly upstreams: readonly string[]
}

export async function startSystem({ kind, cores, upstreams }: SystemOptions): Promise<Started> {
  if (kind.main === null) {
    const scriptArguments = [upstreams[0] ?? '', String(BARE_CONNECTIONS)]
    return startProcess({ cores, script: BARE, scriptArguments })
  }
  const folder = mkdtempSync(join(tmpdir(), 'spillway-capacity-'))
  const config = join(folder, 'spillway.yaml')
  writeFileSync(config, configuration(upstreams, kind))
  const scriptArguments = ['serve', '--port', '0', '--data', join(folder, 'data'), '--config', config]
  const started = await startProcess({ cores, script: kind.main, scriptArguments })
  const stop = async (): Promise<void> => {
    await started.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...started, stop, [Symbol.asyncDispose]: stop }
}
