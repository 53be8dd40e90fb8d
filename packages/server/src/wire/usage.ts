// Token usage of each format <-> disjoint classes, normalised here and nowhere else. OpenAI counts cached and
// audio tokens into the prompt and reasoning into the completion; Anthropic and Bedrock leave both cache
// classes out of the input; Gemini counts cached tokens into the prompt, and thoughts beside the candidates.
// What cannot be true (negative, fractional, text, a part larger than its whole) is no usage at all: null.

import { isObject, type JsonObject } from '../core/json.js'
import {
  NO_TOKENS,
  type ReportedUsage,
  type TokenCounts,
  inputTotal,
  outputTotal,
} from '../core/money/token-counts.js'

/** undefined: cannot be a count. */
function count(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

const NO_DETAILS: Readonly<Record<string, unknown>> = {}

function detailsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : NO_DETAILS
}

/** `usage` of a chat completion or of a stream's chunk. */
export function readOpenAiUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage)) return null
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: said } = usage
  if (typeof prompt !== 'number' || typeof completion !== 'number') return null
  const total = count(said)
  if (count(prompt) === undefined || count(completion) === undefined || total === undefined) return null
  const input = inputClasses(prompt, detailsOf(usage['prompt_tokens_details']))
  const output = outputClasses({ prompt, completion, total }, detailsOf(usage['completion_tokens_details']))
  if (input === null || output === null) return null
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
    providerTotals: { input: prompt, output: completion, total: typeof said === 'number' ? total : null },
  }
}

type InputClasses = Pick<TokenCounts, 'input' | 'cacheRead' | 'cacheWrite' | 'cacheWrite1h' | 'audioInput'>
type OutputClasses = Pick<TokenCounts, 'output' | 'reasoning' | 'audioOutput'>

function inputClasses(total: number, details: Readonly<Record<string, unknown>>): InputClasses | null {
  const cacheRead = count(details['cached_tokens'])
  const written = count(details['cache_write_tokens'])
  const audio = count(details['audio_tokens'])
  if (cacheRead === undefined || written === undefined || audio === undefined) return null
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
  sums: { prompt: number; completion: number; total: number },
  details: Readonly<Record<string, unknown>>,
): OutputClasses | null {
  const reasoning = count(details['reasoning_tokens'])
  const audioOutput = count(details['audio_tokens'])
  if (reasoning === undefined || audioOutput === undefined) return null
  const { prompt, completion, total } = sums
  // Some providers (xAI, Gemini's compatible route) leave reasoning out of the completion; their total tells.
  const apart = reasoning > 0 && total === prompt + completion + reasoning
  const visible = apart ? completion - audioOutput : completion - reasoning - audioOutput
  return visible < 0 ? null : { output: visible, reasoning, audioOutput }
}

/** `usage` of a response: a chat completion's under other names. */
export function readResponsesUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage)) return null
  return readOpenAiUsage({
    prompt_tokens: usage['input_tokens'],
    prompt_tokens_details: usage['input_tokens_details'],
    completion_tokens: usage['output_tokens'],
    completion_tokens_details: usage['output_tokens_details'],
    total_tokens: usage['total_tokens'],
  })
}

export function encodeResponsesUsage(tokens: TokenCounts): JsonObject {
  return {
    input_tokens: inputTotal(tokens),
    input_tokens_details: {
      cached_tokens: tokens.cacheRead,
      cache_write_tokens: tokens.cacheWrite + tokens.cacheWrite1h,
    },
    output_tokens: outputTotal(tokens),
    output_tokens_details: { reasoning_tokens: tokens.reasoning },
    total_tokens: inputTotal(tokens) + outputTotal(tokens),
  }
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

/**
 * `usage` of a message. For a stream, of `message_start` and `message_delta` merged by
 * `mergeAnthropicUsage`.
 */
export function readAnthropicUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage) || typeof usage['output_tokens'] !== 'number') return null
  const written = detailsOf(usage['cache_creation'])
  const input = count(usage['input_tokens'])
  const cacheRead = count(usage['cache_read_input_tokens'])
  const allWritten = count(usage['cache_creation_input_tokens'])
  const written5m = count(written['ephemeral_5m_input_tokens'])
  const cacheWrite1h = count(written['ephemeral_1h_input_tokens'])
  const output = count(usage['output_tokens'])
  const reasoning = count(detailsOf(usage['output_tokens_details'])['thinking_tokens'])
  if (input === undefined || cacheRead === undefined || allWritten === undefined) return null
  if (written5m === undefined || cacheWrite1h === undefined) return null
  if (output === undefined || reasoning === undefined || reasoning > output) return null
  const tokens: TokenCounts = {
    input,
    cacheRead,
    cacheWrite: Math.max(allWritten, written5m + cacheWrite1h) - cacheWrite1h,
    cacheWrite1h,
    output: output - reasoning,
    reasoning,
    audioInput: 0,
    audioOutput: 0,
  }
  return { tokens, providerTotals: { input: inputTotal(tokens), output, total: null } }
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

/**
 * `usage` of a Converse answer, or of the metadata that ends its stream. As with Anthropic the input leaves
 * both cache classes out: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
export function readConverseUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage) || typeof usage['outputTokens'] !== 'number') return null
  const input = count(usage['inputTokens'])
  // Answers have been seen with either name.
  const cacheRead = count(usage['cacheReadInputTokens'] ?? usage['cacheReadInputTokenCount'])
  const allWritten = count(usage['cacheWriteInputTokens'] ?? usage['cacheWriteInputTokenCount'])
  const cacheWrite1h = writtenForAnHour(usage['cacheDetails'])
  const output = count(usage['outputTokens'])
  const said = count(usage['totalTokens'])
  if (input === undefined || cacheRead === undefined || allWritten === undefined) return null
  if (cacheWrite1h === undefined || output === undefined || said === undefined) return null
  const tokens: TokenCounts = {
    ...NO_TOKENS,
    input,
    cacheRead,
    cacheWrite: Math.max(allWritten, cacheWrite1h) - cacheWrite1h,
    cacheWrite1h,
    output,
  }
  // Whether the total counts the cache is not said, and models differ. One that does not cannot be checked.
  const isPartial = said === 0 || (said === input + output && inputTotal(tokens) > input)
  return { tokens, providerTotals: { input: inputTotal(tokens), output, total: isPartial ? null : said } }
}

/** undefined: cannot be a count. */
function writtenForAnHour(details: unknown): number | undefined {
  const written = (Array.isArray(details) ? details : []).filter(
    (detail: unknown) => isObject(detail) && detail['ttl'] === '1h',
  )
  return written.reduce<number | undefined>((sum, { inputTokens }: Record<string, unknown>) => {
    const tokens = count(inputTokens)
    return sum === undefined || tokens === undefined ? undefined : sum + tokens
  }, 0)
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

/**
 * `usageMetadata` of a Gemini answer, or of a stream's frame: there it is of everything so far. Results of
 * tools that the provider ran itself are input beside the prompt.
 */
export function readGeminiUsage(usage: unknown): ReportedUsage | null {
  if (!isObject(usage) || typeof usage['promptTokenCount'] !== 'number') return null
  const prompt = count(usage['promptTokenCount'])
  const cacheRead = count(usage['cachedContentTokenCount'])
  const toolUse = count(usage['toolUsePromptTokenCount'])
  const candidates = count(usage['candidatesTokenCount'])
  const reasoning = count(usage['thoughtsTokenCount'])
  const total = count(usage['totalTokenCount'])
  if (prompt === undefined || cacheRead === undefined || toolUse === undefined) return null
  if (candidates === undefined || reasoning === undefined || total === undefined) return null
  if (cacheRead > prompt) return null
  const audio = audioTokens(usage['promptTokensDetails']) - audioTokens(usage['cacheTokensDetails'])
  const audioInput = Math.min(Math.max(0, audio), prompt - cacheRead)
  // Some models count their thoughts into the candidates as well; their total tells.
  const within = reasoning > 0 && reasoning <= candidates && total === prompt + toolUse + candidates
  const visible = within ? candidates - reasoning : candidates
  const audioOutput = Math.min(audioTokens(usage['candidatesTokensDetails']), visible)
  return {
    tokens: {
      ...NO_TOKENS,
      input: prompt - cacheRead - audioInput + toolUse,
      cacheRead,
      output: visible - audioOutput,
      reasoning,
      audioInput,
      audioOutput,
    },
    providerTotals: {
      input: prompt + toolUse,
      output: visible + reasoning,
      total: typeof usage['totalTokenCount'] === 'number' ? total : null,
    },
  }
}

function audioTokens(details: unknown): number {
  const all: readonly unknown[] = Array.isArray(details) ? details : []
  const audio = all.find((detail) => isObject(detail) && detail['modality'] === 'AUDIO')
  return isObject(audio) ? (count(audio['tokenCount']) ?? 0) : 0
}
