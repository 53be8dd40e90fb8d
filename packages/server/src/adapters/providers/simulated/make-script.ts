// Writes the script of a call: parses it, decides what goes wrong, lets the model answer, and lays the bytes
// out in time. Pure: what it must know of the past (how often, how many this minute) is passed in.

import { type Circumstances, type Generated, type ScriptBase, answerScript } from './answer-script.js'
import { encodeMessage, encodeMessageEvents } from './encode-anthropic.js'
import {
  type EncodeOptions,
  encodeChatChunks,
  encodeChatCompletion,
  encodeEmbeddings,
} from './encode-openai.js'
import { encodeResponse, encodeResponseEvents } from './encode-responses.js'
import { chooseFault } from './choose-fault.js'
import { faultScript } from './fault-script.js'
import { dialectOf } from './provider-errors.js'
import { rateHeaders } from './rate-bucket.js'
import type { Script } from './script.js'
import { chance, hexName } from './seeded.js'
import type { SimEmbeddingRequest, SimRequest, SimRoute } from './sim-request.js'
import { simulateAnswer } from './simulate-answer.js'

export type ParsedCall =
  | { readonly kind: 'chat'; readonly request: SimRequest }
  | { readonly kind: 'embeddings'; readonly request: SimEmbeddingRequest }

export function makeScript(call: ParsedCall, at: Circumstances): Script {
  const base = baseOf(call, at)
  const fault = chooseFault({ ...at, ...base, throttled: at.rate !== null && !at.rate.granted })
  if (fault.kind === 'none') return answerScript(generate(call, at), base)
  return faultScript(fault, { base, at, generate: () => generate(call, at) })
}

function baseOf(call: ParsedCall, at: Circumstances): ScriptBase {
  const { model, digest } = call.request
  const stream = call.kind === 'chat' && call.request.stream && at.route !== 'anthropic-count-tokens'
  const occasion = `${at.route}\n${model}\n${digest}\n${at.ordinal}`
  const latencyMs = at.directives.latencyMs ?? at.behaviour.latencyMs
  const swing = 1 + at.behaviour.jitter * (2 * chance(`latency\n${occasion}`, at.seed) - 1)
  const perSecond = at.directives.tokensPerSecond ?? at.behaviour.tokensPerSecond
  const requestId = `req_${hexName(`${occasion}\n${at.seed}`, 24)}`
  const firstTokenMs = Math.round(latencyMs * swing)
  const dialect = dialectOf(at.route)
  const named =
    dialect === 'openai'
      ? {
          'x-request-id': requestId,
          'openai-version': '2020-10-01',
          'openai-processing-ms': String(firstTokenMs),
        }
      : { 'request-id': requestId }
  const headers = {
    ...named,
    ...(at.rate === null ? {} : rateHeaders(dialect, at.rate.state, at.nowMs)),
    'x-spillway-simulated': 'true',
  }
  return {
    model,
    stream,
    requestId,
    occasion,
    firstTokenMs,
    msPerToken: perSecond > 0 ? 1_000 / perSecond : 0,
    headers,
  }
}

function generate(call: ParsedCall, at: Circumstances): Generated {
  const createdSeconds = Math.floor(at.nowMs / 1_000)
  if (call.kind === 'embeddings') {
    const { inputTokens } = call.request
    const usage = claimedUsage({ inputTokens, outputTokens: 0 }, at)
    const piece = encodeEmbeddings(call.request, { createdSeconds, usage, seed: at.seed })
    return { pieces: [piece], inputTokens, outputTokens: 0 }
  }
  if (at.route === 'anthropic-count-tokens') {
    const text = JSON.stringify({ input_tokens: call.request.inputTokens })
    return { pieces: [{ text, tokensSoFar: 0, reports: null }], inputTokens: 0, outputTokens: 0 }
  }
  const answer = simulateAnswer(call.request, at)
  const { inputTokens, outputTokens } = answer
  const options: EncodeOptions = { createdSeconds, usage: claimedUsage(answer, at) }
  const { request } = call
  const { whole, streamed } = encodersOf(at.route)
  const pieces = request.stream ? streamed(request, answer, options) : [whole(request, answer, options)]
  return { pieces, inputTokens, outputTokens }
}

interface Encoders {
  readonly whole: typeof encodeMessage
  readonly streamed: typeof encodeMessageEvents
}

function encodersOf(route: SimRoute): Encoders {
  switch (route) {
    case 'anthropic-messages':
      return { whole: encodeMessage, streamed: encodeMessageEvents }
    case 'openai-responses':
      return { whole: encodeResponse, streamed: encodeResponseEvents }
    default:
      return { whole: encodeChatCompletion, streamed: encodeChatChunks }
  }
}

function claimedUsage(
  used: { readonly inputTokens: number; readonly outputTokens: number },
  at: Circumstances,
): EncodeOptions['usage'] {
  if (at.directives.noUsage) return null
  const factor = at.directives.usageFactor ?? at.behaviour.usageFactor
  return {
    inputTokens: Math.round(used.inputTokens * factor),
    outputTokens: Math.round(used.outputTokens * factor),
  }
}
