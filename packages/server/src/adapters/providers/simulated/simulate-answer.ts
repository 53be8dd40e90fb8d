// What the simulated model says to a request: pure, from the request, its behaviour and a seed. Text, JSON,
// tool calls and a grade all come out as tokens, one per stream delta, so that lengths, limits and log
// probabilities agree.

import { callTools, choosesTools } from './call-tools.js'
import { makeJson } from './make-json.js'
import { chance, diceOf, hexName } from './seeded.js'
import type { SimAnswer, SimChoice, SimOptions, SimToolCall } from './sim-answer.js'
import type { SimRequest } from './sim-request.js'
import { tokenize } from './tokens.js'
import { keywordsOf, writeText } from './write-text.js'

/** A request whose last user text holds this line is a judge's: it is answered with a bare number. */
export const JUDGE_MARKER = 'Grade the answer from 0 to 1.'

const CONFIDENCE_MIN = 0.01
const VARIANTS = 4

export function simulateAnswer(request: SimRequest, options: SimOptions): SimAnswer {
  const question = `${request.model}\n${request.digest}`
  const confidence = options.directives.confidence ?? confidenceFor(question, options)
  const choices = Array.from({ length: request.choices }, (_, index) => {
    const variant = variantOf(request, options, { question, confidence, index })
    return makeChoice(request, options, {
      question: `${question}\n${variant}`,
      confidence: clampConfidence(confidence),
    })
  })
  return {
    id: hexName(`${question}\n${options.seed}\n${options.ordinal}`, 24),
    confidence: clampConfidence(confidence),
    choices,
    inputTokens: request.inputTokens,
    outputTokens: choices.reduce((sum, choice) => sum + choice.outputTokens, 0),
  }
}

/**
 * Differs from prompt to prompt; over all prompts its mean is exactly the configured one: E[u^k] = 1 / (k +
 * 1).
 */
function confidenceFor(question: string, options: SimOptions): number {
  const mean = options.behaviour.confidence
  return mean <= 0 ? 0 : chance(`confidence\n${question}`, options.seed) ** (1 / mean - 1)
}

function clampConfidence(confidence: number): number {
  return Math.min(1, Math.max(CONFIDENCE_MIN, confidence))
}

/**
 * Asked for the first time, or without temperature, it gives its first answer. Asked again, or for several
 * choices, it keeps to that one as often as it is confident: so the agreement of samples says what the log
 * probabilities say.
 */
function variantOf(
  request: SimRequest,
  options: SimOptions,
  at: { readonly question: string; readonly confidence: number; readonly index: number },
): number {
  if (request.temperature === 0 || (options.ordinal === 0 && at.index === 0)) return 0
  const dice = diceOf(`variant\n${options.ordinal}\n${at.index}\n${at.question}`, options.seed)
  return dice.next() < at.confidence ? 0 : dice.between(1, VARIANTS)
}

interface Saying {
  /** The prompt and the variant: what all chance in this choice comes from. */
  readonly question: string
  readonly confidence: number
}

function makeChoice(request: SimRequest, options: SimOptions, saying: Saying): SimChoice {
  if (choosesTools(request, options, saying.question)) {
    return limitTools(callTools(request, options, saying), request.maxOutputTokens, options.ordinal)
  }
  const { tokens, stopSequence } = stopAt(say(request, options, saying), request.stop)
  const limit = request.maxOutputTokens ?? Infinity
  const cut = tokens.length > limit
  const said = cut ? tokens.slice(0, limit) : tokens
  return {
    tokens: said,
    logprobs: logprobsOf(said.length, saying, options.seed),
    toolCalls: [],
    finish: cut ? 'length' : stopSequence === null ? 'stop' : 'stop-sequence',
    stopSequence: cut ? null : stopSequence,
    outputTokens: said.length,
  }
}

function say(request: SimRequest, options: SimOptions, saying: Saying): string[] {
  const { directives, behaviour, seed } = options
  if (directives.text !== null) return tokenize(directives.text)
  if (request.lastUserText.includes(JUDGE_MARKER)) return tokenize(saying.confidence.toFixed(2))
  const dice = diceOf(`say\n${saying.question}`, seed)
  const keywords = keywordsOf(request.lastUserText)
  const length = Math.max(1, Math.floor(directives.tokens ?? behaviour.outputTokens))
  if (request.json === null) return writeText(dice, keywords, length)
  const confidence = Math.round(saying.confidence * 1e4) / 1e4
  const value =
    request.json.schema === null
      ? { answer: writeText(dice, keywords, length).join(''), confidence }
      : makeJson({ dice, keywords, confidence, root: request.json.schema })
  return tokenize(JSON.stringify(value))
}

/** Cuts before the first stop sequence; the token it lies in is shortened. */
function stopAt(
  tokens: string[],
  stop: readonly string[],
): { tokens: string[]; stopSequence: string | null } {
  if (stop.length === 0) return { tokens, stopSequence: null }
  const text = tokens.join('')
  let end = Infinity
  let stopSequence: string | null = null
  for (const sequence of stop) {
    const found = text.indexOf(sequence)
    if (found !== -1 && found < end) {
      end = found
      stopSequence = sequence
    }
  }
  if (stopSequence === null) return { tokens, stopSequence: null }
  const kept: string[] = []
  for (let index = 0, length = 0; length < end; index++) {
    const token = (tokens[index] ?? '').slice(0, end - length)
    kept.push(token)
    length += token.length
  }
  return { tokens: kept, stopSequence }
}

function logprobsOf(count: number, saying: Saying, seed: number): number[] {
  const dice = diceOf(`logprobs\n${saying.question}`, seed)
  const weights = Array.from({ length: count }, () => dice.next() + 0.01)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const scale = (Math.log(saying.confidence) * count) / total
  return weights.map((weight) => weight * scale)
}

/**
 * A call costs one token for its name and one per piece of its arguments; the limit cuts wherever it falls.
 */
function limitTools(
  calls: readonly SimToolCall[],
  maxOutputTokens: number | null,
  ordinal: number,
): SimChoice {
  let left = maxOutputTokens ?? Infinity
  let used = 0
  let cut = false
  const kept: SimToolCall[] = []
  for (const call of calls) {
    if (left < 1) {
      cut = true
      break
    }
    const pieces = call.pieces.slice(0, left - 1)
    cut ||= pieces.length < call.pieces.length
    kept.push({ ...call, id: hexName(`${call.id}\n${ordinal}`, 24), pieces })
    used += pieces.length + 1
    left -= pieces.length + 1
  }
  return {
    tokens: [],
    logprobs: [],
    toolCalls: kept,
    finish: cut ? 'length' : 'tool-calls',
    stopSequence: null,
    outputTokens: used,
  }
}
