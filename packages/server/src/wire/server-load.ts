// How busy a self-hosted server says it is. vLLM, SGLang and llama.cpp tell it to Prometheus, TensorRT-LLM in
// a JSON of its own; all of them at `/metrics`.

import { isObject } from '../core/json.js'
import { type Parsed, invalid, parsed } from '../core/parsed.js'
import { parseJson } from './fields.js'

/** null: not said. */
export interface ServerLoad {
  readonly server: ServerName
  readonly running: number | null
  readonly waiting: number | null
  /** Of the memory for keys and values, 0..1. */
  readonly cacheUsedShare: number | null
}

export type ServerName = 'vllm' | 'sglang' | 'llama.cpp' | 'tensorrt-llm'

interface Gauges {
  readonly server: ServerName
  readonly running: string
  readonly waiting: string
  /** The name of today first. */
  readonly cache: readonly string[]
}

const GAUGES: readonly Gauges[] = [
  {
    server: 'vllm',
    running: 'vllm:num_requests_running',
    waiting: 'vllm:num_requests_waiting',
    cache: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
  },
  {
    server: 'sglang',
    running: 'sglang:num_running_reqs',
    waiting: 'sglang:num_queue_reqs',
    cache: ['sglang:token_usage'],
  },
  {
    server: 'llama.cpp',
    running: 'llamacpp:requests_processing',
    waiting: 'llamacpp:requests_deferred',
    cache: ['llamacpp:kv_cache_usage_ratio'],
  },
]

/** The processes that hold one model together each report all of its requests. */
const RANKS = /\b(?:tp_rank|pp_rank|moe_ep_rank)="[^"]*",?/g
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/

export function parseServerLoad(text: string): Parsed<ServerLoad> {
  const start = text.trimStart()[0]
  if (start === '[' || start === '{') return parseIterations(text)
  const samples = readSamples(text)
  const known = GAUGES.find(({ running, waiting }) => samples.has(running) || samples.has(waiting))
  if (known === undefined) return invalid('/metrics', 'the metrics of no server that is known here')
  const cache = known.cache.find((name) => samples.has(name))
  return parsed({
    server: known.server,
    running: total(samples.get(known.running)),
    waiting: total(samples.get(known.waiting)),
    cacheUsedShare: cache === undefined ? null : fullest(samples.get(cache)),
  })
}

/** By name, then by what tells one engine from another. */
type Samples = ReadonlyMap<string, ReadonlyMap<string, number>>

const WANTED = new Set(GAUGES.flatMap(({ running, waiting, cache }) => [running, waiting, ...cache]))

function readSamples(text: string): Samples {
  const samples = new Map<string, Map<string, number>>()
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    if (!WANTED.has(name)) continue
    const engine = labels.replace(RANKS, '')
    const engines = samples.get(name) ?? new Map<string, number>()
    engines.set(engine, Math.max(Number(value), engines.get(engine) ?? -Infinity))
    samples.set(name, engines)
  }
  return samples
}

function total(engines: ReadonlyMap<string, number> = new Map()): number | null {
  if (engines.size === 0) return null
  return count([...engines.values()].reduce((sum, value) => sum + value, 0))
}

function fullest(engines: ReadonlyMap<string, number> = new Map()): number | null {
  return share(Math.max(...engines.values()))
}

/** One object for every step of the engine since it was last asked; the last one is now. */
function parseIterations(text: string): Parsed<ServerLoad> {
  const body = parseJson(text)
  if (!Array.isArray(body)) return invalid('/metrics', 'no list of iterations')
  const last: unknown = body.at(-1)
  if (last === undefined) return invalid('/metrics', 'no iteration since it was last asked: it is idle')
  if (!isObject(last) || count(last['numActiveRequests']) === null)
    return invalid('/metrics', 'iterations that do not say how many requests are active')
  const cache = isObject(last['kvCacheStats']) ? last['kvCacheStats'] : {}
  const [used, blocks] = [count(cache['usedNumBlocks']), count(cache['maxNumBlocks'])]
  return parsed({
    server: 'tensorrt-llm',
    running: count(last['numActiveRequests']),
    waiting: count(last['numQueuedRequests']),
    cacheUsedShare: used === null || blocks === null || blocks === 0 ? null : share(used / blocks),
  })
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : null
}

function share(value: number): number | null {
  return value >= 0 && value <= 1 ? value : null
}
