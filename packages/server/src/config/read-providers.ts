// Who can be called. Keys of a provider depend on its kind, so the kind is read first.

import { didYouMean } from '@spillway/protocol'
import type { ProviderConfig } from '../core/release/release.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import { address, COMMON, common, normalBaseUrl } from './provider-fields.js'
import { CLOUD_KINDS, isCloudKind, readCloudProvider } from './read-cloud-providers.js'
import { asMap, filled, flag, optional, record, required, secret, text, whole } from './readers.js'
import { DEFAULT_SIMULATION, SIMULATION_FIELDS, simulationOf } from './read-simulation.js'
import type { MapTree, Tree } from './tree.js'

export const OPENAI_BASE_URL = 'https://api.openai.com/v1'
export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com'
export const GEMINI_BASE_URL = 'https://generativelanguage.googleapis.com'

const SERVED = [
  'openai',
  'openai-compatible',
  'anthropic',
  'gemini',
  ...CLOUD_KINDS,
  'simulated',
  'on-device',
] as const
type Kind = (typeof SERVED)[number]

const ON_DEVICE_SEQUENCES_DEFAULT = 2

/** Anthropic's paths begin with `/v1` themselves; addresses are often copied with it. */
function anthropicBaseUrl(url: string): string {
  return url.replace(/\/v1$/, '')
}

/** The same for Gemini's `/v1beta`. */
function geminiBaseUrl(url: string): string {
  return url.replace(/\/v1beta$/, '')
}

const openai = record({ ...COMMON, api_key: required(secret), base_url: optional(address, OPENAI_BASE_URL) })
const compatible = record({ ...COMMON, api_key: optional(secret), base_url: required(address) })
const anthropic = record({
  ...COMMON,
  api_key: required(secret),
  base_url: optional(address, ANTHROPIC_BASE_URL),
})
const gemini = record({ ...COMMON, api_key: required(secret), base_url: optional(address, GEMINI_BASE_URL) })
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

/** `shown`: what a message says instead of the path, which may be a secret. */
export type DeviceLook = (
  modelPath: string,
  shown?: string,
) => { readonly key: 'model_path' | 'kind'; readonly message: string } | null

export function readProviders(
  tree: Tree,
  problems: Problems,
  deviceProblem: DeviceLook = () => null,
): ReadonlyMap<string, ProviderConfig> {
  const providers = new Map<string, ProviderConfig>()
  for (const [name, { keyOffset, value }] of asMap(tree, problems)?.entries ?? []) {
    checkName(name, keyOffset, problems)
    const map = asMap(value, problems)
    const kind = map && readKind(map, problems)
    if (!kind) continue
    const provider = readProvider({ name, kind }, map, problems)
    providers.set(name, provider)
    if (provider.kind === 'on-device') lookAt(provider.modelPath, map, { problems, deviceProblem })
  }
  return providers
}

function lookAt(
  modelPath: string,
  map: MapTree,
  { problems, deviceProblem }: { readonly problems: Problems; readonly deviceProblem: DeviceLook },
): void {
  const written = map.entries.get('model_path')?.value
  if (modelPath === '' || written?.kind !== 'scalar') return
  const found = deviceProblem(modelPath, written.substituted ? 'that the environment names' : undefined)
  if (found !== null) problems.add(map.entries.get(found.key)?.value.offset ?? map.offset, found.message)
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
  if (word !== '') problems.add(offset, `unknown provider kind; ${didYouMean(word, SERVED)}`)
  return null
}

function readProvider(
  { name, kind }: { readonly name: string; readonly kind: Kind },
  map: MapTree,
  problems: Problems,
): ProviderConfig {
  if (isCloudKind(kind)) return readCloudProvider({ name, kind }, map, problems)
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
    case 'gemini': {
      const values = gemini.read(map, problems)
      const url = geminiBaseUrl(values.base_url)
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
  const add = (kind: 'openai' | 'anthropic' | 'gemini', apiKey: string, baseUrl: string): void => {
    providers.set(kind, { kind, ...common(kind, kind, null), apiKey, baseUrl })
  }
  const { OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY } = env
  if (OPENAI_API_KEY) add('openai', OPENAI_API_KEY, baseOf('OPENAI_BASE_URL', OPENAI_BASE_URL))
  if (ANTHROPIC_API_KEY)
    add('anthropic', ANTHROPIC_API_KEY, anthropicBaseUrl(baseOf('ANTHROPIC_BASE_URL', ANTHROPIC_BASE_URL)))
  if (GEMINI_API_KEY) add('gemini', GEMINI_API_KEY, geminiBaseUrl(baseOf('GEMINI_BASE_URL', GEMINI_BASE_URL)))
  if (providers.size === 0) {
    const simulation = DEFAULT_SIMULATION
    providers.set('sim', { kind: 'simulated', ...common('sim', 'simulated', null), simulation })
  }
  return providers
}
