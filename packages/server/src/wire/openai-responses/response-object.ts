// The `response` object as this API documents it. Most of it repeats the request: what the caller left out is
// told as the API's default.

import { isObject, type Json, type JsonObject } from '../../core/json.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import { asJsonObject } from '../fields.js'
import { encodeResponsesUsage } from '../usage.js'

export interface ResponseParts {
  readonly id: string
  readonly createdSeconds: number
  readonly model: string
  readonly status: 'in_progress' | 'completed' | 'incomplete'
  readonly incompleteReason: string | null
  readonly output: readonly JsonObject[]
  readonly usage: ReportedUsage | null
  /** What `echoOf` repeats of the request. */
  readonly echo: JsonObject
}

export function responseObject(parts: ResponseParts): JsonObject {
  const { id, createdSeconds, model, status, incompleteReason, output, usage, echo } = parts
  return {
    id,
    object: 'response',
    created_at: createdSeconds,
    status,
    background: false,
    error: null,
    incomplete_details: incompleteReason === null ? null : { reason: incompleteReason },
    instructions: echo['instructions'] ?? null,
    max_output_tokens: echo['max_output_tokens'] ?? null,
    max_tool_calls: echo['max_tool_calls'] ?? null,
    model,
    output,
    parallel_tool_calls: echo['parallel_tool_calls'] ?? true,
    previous_response_id: echo['previous_response_id'] ?? null,
    prompt_cache_key: echo['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...objectOf(echo['reasoning']) },
    safety_identifier: echo['safety_identifier'] ?? null,
    service_tier: 'default',
    store: echo['store'] ?? true,
    temperature: echo['temperature'] ?? 1,
    text: { format: { type: 'text' }, ...objectOf(echo['text']) },
    tool_choice: echo['tool_choice'] ?? 'auto',
    tools: echo['tools'] ?? [],
    top_logprobs: echo['top_logprobs'] ?? 0,
    top_p: echo['top_p'] ?? 1,
    truncation: echo['truncation'] ?? 'disabled',
    usage: usage === null ? null : encodeResponsesUsage(usage.tokens),
    user: echo['user'] ?? null,
    metadata: echo['metadata'] ?? {},
  }
}

/** JSON characters. Longer instructions and tools are not repeated: each stream would carry them thrice. */
const REPEATED_CHARS_MAX = 128 * 1024

/** Of the caller's body, what its response repeats. */
export function echoOf(request: unknown): JsonObject {
  if (!isObject(request)) return {}
  const { instructions, tools, input: _input, ...rest } = asJsonObject(request)
  return {
    ...rest,
    ...(typeof instructions === 'string' && instructions.length > REPEATED_CHARS_MAX ? {} : { instructions }),
    ...(tools !== undefined && JSON.stringify(tools).length > REPEATED_CHARS_MAX ? {} : { tools }),
  }
}

/** Every id of this API begins with what it names; another provider's id does not. */
export function responseId(id: string): string {
  if (id.startsWith('resp_')) return id
  return `resp_${id === '' ? 'unknown' : id.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`
}

const PREFIXES = { message: 'msg', call: 'fc', reasoning: 'rs_spillway' } as const

/** How ids of thoughts begin that got theirs here. */
export const OUR_REASONING = `${PREFIXES.reasoning}_`

/** Ids of items follow from the response's, so that the same answer has the same ids. */
export function itemId(kind: keyof typeof PREFIXES, response: string, index: number): string {
  return `${PREFIXES[kind]}_${response.slice('resp_'.length)}_${index}`
}

/** The same response under another id, and what it says and calls under ids that follow from that. */
export function withId(body: unknown, id: string): unknown {
  if (!isObject(body)) return body
  const named = responseId(id)
  const { output } = body
  const items = Array.isArray(output)
    ? output.map((item: unknown, index) => itemUnder(item, named, index))
    : output
  return { ...body, id: named, output: items }
}

/** Thoughts and tools of the provider's own are known to it by their ids, and keep them. */
function itemUnder(item: unknown, response: string, index: number): unknown {
  if (!isObject(item)) return item
  if (item['type'] === 'message') return { ...item, id: itemId('message', response, index) }
  return item['type'] === 'function_call' ? { ...item, id: itemId('call', response, index) } : item
}

/** Whether a thought got its id here: then its proof is another provider's, and means nothing to OpenAI. */
export function isOurReasoning(id: string): boolean {
  return id.startsWith(OUR_REASONING)
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? asJsonObject(value) : {}
}
