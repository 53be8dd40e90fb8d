// The simulator's answers as OpenAI writes them, byte for byte: chat completions whole and streamed,
// embeddings. Its responses are in `encode-responses.ts`.

import { embedText, toBase64 } from './embed-text.js'
import type { Piece, UsageReport } from './script.js'
import type { SimAnswer, SimChoice, SimToolCall } from './sim-answer.js'
import type { SimEmbeddingRequest, SimRequest } from './sim-request.js'
import { hexName } from './seeded.js'

export interface EncodeOptions {
  readonly createdSeconds: number
  /** What the provider claims to have used; null leaves usage out. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null
}

const ALTERNATIVES = [
  ' the',
  ' a',
  ' your',
  ' our',
  '.',
  ',',
  ' is',
  ' was',
  ' and',
  ' or',
  ' to',
  ' in',
  ' on',
  ' at',
  ' it',
  ' we',
  ' you',
  ' not',
  ' no',
  ' yes',
] as const

export function encodeChatCompletion(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Piece {
  const body = {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion',
    created: options.createdSeconds,
    model: request.model,
    choices: answer.choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: logprobsOf(request, choice, { from: 0, to: choice.tokens.length }),
      finish_reason: finishReason(choice),
    })),
    ...(options.usage === null ? {} : { usage: usageObject(options.usage) }),
    service_tier: 'default',
    system_fingerprint: fingerprint(request.model),
  }
  return { text: JSON.stringify(body), tokensSoFar: answer.outputTokens, reports: options.usage }
}

function messageOf(choice: SimChoice): Record<string, unknown> {
  const calls = choice.toolCalls.map((call) => ({
    id: callId(call),
    type: 'function',
    function: { name: call.name, arguments: call.pieces.join('') },
  }))
  return {
    role: 'assistant',
    content: calls.length > 0 ? null : choice.tokens.join(''),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    refusal: null,
    annotations: [],
  }
}

/** Chunks in the order the API sends them; `[DONE]` is the last piece. */
export function encodeChatChunks(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Piece[] {
  const head = JSON.stringify({
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion.chunk',
    created: options.createdSeconds,
    model: request.model,
    service_tier: 'default',
    system_fingerprint: fingerprint(request.model),
  }).slice(0, -1)
  const usageField = request.includeUsage ? ',"usage":null' : ''
  let tokens = 0
  const pieces: Piece[] = []
  const push = (index: number, delta: Record<string, unknown>, more: Partial<Ending> = {}): void => {
    const choice = { index, delta, logprobs: more.logprobs ?? null, finish_reason: more.finish ?? null }
    const text = `data: ${head},"choices":[${JSON.stringify(choice)}]${usageField}}\n\n`
    tokens += more.tokens ?? 0
    pieces.push({ text, tokensSoFar: tokens, reports: null })
  }
  answer.choices.forEach((choice, index) => {
    pushDeltas(request, choice, (delta, more) => push(index, delta, more))
    push(index, {}, { finish: finishReason(choice) })
  })
  if (request.includeUsage && options.usage !== null) {
    const text = `data: ${head},"choices":[],"usage":${JSON.stringify(usageObject(options.usage))}}\n\n`
    pieces.push({ text, tokensSoFar: tokens, reports: options.usage })
  }
  pieces.push({ text: 'data: [DONE]\n\n', tokensSoFar: tokens, reports: null })
  return pieces
}

interface Ending {
  readonly tokens: number
  readonly logprobs: unknown
  readonly finish: string | null
}
type PushDelta = (delta: Record<string, unknown>, more?: Partial<Ending>) => void

function pushDeltas(request: SimRequest, choice: SimChoice, push: PushDelta): void {
  if (choice.toolCalls.length === 0) {
    push({ role: 'assistant', content: '', refusal: null })
    choice.tokens.forEach((token, at) => {
      push({ content: token }, { tokens: 1, logprobs: logprobsOf(request, choice, { from: at, to: at + 1 }) })
    })
    return
  }
  choice.toolCalls.forEach((call, index) => {
    const called = { index, id: callId(call), type: 'function', function: { name: call.name, arguments: '' } }
    const role = index === 0 ? { role: 'assistant', content: null } : {}
    push({ ...role, tool_calls: [called], ...(index === 0 ? { refusal: null } : {}) }, { tokens: 1 })
    for (const piece of call.pieces) {
      push({ tool_calls: [{ index, function: { arguments: piece } }] }, { tokens: 1 })
    }
  })
}

function finishReason(choice: SimChoice): string {
  switch (choice.finish) {
    case 'length':
      return 'length'
    case 'tool-calls':
      return 'tool_calls'
    case 'stop':
    case 'stop-sequence':
      return 'stop'
  }
}

function callId(call: SimToolCall): string {
  return `call_${call.id}`
}

function fingerprint(model: string): string {
  return `fp_${hexName(model, 10)}`
}

interface Span {
  readonly from: number
  readonly to: number
}

function logprobsOf(request: SimRequest, choice: SimChoice, span: Span): unknown {
  const content = logprobList(request, choice, span)
  return content === null ? null : { content, refusal: null }
}

/** null: nobody asked, or there is no text. */
export function logprobList(request: SimRequest, choice: SimChoice, span: Span): unknown[] | null {
  if (!request.logprobs || choice.toolCalls.length > 0) return null
  return choice.tokens.slice(span.from, span.to).map((token, offset) => {
    const logprob = choice.logprobs[span.from + offset] ?? 0
    return { ...tokenLogprob(token, logprob), top_logprobs: topLogprobs(token, logprob, request.topLogprobs) }
  })
}

function tokenLogprob(token: string, logprob: number): { token: string; logprob: number; bytes: number[] } {
  return { token, logprob, bytes: [...Buffer.from(token, 'utf8')] }
}

/**
 * The chosen token first; the others share half of what probability it left, halving from one to the next.
 */
function topLogprobs(token: string, logprob: number, count: number): unknown[] {
  const left = Math.max(1 - Math.exp(logprob), 1e-9)
  const others = ALTERNATIVES.filter((other) => other !== token).slice(0, Math.max(0, count - 1))
  const rest = others.map((other, index) =>
    tokenLogprob(other, Math.min(Math.log(left / 2 ** (index + 1)), logprob)),
  )
  return count > 0 ? [tokenLogprob(token, logprob), ...rest] : []
}

function usageObject(usage: {
  readonly inputTokens: number
  readonly outputTokens: number
}): Record<string, unknown> {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

export function encodeEmbeddings(
  request: SimEmbeddingRequest,
  options: EncodeOptions & { readonly seed: number },
): Piece {
  const { dimensions } = request
  const data = request.inputs.map((input, index) => {
    const vector = embedText(input, { dimensions, seed: options.seed })
    return { object: 'embedding', index, embedding: request.base64 ? toBase64(vector) : [...vector] }
  })
  const used = options.usage
  const usage =
    used === null ? {} : { usage: { prompt_tokens: used.inputTokens, total_tokens: used.inputTokens } }
  const reports: UsageReport | null =
    used === null ? null : { inputTokens: used.inputTokens, outputTokens: 0 }
  return {
    text: JSON.stringify({ object: 'list', data, model: request.model, ...usage }),
    tokensSoFar: 0,
    reports,
  }
}

/** The error frame a stream ends with when the server fails in the middle of it. */
export function openAiErrorFrame(body: string): string {
  return `data: ${body}\n\n`
}
