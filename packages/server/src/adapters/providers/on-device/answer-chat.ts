// Generates one chat answer: prompt in, tokens out, text and bytes to the call, and no token ahead of a
// reader who paused.

import { AnswerText } from './answer-text.js'
import { type ChatEncoder, type FinishReason, streamEncoder, wholeEncoder } from './encode-chat.js'
import {
  GRAMMAR_END,
  type GeneratedToken,
  type Generation,
  type ModelRunner,
  type Prompt,
} from './model-runner.js'
import type { OnDeviceCall } from './on-device-call.js'
import { contextOverflow, invalidValue } from './openai-error.js'
import type { ChatAsk } from './read-chat.js'

export interface ChatAnswering {
  readonly call: OnDeviceCall
  readonly runner: ModelRunner
  readonly ask: ChatAsk
  readonly id: string
  readonly createdSeconds: number
  /** As the caller named it. */
  readonly model: string
}

/** Longer text cannot be this few tokens, so nobody has to count them. */
const BYTES_PER_TOKEN_MAX = 256

export async function answerChat(answering: ChatAnswering): Promise<void> {
  const { call, runner, ask } = answering
  const { contextTokens } = runner
  const characters = ask.turns.reduce((sum, { text }) => sum + text.length, 0)
  const least = Math.ceil(characters / BYTES_PER_TOKEN_MAX)
  if (least >= contextTokens)
    return call.refuse(contextOverflow('messages', { tokens: least, contextTokens }))
  const prompt = promptOf(answering)
  if (typeof prompt === 'string') return call.refuse(invalidValue('messages', prompt))
  const tokens = prompt.tokens.length
  if (tokens >= contextTokens) return call.refuse(contextOverflow('messages', { tokens, contextTokens }))
  const encoder = encoderFor(answering)
  const end = await generate(answering, prompt, encoder)
  if (end === null) return
  call.data(encoder.end({ ...end, promptTokens: tokens }))
  call.end()
}

/** Text: what the model's template has against the conversation. */
function promptOf({ runner, ask }: ChatAnswering): Prompt | string {
  try {
    return runner.chatPrompt(ask.turns)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `The chat template of the on-device model refuses 'messages': ${reason}`
  }
}

function encoderFor({ ask, runner, id, createdSeconds, model }: ChatAnswering): ChatEncoder {
  const textOf = (token: number): string => runner.textOf([token], [])
  const head = { id, createdSeconds, model, logprobs: ask.logprobs, includeUsage: ask.includeUsage }
  return ask.stream ? streamEncoder(head, textOf) : wholeEncoder(head, textOf)
}

interface Generated {
  readonly finish: FinishReason
  readonly completionTokens: number
}

/** null: the call was over before the answer was. */
async function generate(
  { call, runner, ask }: ChatAnswering,
  prompt: Prompt,
  encoder: ChatEncoder,
): Promise<Generated | null> {
  const { signal } = call
  const text = new AnswerText<GeneratedToken>({
    textOf: (tokens, before) => runner.textOf(tokens, before),
    stops: [...ask.stops, ...(ask.grammar.kind === 'text' ? prompt.stopTexts : [GRAMMAR_END])],
  })
  const tokensMax = Math.min(ask.maxTokens ?? Infinity, runner.contextTokens - prompt.tokens.length)
  let completionTokens = 0
  let finish: FinishReason = 'stop'
  for await (const token of runner.generate(generationOf(ask, prompt), signal)) {
    if (signal.aborted) return null
    if (completionTokens === 0) begin(call, ask.stream, encoder)
    completionTokens += 1
    call.progress()
    call.data(encoder.piece(text.push(token)))
    if (text.isStopped) break
    if (completionTokens >= tokensMax) {
      finish = 'length'
      break
    }
    const wanted = call.whenWanted()
    if (wanted !== null) await wanted
  }
  if (signal.aborted) return null
  if (completionTokens === 0) begin(call, ask.stream, encoder)
  call.data(encoder.piece(text.finish()))
  return { finish: text.isStopped ? 'stop' : finish, completionTokens }
}

/** The head goes out with the first token: what comes after it is an answer, however it ends. */
function begin(call: OnDeviceCall, stream: boolean, encoder: ChatEncoder): void {
  call.head(200, { 'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json' })
  call.data(encoder.begin())
}

function generationOf(ask: ChatAsk, prompt: Prompt): Generation {
  return {
    prompt,
    sampling: ask.sampling,
    grammar: ask.grammar,
    alternatives: ask.logprobs ? ask.topLogprobs : null,
  }
}
