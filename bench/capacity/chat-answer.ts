// Answers in OpenAI's chat format: one word per token, and the usage at the end.

const SHAPE = { id: 'chatcmpl-batch', created: 1_700_000_000, model: 'batch' }
const WORD = ' word'

export interface Answered {
  readonly promptTokens: number
  readonly tokens: number
  /** The limit of the caller ended it. */
  readonly cut: boolean
}

function frame(choices: readonly unknown[], usage: unknown): string {
  const chunk = { ...SHAPE, object: 'chat.completion.chunk', choices, usage }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

const reason = (cut: boolean): string => (cut ? 'length' : 'stop')

const usageOf = ({ promptTokens, tokens }: Answered): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: tokens,
  total_tokens: promptTokens + tokens,
})

export const CONTENT_FRAME = Buffer.from(
  frame([{ index: 0, delta: { content: WORD }, logprobs: null, finish_reason: null }], null),
)

export function lastFrames(answered: Answered): Buffer {
  const end = { index: 0, delta: {}, logprobs: null, finish_reason: reason(answered.cut) }
  return Buffer.from(`${frame([end], null)}${frame([], usageOf(answered))}data: [DONE]\n\n`)
}

export function wholeAnswer(answered: Answered): Buffer {
  const message = { role: 'assistant', content: WORD.repeat(answered.tokens).slice(1) }
  const choice = { index: 0, message, finish_reason: reason(answered.cut), logprobs: null }
  const answer = { ...SHAPE, object: 'chat.completion', choices: [choice], usage: usageOf(answered) }
  return Buffer.from(JSON.stringify(answer))
}
