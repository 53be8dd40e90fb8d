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
  /** The caller's body. */
  readonly request: unknown
}

export function responseObject(parts: ResponseParts): JsonObject {
  const { id, createdSeconds, model, status, incompleteReason, output, usage, request } = parts
  const asked: JsonObject = isObject(request) ? asJsonObject(request) : {}
  return {
    id,
    object: 'response',
    created_at: createdSeconds,
    status,
    background: false,
    error: null,
    incomplete_details: incompleteReason === null ? null : { reason: incompleteReason },
    instructions: asked['instructions'] ?? null,
    max_output_tokens: asked['max_output_tokens'] ?? null,
    max_tool_calls: asked['max_tool_calls'] ?? null,
    model,
    output,
    parallel_tool_calls: asked['parallel_tool_calls'] ?? true,
    previous_response_id: asked['previous_response_id'] ?? null,
    prompt_cache_key: asked['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...objectOf(asked['reasoning']) },
    safety_identifier: asked['safety_identifier'] ?? null,
    service_tier: 'default',
    store: asked['store'] ?? true,
    temperature: asked['temperature'] ?? 1,
    text: { format: { type: 'text' }, ...objectOf(asked['text']) },
    tool_choice: asked['tool_choice'] ?? 'auto',
    tools: asked['tools'] ?? [],
    top_logprobs: asked['top_logprobs'] ?? 0,
    top_p: asked['top_p'] ?? 1,
    truncation: asked['truncation'] ?? 'disabled',
    usage: usage === null ? null : encodeResponsesUsage(usage.tokens),
    user: asked['user'] ?? null,
    metadata: asked['metadata'] ?? {},
  }
}

/** Every id of this API begins with what it names; another provider's id does not. */
export function responseId(id: string): string {
  if (id.startsWith('resp_')) return id
  return `resp_${id === '' ? 'unknown' : id.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`
}

const PREFIXES = { message: 'msg', call: 'fc', reasoning: 'rs' } as const

/** Ids of items follow from the response's, so that the same answer has the same ids. */
export function itemId(kind: keyof typeof PREFIXES, response: string, index: number): string {
  return `${PREFIXES[kind]}_${response.slice('resp_'.length)}_${index}`
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? asJsonObject(value) : {}
}
