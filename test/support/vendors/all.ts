// Every vendor in front of one simulator, and a gateway in front of all of them.

import { type RunningServer, startServer, startSim } from '../server.js'
import { AWS, startBedrock } from './bedrock.js'
import type { Vendor } from './front.js'
import { GEMINI_KEY, VERTEX, startGemini, startVertex } from './google.js'
import { AZURE_KEY, IMITATIONS, startAzure, startAzureV1, startImitation } from './openai-like.js'

export const KEY = 'vendors-key-0001'

/** The model of each provider kind; each is answered by one vendor only. */
export const VENDOR_MODELS = {
  azure: 'gpt-on-azure',
  'azure, v1': 'gpt-on-azure-v1',
  bedrock: 'claude-on-bedrock',
  gemini: 'gemini-small',
  vertex: 'gemini-on-vertex',
  'vertex, Claude': 'claude-on-vertex',
  vllm: 'llama-on-vllm',
  'tensorrt-llm': 'llama-on-trt',
  sglang: 'llama-on-sglang',
  'llama.cpp': 'llama-on-llama-cpp',
  ollama: 'llama-on-ollama',
} as const

const IMITATED = {
  'llama-on-vllm': 'vllm',
  'llama-on-trt': 'tensorrt-llm',
  'llama-on-sglang': 'sglang',
  'llama-on-llama-cpp': 'llama-cpp',
  'llama-on-ollama': 'ollama',
} as const

export interface Vendors extends AsyncDisposable {
  readonly server: RunningServer
  readonly azure: Vendor
  readonly bedrock: Vendor
  readonly gemini: Vendor
  readonly vertex: Vendor
}

export async function startVendors(): Promise<Vendors> {
  const sim = await startSim(['--output-tokens', '24'])
  const azure = await startAzure(sim.url)
  const azureV1 = await startAzureV1(sim.url)
  const bedrock = await startBedrock(sim.url)
  const gemini = await startGemini(sim.url)
  const vertex = await startVertex(sim.url)
  const imitations = await Promise.all(
    Object.entries(IMITATED).map(
      async ([model, name]) => [model, await startImitation(sim.url, IMITATIONS[name])] as const,
    ),
  )
  const server = await startServer({
    config: configOf({ azure, azureV1, bedrock, gemini, vertex }, imitations),
  })
  const all = [server, azure, azureV1, bedrock, gemini, vertex, ...imitations.map(([, front]) => front), sim]
  const stop = async () => {
    for (const one of all) await one[Symbol.asyncDispose]()
  }
  return { server, azure, bedrock, gemini, vertex, [Symbol.asyncDispose]: stop }
}

function configOf(
  {
    azure,
    azureV1,
    bedrock,
    gemini,
    vertex,
  }: Readonly<Record<'azure' | 'azureV1' | 'bedrock' | 'gemini' | 'vertex', Vendor>>,
  imitated: readonly (readonly [string, Vendor])[],
): string {
  const price = 'price: { input: 0.15, output: 0.60 }'
  const model = (name: string, provider: string, upstream: string) =>
    `  ${name}: { tier: small, deployments: [{ provider: ${provider}, model: "${upstream}", ${price} }] }`
  return `
providers:
  azure: { kind: azure, base_url: "${azure.url}", api_version: "2024-10-21", api_key: ${AZURE_KEY} }
  azure-v1: { kind: azure, base_url: "${azureV1.url}", api_version: v1, api_key: ${AZURE_KEY} }
  bedrock: { kind: bedrock, region: ${AWS.region}, base_url: "${bedrock.url}",
             access_key_id: ${AWS.accessKeyId}, secret_access_key: ${AWS.secretAccessKey} }
  gemini: { kind: gemini, api_key: ${GEMINI_KEY}, base_url: "${gemini.url}" }
  vertex: { kind: vertex, project: ${VERTEX.project}, region: ${VERTEX.region}, access_token: ${VERTEX.token},
            base_url: "${vertex.url}" }
${imitated.map(([name, { url }]) => `  at-${name}: { kind: openai-compatible, base_url: "${url}/v1" }`).join('\n')}
models:
${model('gpt-on-azure', 'azure', 'gpt-4o-mini')}
${model('gpt-on-azure-v1', 'azure-v1', 'gpt-4o-mini')}
${model('claude-on-bedrock', 'bedrock', 'eu.anthropic.claude-3-5-haiku-20241022-v1:0')}
${model('titan-embeddings', 'bedrock', 'amazon.titan-embed-text-v2:0')}
${model('gemini-small', 'gemini', 'gemini-2.5-flash')}
${model('gemini-embeddings', 'gemini', 'gemini-embedding-001')}
${model('gemini-on-vertex', 'vertex', 'gemini-2.5-flash')}
${model('claude-on-vertex', 'vertex', 'claude-3-5-haiku@20241022')}
${imitated.map(([name]) => model(name, `at-${name}`, 'meta-llama/Llama-3.1-8B-Instruct')).join('\n')}
tasks:
  default: { route: { default: gpt-on-azure } }
tenants:
  acme: { keys: ["${KEY}"] }
`
}
