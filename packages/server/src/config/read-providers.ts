// Who can be called. Keys of a provider depend on its kind, so the kind is read first.

import { didYouMean } from '@spillway/protocol'
import type { Hosting, ProviderCommon, ProviderConfig } from '../core/release/release.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import {
  asMap,
  filled,
  flag,
  mapOf,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  secret,
  text,
  whole,
} from './readers.js'
import { DEFAULT_SIMULATION, SIMULATION_FIELDS, simulationOf } from './read-simulation.js'
import type { MapTree, Tree } from './tree.js'

export const OPENAI_BASE_URL = 'https://api.openai.com/v1'
export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com'

const SERVED = ['openai', 'openai-compatible', 'anthropic', 'simulated', 'on-device'] as const
const LATER: readonly string[] = ['azure', 'bedrock', 'vertex', 'gemini']
type Kind = (typeof SERVED)[number]

const HOSTINGS = ['hosted', 'serverless', 'self-hosted', 'on-device'] as const satisfies readonly Hosting[]
const TIMEOUT_MS_DEFAULT = 60_000
const ON_DEVICE_SEQUENCES_DEFAULT = 2
const TIMEOUT_MS_MAX = 3_600_000

/** An http(s) address without its trailing slash, so that paths can be appended. */
const address: Reader<string> = {
  fallback: OPENAI_BASE_URL,
  read(tree, problems) {
    const url = normalBaseUrl(text.read(tree, problems))
    if (url !== null) return url
    problems.add(tree.offset, 'must be an address such as `https://host/v1`')
    return OPENAI_BASE_URL
  },
}

function normalBaseUrl(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') return null
  return url.href.replace(/\/+$/, '')
}

/** Anthropic's paths begin with `/v1` themselves; addresses are often copied with it. */
function anthropicBaseUrl(url: string): string {
  return url.replace(/\/v1$/, '')
}

const COMMON = {
  kind: required(text),
  hosting: optional(oneOf(HOSTINGS, 'hosting')),
  region: optional(text),
  /** Days the provider keeps prompts. Default: not known. */
  retention_days: optional(whole('days', 0)),
  trains_on_data: optional(flag),
  /** Longest wait for the first byte of one attempt, ms. Default 60000. */
  timeout_ms: optional(whole('ms', 1, TIMEOUT_MS_MAX), TIMEOUT_MS_DEFAULT),
  headers: optional(mapOf(secret)),
}

const openai = record({ ...COMMON, api_key: required(secret), base_url: optional(address, OPENAI_BASE_URL) })
const compatible = record({ ...COMMON, api_key: optional(secret), base_url: required(address) })
const anthropic = record({
  ...COMMON,
  api_key: required(secret),
  base_url: optional(address, ANTHROPIC_BASE_URL),
})
const simulated = record({ ...COMMON, ...SIMULATION_FIELDS })
const onDevice = record({
  ...COMMON,
  /** A GGUF file. What is relative starts at the folder of the configuration file. */
  model_path: required(filled),
  /** Default: half of the processors. */
  threads: optional(whole('threads', 1, 256)),
  /** Of one answer, prompt included. Default: what the model was trained for, at most 4096. */
  context_tokens: optional(whole('tokens', 64)),
  /** Answers generated at the same time; each needs memory of its own. Default 2. */
  sequences: optional(whole('sequences', 1, 64), ON_DEVICE_SEQUENCES_DEFAULT),
  /** Use the best kind of GPU that the library finds. Default false. */
  gpu: optional(flag, false),
})

type Common = Pick<typeof openai.fallback, Exclude<keyof typeof COMMON, 'kind'>>

const DEFAULT_HOSTING: Readonly<Record<Kind, Hosting>> = {
  openai: 'hosted',
  anthropic: 'hosted',
  'openai-compatible': 'self-hosted',
  simulated: 'self-hosted',
  'on-device': 'on-device',
}

function common(name: string, kind: Kind, values: Common | null): ProviderCommon {
  return {
    name,
    hosting: values?.hosting ?? DEFAULT_HOSTING[kind],
    region: values?.region ?? null,
    retentionDays: values?.retention_days ?? null,
    trainsOnData: values?.trains_on_data ?? null,
    timeoutMs: values?.timeout_ms ?? TIMEOUT_MS_DEFAULT,
    headers: Object.fromEntries(values?.headers ?? []),
  }
}

export function readProviders(tree: Tree, problems: Problems): ReadonlyMap<string, ProviderConfig> {
  const providers = new Map<string, ProviderConfig>()
  for (const [name, { keyOffset, value }] of asMap(tree, problems)?.entries ?? []) {
    checkName(name, keyOffset, problems)
    const map = asMap(value, problems)
    const kind = map && readKind(map, problems)
    if (kind) providers.set(name, readProvider({ name, kind }, map, problems))
  }
  return providers
}

function readKind(map: MapTree, problems: Problems): Kind | null {
  const entry = map.entries.get('kind')
  if (!entry) {
    problems.add(map.offset, `\`kind\` is missing; one of ${SERVED.map((kind) => `\`${kind}\``).join(', ')}`)
    return null
  }
  const word = text.read(entry.value, problems)
  const kind = SERVED.find((known) => known === word)
  if (kind) return kind
  const { offset } = entry.value
  if (LATER.includes(word))
    problems.add(offset, `the provider kind \`${word}\` is not available in this version`)
  else if (word !== '') problems.add(offset, `unknown provider kind; ${didYouMean(word, SERVED)}`)
  return null
}

function readProvider(
  { name, kind }: { readonly name: string; readonly kind: Kind },
  map: MapTree,
  problems: Problems,
): ProviderConfig {
  switch (kind) {
    case 'openai': {
      const values = openai.read(map, problems)
      return { kind, ...common(name, kind, values), apiKey: values.api_key, baseUrl: values.base_url }
    }
    case 'openai-compatible': {
      const values = compatible.read(map, problems)
      return { kind, ...common(name, kind, values), apiKey: values.api_key, baseUrl: values.base_url }
    }
    case 'anthropic': {
      const values = anthropic.read(map, problems)
      const url = anthropicBaseUrl(values.base_url)
      return { kind, ...common(name, kind, values), apiKey: values.api_key, baseUrl: url }
    }
    case 'simulated': {
      const values = simulated.read(map, problems)
      return { kind, ...common(name, kind, values), simulation: simulationOf(values) }
    }
    case 'on-device': {
      const values = onDevice.read(map, problems)
      const { model_path: modelPath, context_tokens: contextTokens, threads, sequences, gpu } = values
      return { kind, ...common(name, kind, values), modelPath, threads, contextTokens, sequences, gpu }
    }
  }
}

/** Without a `providers` key: whatever the environment has keys for, else the simulated provider alone. */
export function impliedProviders(
  env: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): ReadonlyMap<string, ProviderConfig> {
  const providers = new Map<string, ProviderConfig>()
  const baseOf = (variable: string, otherwise: string): string => {
    const url = normalBaseUrl(env[variable] || otherwise)
    if (url === null) problems.add(0, `the environment variable \`${variable}\` must be an http(s) address`)
    return url ?? otherwise
  }
  const { OPENAI_API_KEY, ANTHROPIC_API_KEY } = env
  if (OPENAI_API_KEY) {
    const baseUrl = baseOf('OPENAI_BASE_URL', OPENAI_BASE_URL)
    providers.set('openai', {
      kind: 'openai',
      ...common('openai', 'openai', null),
      apiKey: OPENAI_API_KEY,
      baseUrl,
    })
  }
  if (ANTHROPIC_API_KEY) {
    const baseUrl = anthropicBaseUrl(baseOf('ANTHROPIC_BASE_URL', ANTHROPIC_BASE_URL))
    const shared = common('anthropic', 'anthropic', null)
    providers.set('anthropic', { kind: 'anthropic', ...shared, apiKey: ANTHROPIC_API_KEY, baseUrl })
  }
  if (providers.size === 0) {
    const simulation = DEFAULT_SIMULATION
    providers.set('sim', { kind: 'simulated', ...common('sim', 'simulated', null), simulation })
  }
  return providers
}
