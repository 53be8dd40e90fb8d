// One front that is every vendor at once, and a gateway before it. What it answers hangs on the model it is
// asked for, so that many faults can be met at the same time, each by models and contracts of its own.

import { type RunningServer, startServer } from '../server.js'
import { SECRETS, type VendorName } from './fault.js'
import { type VendorAnswer, type VendorCall, startVendor } from './front.js'

export const SCRIPTED_KEY = 'scripted-key-0001'

export interface Script {
  readonly vendor: VendorName
  /** Given how often this model was asked before. */
  readonly answer: (times: number, call: VendorCall) => VendorAnswer
  /** How the vendor calls the model; `#` is replaced by a number that tells the scripts apart. */
  readonly model?: string
  /** null: it has none. Default `PRICE`. */
  readonly price?: Price | null
}

export interface ScriptedOptions {
  /** Of the gateway. */
  readonly env?: Readonly<Record<string, string>>
  /** The clouds' own chains find the credentials, by what is in `env`. Default false. */
  readonly chains?: boolean
}

export interface Scripted extends AsyncDisposable {
  readonly server: RunningServer
  /** Calls the vendor saw for the script with this number. */
  calls(index: number): readonly VendorCall[]
}

/** Dollars per million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

/** Of every model but `spare`. */
export const PRICE: Price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 }
export const SPARE_PRICE: Price = { input: 3, output: 6, cacheRead: 0.3, cacheWrite: 3.75 }
export const LIMIT_USD = 0.5

const NAMES: Readonly<Record<VendorName, string>> = {
  azure: 'gpt-f#',
  bedrock: 'anthropic.claude-f#',
  gemini: 'gemini-f#',
  vertex: 'gemini-f#',
  openai: 'gpt-f#',
  anthropic: 'claude-f#',
  vllm: 'llama-f#',
}

/**
 * Script `i` is model `f<i>`. Contract `alone<i>` has that model and two attempts; `spared<i>` has four and may
 * fall back to `spare`, which always answers.
 */
export async function startScripted(
  scripts: readonly Script[],
  { env = {}, chains = false }: ScriptedOptions = {},
): Promise<Scripted> {
  const seen = new Map<number, VendorCall[]>()
  const front = await startVendor((call) => {
    const index = Number(/-f(\d+)\b/.exec(`${call.path} ${modelOf(call)}`)?.[1] ?? 'NaN')
    const script = scripts[index]
    if (script === undefined) return Promise.resolve(SPARE)
    const calls = seen.get(index) ?? []
    seen.set(index, [...calls, call])
    return Promise.resolve(script.answer(calls.length, call))
  })
  const server = await startServer({ config: configOf(front.url, scripts, chains), env })
  const stop = async () => {
    await server[Symbol.asyncDispose]()
    await front[Symbol.asyncDispose]()
  }
  return { server, calls: (index) => seen.get(index) ?? [], [Symbol.asyncDispose]: stop }
}

function modelOf({ body }: VendorCall): string {
  const json = JSON.parse(body.toString('utf8') || '{}') as { model?: unknown }
  return typeof json.model === 'string' ? json.model : ''
}

/** A whole chat completion: whoever falls back asks for one. */
const SPARE: VendorAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'spare',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Spared.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  }),
}

function configOf(url: string, scripts: readonly Script[], chains: boolean): string {
  const aws = `access_key_id: AKIDEXAMPLE0002, secret_access_key: "${SECRETS.bedrock}", `
  const google = `access_token: "${SECRETS.vertex}", `
  const price = (of: Price) =>
    `price: { input: ${of.input}, output: ${of.output}, cache_read: ${of.cacheRead}, cache_write: ${of.cacheWrite} }`
  const models = scripts.map(({ vendor, model = NAMES[vendor], price: own = PRICE }, index) => {
    const upstream = model.replace('#', String(index))
    return `  f${index}: { tier: small, deployments: [{ provider: ${vendor}, model: "${upstream}"${own === null ? '' : `, ${price(own)}`} }] }`
  })
  const tasks = scripts.flatMap((_, index) => [
    `  alone${index}: { route: { default: f${index} } }`,
    `  spared${index}: { retries: { max_attempts: 4 }, route: { default: f${index}, escalate_if: [{ condition: "plan == 'x'", model: spare }] } }`,
  ])
  return `
providers:
  azure: { kind: azure, base_url: "${url}", api_version: "2024-10-21", api_key: "${SECRETS.azure}" }
  bedrock: { kind: bedrock, ${chains ? '' : aws}region: eu-west-1, base_url: "${url}" }
  gemini: { kind: gemini, base_url: "${url}", api_key: "${SECRETS.gemini}" }
  vertex: { kind: vertex, ${chains ? '' : google}project: p, region: europe-west4, base_url: "${url}" }
  openai: { kind: openai, base_url: "${url}/v1", api_key: "${SECRETS.openai}" }
  anthropic: { kind: anthropic, base_url: "${url}", api_key: "${SECRETS.anthropic}" }
  vllm: { kind: openai-compatible, base_url: "${url}/v1", api_key: "${SECRETS.vllm}", timeout_ms: 2000 }
models:
${models.join('\n')}
  spare: { tier: small, deployments: [{ provider: vllm, model: spare, ${price(SPARE_PRICE)} }] }
defaults:
  degrade: []
  retries: { max_attempts: 2 }
  budget: { max_cost_usd: ${LIMIT_USD}, max_latency_ms: 30000 }
  route: { default: spare }
tasks:
  default: {}
${tasks.join('\n')}
tenants:
  acme: { keys: ["${SCRIPTED_KEY}"] }
`
}
