// A local model's answer as the bytes of OpenAI chat completions: whole, or chunk by chunk as it is made.

import type { Piece } from './answer-text.js'
import type { GeneratedToken } from './model-runner.js'

export interface AnswerHead {
  readonly id: string
  readonly createdSeconds: number
  readonly model: string
  readonly logprobs: boolean
  /** Streams only: `usage` is asked for. */
  readonly includeUsage: boolean
}

export type FinishReason = 'stop' | 'length'

export interface AnswerEnd {
  readonly finish: FinishReason
  readonly promptTokens: number
  readonly completionTokens: number
}

/** The text of one token on its own. */
export type TextOfToken = (token: number) => string

/** What OpenAI writes for a probability of zero, which JSON has no logarithm for. */
const LOGPROB_MIN = -9999

export interface ChatEncoder {
  /** Before the first token. */
  begin(): string
  piece(piece: Piece<GeneratedToken>): string
  end(end: AnswerEnd): string
}

/** Everything comes with the end. */
export function wholeEncoder(head: AnswerHead, textOf: TextOfToken): ChatEncoder {
  let content = ''
  const tokens: GeneratedToken[] = []
  return {
    begin: () => '',
    piece(piece) {
      content += piece.text
      if (head.logprobs) tokens.push(...piece.tokens)
      return ''
    },
    end: (end) =>
      JSON.stringify({
        id: head.id,
        object: 'chat.completion',
        created: head.createdSeconds,
        model: head.model,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content, refusal: null },
            logprobs: head.logprobs ? logprobsOf(tokens, textOf) : null,
            finish_reason: end.finish,
          },
        ],
        usage: usageOf(end),
      }),
  }
}

export function streamEncoder(head: AnswerHead, textOf: TextOfToken): ChatEncoder {
  const start = JSON.stringify({
    id: head.id,
    object: 'chat.completion.chunk',
    created: head.createdSeconds,
    model: head.model,
  }).slice(0, -1)
  const noUsage = head.includeUsage ? ',"usage":null' : ''
  const chunk = (delta: object, logprobs: object | null, finish: FinishReason | null): string => {
    const choice = JSON.stringify({ index: 0, delta, logprobs, finish_reason: finish })
    return `data: ${start},"choices":[${choice}]${noUsage}}\n\n`
  }
  return {
    begin: () => chunk({ role: 'assistant', content: '', refusal: null }, null, null),
    piece({ text, tokens }) {
      if (text === '' && (!head.logprobs || tokens.length === 0)) return ''
      return chunk({ content: text }, head.logprobs ? logprobsOf(tokens, textOf) : null, null)
    },
    end(end) {
      const usage = `data: ${start},"choices":[],"usage":${JSON.stringify(usageOf(end))}}\n\n`
      return `${chunk({}, null, end.finish)}${head.includeUsage ? usage : ''}data: [DONE]\n\n`
    },
  }
}

function usageOf({ promptTokens, completionTokens }: AnswerEnd): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

function logprobsOf(tokens: readonly GeneratedToken[], textOf: TextOfToken): object {
  const content = tokens.map(({ token, probability, alternatives }) => ({
    ...logprobOf(textOf(token), probability),
    top_logprobs: alternatives.map((other) => logprobOf(textOf(other.token), other.probability)),
  }))
  return { content, refusal: null }
}

/** A part of a character has no text of its own: its bytes are not known here. */
function logprobOf(token: string, probability: number): object {
  const bytes = token.includes('\ufffd') ? null : [...Buffer.from(token, 'utf8')]
  return { token, logprob: Math.max(Math.log(probability), LOGPROB_MIN), bytes }
}
