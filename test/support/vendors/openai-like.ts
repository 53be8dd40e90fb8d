// Servers that speak OpenAI's format with an accent: Azure, and the open servers people host themselves.

import {
  type SimAnswer,
  type Vendor,
  type VendorAnswer,
  type VendorCall,
  askSim,
  dataOf,
  json,
  startVendor,
  textOf,
} from './front.js'
import { type AboutItself, tellAboutItself } from './about-itself.js'

type Fields = Record<string, unknown>

/** Changes one parsed chunk, or drops it, or puts others around it. */
type Accent = (chunk: Fields) => readonly Fields[]

async function relayed(
  answer: SimAnswer,
  accent: Accent,
  first: readonly Fields[] = [],
): Promise<VendorAnswer> {
  const type = answer.headers.get('content-type') ?? 'application/json'
  if (!type.startsWith('text/event-stream')) {
    const body = JSON.parse(await textOf(answer)) as Fields
    const [changed = body] = answer.status === 200 ? accent(body) : [body]
    return json(answer.status, changed, retryHeaders(answer))
  }
  return { status: 200, headers: { 'content-type': type }, body: frames(answer.body, accent, first) }
}

function retryHeaders({ headers }: SimAnswer): Record<string, string> {
  const after = headers.get('retry-after')
  return after === null ? {} : { 'retry-after': after }
}

async function* frames(body: AsyncIterable<Uint8Array>, accent: Accent, first: readonly Fields[]) {
  for (const chunk of first) yield frame(chunk)
  for await (const data of dataOf(body)) {
    if (data === '[DONE]') yield 'data: [DONE]\n\n'
    else for (const chunk of accent(JSON.parse(data) as Fields)) yield frame(chunk)
  }
}

function frame(chunk: Fields): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

export const AZURE_KEY = 'azure-key-0001'
const NO_FILTER = { filtered: false, severity: 'safe' }
const FILTERED = { hate: NO_FILTER, self_harm: NO_FILTER, sexual: NO_FILTER, violence: NO_FILTER }

/** The dated surface: a deployment in the path, the version in the query, the key in `api-key`. */
export function startAzure(simUrl: string): Promise<Vendor> {
  return startVendor(async (call) => {
    const found = /^\/openai\/deployments\/([^/]+)\/(chat\/completions|embeddings)$/.exec(call.path)
    if (call.headers['api-key'] !== AZURE_KEY) return json(401, { error: AZURE_DENIED })
    if (found === null || !/^20\d\d-/.test(call.query.get('api-version') ?? ''))
      return json(404, { error: { code: '404', message: 'Resource not found' } })
    const [, deployment = '', operation = ''] = found
    const body = { ...bodyOf(call), model: decodeURIComponent(deployment) }
    const answer = await askSim(simUrl, `/v1/${operation}`, body)
    if (operation === 'embeddings') return relayed(answer, (chunk) => [chunk])
    return relayed(answer, azureAccent, [AZURE_FIRST])
  })
}

/** The surface without dates: addressed like OpenAI's own, and its responses are OpenAI's, byte for byte. */
export function startAzureV1(simUrl: string): Promise<Vendor> {
  return startVendor(async (call) => {
    const [, operation] = /^\/openai\/v1\/(chat\/completions|embeddings|responses)$/.exec(call.path) ?? []
    if (call.headers['api-key'] !== AZURE_KEY) return json(401, { error: AZURE_DENIED })
    if (operation === undefined || (call.query.get('api-version') ?? 'preview') !== 'preview')
      return json(404, { error: { code: '404', message: 'Resource not found' } })
    const answer = await askSim(simUrl, `/v1/${operation}`, bodyOf(call))
    if (operation === 'chat/completions') return relayed(answer, azureAccent, [AZURE_FIRST])
    const type = answer.headers.get('content-type') ?? 'application/json'
    return {
      status: answer.status,
      headers: { 'content-type': type, ...retryHeaders(answer) },
      body: answer.body,
    }
  })
}

const AZURE_DENIED = {
  code: '401',
  message:
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key ' +
    'for an active subscription and use a correct regional API endpoint for your resource.',
}

/** Comes before everything else, with an empty id and no choices. */
const AZURE_FIRST = {
  choices: [],
  created: 0,
  id: '',
  model: '',
  object: '',
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTERED }],
}

const azureAccent: Accent = (chunk) => {
  const choices = (chunk['choices'] as readonly Fields[]).map((choice) => ({
    ...choice,
    content_filter_results: FILTERED,
  }))
  return [{ ...chunk, choices, system_fingerprint: 'fp_0123456789' }]
}

/** How a server that only imitates OpenAI differs. */
export interface Imitation {
  /** Where usage comes in a stream: in the last content chunk, in every chunk, after it, or never. */
  readonly usage: 'own' | 'with-finish' | 'every' | 'never'
  /** `missing`: tool calls without an index; `zero`: all of them numbered 0. */
  readonly toolIndex: 'right' | 'missing' | 'zero'
  /** Tool calls arrive whole in one delta. */
  readonly more?: Fields
  /** Default nothing. */
  readonly about?: AboutItself
}

export const IMITATIONS = {
  vllm: {
    usage: 'own',
    toolIndex: 'right',
    more: { prompt_logprobs: null, kv_transfer_params: null },
    about: { models: 'vllm.json', up: '/health', metrics: 'vllm.txt' },
  },
  'tensorrt-llm': {
    usage: 'with-finish',
    toolIndex: 'right',
    about: { models: 'vllm.json', up: '/health', metrics: 'tensorrt-llm.json' },
  },
  sglang: {
    usage: 'every',
    toolIndex: 'right',
    more: { metadata: { weight_version: 'default' } },
    about: { models: 'vllm.json', up: '/health', metrics: 'sglang.txt' },
  },
  'llama-cpp': {
    usage: 'with-finish',
    toolIndex: 'right',
    more: { timings: { predicted_per_second: 51.2 } },
    about: { models: 'llama-cpp.json', up: '/health', metrics: 'llama-cpp.txt' },
  },
  ollama: {
    usage: 'own',
    toolIndex: 'zero',
    more: { system_fingerprint: 'fp_ollama' },
    about: { models: 'ollama.json', up: '/api/version', metrics: null },
  },
  'no-usage': { usage: 'never', toolIndex: 'missing' },
} as const satisfies Readonly<Record<string, Imitation>>

export function startImitation(simUrl: string, imitation: Imitation): Promise<Vendor> {
  return startVendor(async (call) => {
    const told = imitation.about === undefined ? null : await tellAboutItself(imitation.about, call)
    if (told !== null) return told
    if (call.method !== 'POST' || !call.path.startsWith('/v1/')) return json(404, { detail: 'Not Found' })
    const answer = await askSim(simUrl, call.path, bodyOf(call))
    return relayed(answer, imitated(imitation))
  })
}

function imitated({ usage, toolIndex, more = {} }: Imitation): Accent {
  let finish: Fields | null = null
  return (chunk) => {
    const renumbered = { ...chunk, ...more, choices: choicesOf(chunk).map((one) => renumber(one, toolIndex)) }
    if (chunk['object'] !== 'chat.completion.chunk') {
      return [usage === 'never' ? { ...renumbered, usage: undefined } : renumbered]
    }
    const isUsage = choicesOf(chunk).length === 0
    if (usage === 'own') return [renumbered]
    if (isUsage && usage === 'never') return []
    if (usage === 'every' && !isUsage) {
      const sofar = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
      return [{ ...renumbered, usage: sofar }]
    }
    if (usage !== 'with-finish') return [renumbered]
    if (choicesOf(chunk).some((one) => one['finish_reason'] !== null)) {
      finish = renumbered
      return []
    }
    if (!isUsage || finish === null) return [renumbered]
    return [{ ...finish, usage: chunk['usage'] }]
  }
}

function choicesOf(chunk: Fields): readonly Fields[] {
  return Array.isArray(chunk['choices']) ? (chunk['choices'] as readonly Fields[]) : []
}

function renumber(choice: Fields, toolIndex: Imitation['toolIndex']): Fields {
  const delta = choice['delta'] as Fields | undefined
  const calls = delta?.['tool_calls'] as readonly Fields[] | undefined
  if (calls === undefined || toolIndex === 'right') return choice
  const tool_calls = calls.map(({ index, ...call }) =>
    toolIndex === 'zero' ? { ...call, index: typeof index === 'number' ? 0 : index } : call,
  )
  return { ...choice, delta: { ...delta, tool_calls } }
}

function bodyOf(call: VendorCall): Fields {
  return JSON.parse(call.body.toString('utf8')) as Fields
}
