// Token usage of each format <-> disjoint classes, normalised here and nowhere else. OpenAI counts cached and
// audio tokens into the prompt and reasoning into the completion; Anthropic leaves both cache classes out of
// the input. What cannot be true (negative, fractional, text, a part larger than its whole) is no usage at
// all: null.

import { isObject, type JsonObject } from '../core/json.js'
import { type ReportedUsage, type TokenCounts, inputTotal, outputTotal } from '../core/money/token-counts.js'

/** undefined: cannot be a count. */
function count(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function counts<Name extends string>(source: unknown, names: readonly Name[]): Record<Name, number> | null {
  const found: Partial<Record<Name, number>> = {}
  const object = isObject(source) ? source : {}
  for (const name of names) {
    const value = count(object[name])
    if (value === undefined) return null
    found[name] = value
  }
  return found as Record<Name, number>
}

/** `usage` of a chat completion or of a stream's chunk. */
export function readOpenAiUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage)) return null
  if (typeof usage['prompt_tokens'] !== 'number' || typeof usage['completion_tokens'] !== 'number')
    return null
  const sums = counts(usage, ['prompt_tokens', 'completion_tokens', 'total_tokens'])
  const prompt = counts(usage['prompt_tokens_details'], [
    'cached_tokens',
    'cache_write_tokens',
    'audio_tokens',
  ])
  const completion = counts(usage['completion_tokens_details'], ['reasoning_tokens', 'audio_tokens'])
  if (sums === null || prompt === null || completion === null) return null
  const input = inputClasses(sums.prompt_tokens, prompt)
  const output = outputClasses(sums, completion)
  if (input === null || output === null) return null
  const total = typeof usage['total_tokens'] === 'number' ? sums.total_tokens : null
  return {
    tokens: {
      input: input.input,
      cacheRead: input.cacheRead,
      cacheWrite: input.cacheWrite,
      cacheWrite1h: input.cacheWrite1h,
      output: output.output,
      reasoning: output.reasoning,
      audioInput: input.audioInput,
      audioOutput: output.audioOutput,
    },
    providerTotals: { input: sums.prompt_tokens, output: sums.completion_tokens, total },
  }
}

type InputClasses = Pick<TokenCounts, 'input' | 'cacheRead' | 'cacheWrite' | 'cacheWrite1h' | 'audioInput'>
type OutputClasses = Pick<TokenCounts, 'output' | 'reasoning' | 'audioOutput'>

function inputClasses(
  total: number,
  parts: { cached_tokens: number; cache_write_tokens: number; audio_tokens: number },
): InputClasses | null {
  const { cached_tokens: cacheRead, cache_write_tokens: written, audio_tokens: audio } = parts
  if (cacheRead > total || written > total || audio > total) return null
  // Cached audio is in both parts: what overlaps counts once, as cached.
  const cacheWrite = Math.min(written, total - cacheRead)
  const audioInput = Math.min(audio, total - cacheRead - cacheWrite)
  return {
    input: total - cacheRead - cacheWrite - audioInput,
    cacheRead,
    cacheWrite,
    cacheWrite1h: 0,
    audioInput,
  }
}

function outputClasses(
  sums: { prompt_tokens: number; completion_tokens: number; total_tokens: number },
  parts: { reasoning_tokens: number; audio_tokens: number },
): OutputClasses | null {
  const { reasoning_tokens: reasoning, audio_tokens: audioOutput } = parts
  const completion = sums.completion_tokens
  // Some providers (xAI, Gemini's compatible route) leave reasoning out of the completion; their total tells.
  const apart = reasoning > 0 && sums.total_tokens === sums.prompt_tokens + completion + reasoning
  const visible = apart ? completion - audioOutput : completion - reasoning - audioOutput
  return visible < 0 ? null : { output: visible, reasoning, audioOutput }
}

/** `usage` of an embeddings answer: only a prompt. */
export function readEmbeddingsUsage(usage: unknown): ReportedUsage | null {
  return isObject(usage) ? readOpenAiUsage({ completion_tokens: 0, ...usage }) : null
}

export function encodeOpenAiUsage(tokens: TokenCounts): JsonObject {
  const written = tokens.cacheWrite + tokens.cacheWrite1h
  return {
    prompt_tokens: inputTotal(tokens),
    completion_tokens: outputTotal(tokens),
    total_tokens: inputTotal(tokens) + outputTotal(tokens),
    prompt_tokens_details: {
      cached_tokens: tokens.cacheRead,
      ...(written > 0 ? { cache_write_tokens: written } : {}),
      audio_tokens: tokens.audioInput,
    },
    completion_tokens_details: { reasoning_tokens: tokens.reasoning, audio_tokens: tokens.audioOutput },
  }
}

const ANTHROPIC_SUMS = [
  'input_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'output_tokens',
] as const

/**
 * `usage` of a message. For a stream, of `message_start` and `message_delta` merged by
 * `mergeAnthropicUsage`.
 */
export function readAnthropicUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage) || typeof usage['output_tokens'] !== 'number') return null
  const sums = counts(usage, ANTHROPIC_SUMS)
  const written = counts(usage['cache_creation'], ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens'])
  const thinking = counts(usage['output_tokens_details'], ['thinking_tokens'])
  if (sums === null || written === null || thinking === null) return null
  const cacheWrite1h = written.ephemeral_1h_input_tokens
  const allWritten = Math.max(
    sums.cache_creation_input_tokens,
    written.ephemeral_5m_input_tokens + cacheWrite1h,
  )
  const reasoning = thinking.thinking_tokens
  if (reasoning > sums.output_tokens) return null
  const tokens: TokenCounts = {
    input: sums.input_tokens,
    cacheRead: sums.cache_read_input_tokens,
    cacheWrite: allWritten - cacheWrite1h,
    cacheWrite1h,
    output: sums.output_tokens - reasoning,
    reasoning,
    audioInput: 0,
    audioOutput: 0,
  }
  return { tokens, providerTotals: { input: inputTotal(tokens), output: sums.output_tokens, total: null } }
}

/**
 * The usage so far of an Anthropic stream: the counts are cumulative, so the larger one stands, and a
 * `message_delta` that leaves the input out (or says 0) does not forget what `message_start` said.
 */
export function mergeAnthropicUsage(before: unknown, later: unknown): unknown {
  if (!isObject(before)) return later
  if (!isObject(later)) return before
  const merged: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(later)) {
    if (value === null || value === undefined) continue
    const known = merged[key]
    if (typeof value === 'number' && typeof known === 'number') merged[key] = Math.max(known, value)
    else merged[key] = isObject(value) && isObject(known) ? mergeAnthropicUsage(known, value) : value
  }
  return merged
}

export function encodeAnthropicUsage(tokens: TokenCounts): JsonObject {
  return {
    input_tokens: tokens.input + tokens.audioInput,
    cache_creation_input_tokens: tokens.cacheWrite + tokens.cacheWrite1h,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: tokens.cacheWrite,
      ephemeral_1h_input_tokens: tokens.cacheWrite1h,
    },
    output_tokens: outputTotal(tokens),
    ...(tokens.reasoning > 0 ? { output_tokens_details: { thinking_tokens: tokens.reasoning } } : {}),
  }
}
