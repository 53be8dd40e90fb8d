// Answers as bytes, in the two formats that simulated providers speak. Short, but complete: everything the
// server reads is there.

import type { Wire } from '../../core/release/release.js'

export interface ShownUsage {
  readonly input: number
  readonly output: number
}

export interface AnswerFormat {
  readonly streamHead: (usage: ShownUsage) => string
  readonly token: (index: number, said: Said) => string
  /** `usage` null: the provider says nothing of it. */
  readonly streamEnd: (finish: Finish, usage: ShownUsage | null) => string
  readonly whole: (
    tokens: number,
    said: Said & { readonly finish: Finish },
    usage: ShownUsage | null,
  ) => string
  readonly errorFrame: string
  readonly error: (type: string) => string
}

export type Finish = 'stop' | 'length'

export interface Said {
  /** 0..9 */
  readonly grade: number
  readonly logprobs: boolean
}

const WORDS = [' one', ' two', ' three', ' four']
/** The first word is a grade: judges are asked for one, and samples differ by it. */
const wordAt = (index: number, grade: number): string =>
  index === 0 ? ` 0.${grade}` : (WORDS[index % WORDS.length] ?? '')
const textOf = (tokens: number, grade: number): string =>
  Array.from({ length: tokens }, (_, index) => wordAt(index, grade)).join('')

const CHUNK = '"id":"c-1","object":"chat.completion.chunk","created":1,"model":"up"'
const LOGPROBS = '{"content":[{"token":"a","logprob":-0.3,"bytes":null,"top_logprobs":[]}],"refusal":null}'

const chatChoice = (delta: string, logprobs: string, finish: string): string =>
  `data: {${CHUNK},"choices":[{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}],"usage":null}\n\n`

const chatUsage = ({ input, output }: ShownUsage): string =>
  `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output}}`

const CHAT: AnswerFormat = {
  streamHead: () => chatChoice('{"role":"assistant","content":""}', 'null', 'null'),
  token: (index, { grade, logprobs }) =>
    chatChoice(`{"content":"${wordAt(index, grade)}"}`, logprobs ? LOGPROBS : 'null', 'null'),
  streamEnd(finish, usage) {
    const last = usage === null ? '' : `data: {${CHUNK},"choices":[],"usage":${chatUsage(usage)}}\n\n`
    return `${chatChoice('{}', 'null', `"${finish}"`)}${last}data: [DONE]\n\n`
  },
  whole(tokens, { grade, logprobs, finish }, usage) {
    const message = `{"role":"assistant","content":"${textOf(tokens, grade)}","refusal":null}`
    const shownLogprobs = logprobs ? LOGPROBS : 'null'
    const choice = `{"index":0,"message":${message},"logprobs":${shownLogprobs},"finish_reason":"${finish}"}`
    const shown = usage === null ? '' : `,"usage":${chatUsage(usage)}`
    return `{"id":"c-1","object":"chat.completion","created":1,"model":"up","choices":[${choice}]${shown}}`
  },
  errorFrame: 'data: {"error":{"message":"overloaded","type":"server_error","code":null}}\n\n',
  error: (type) => `{"error":{"message":"refused: ${type}","type":"${type}","param":null,"code":"${type}"}}`,
}

const event = (type: string, rest: string): string => `event: ${type}\ndata: {"type":"${type}"${rest}}\n\n`
const MESSAGE = '"id":"msg_1","type":"message","role":"assistant","model":"up"'
const reasonOf = (finish: Finish): string => (finish === 'stop' ? 'end_turn' : 'max_tokens')

const MESSAGES: AnswerFormat = {
  streamHead({ input }) {
    const message = `{${MESSAGE},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":${input},"output_tokens":1}}`
    const block = ',"index":0,"content_block":{"type":"text","text":""}'
    return event('message_start', `,"message":${message}`) + event('content_block_start', block)
  },
  token: (index, { grade }) =>
    event('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":"${wordAt(index, grade)}"}`),
  streamEnd(finish, usage) {
    const shown = usage === null ? '' : `,"usage":{"output_tokens":${usage.output}}`
    const delta = `,"delta":{"stop_reason":"${reasonOf(finish)}","stop_sequence":null}${shown}`
    return (
      event('content_block_stop', ',"index":0') + event('message_delta', delta) + event('message_stop', '')
    )
  },
  whole(tokens, { grade, finish }, usage) {
    const content = `[{"type":"text","text":"${textOf(tokens, grade)}"}]`
    const { input, output } = usage ?? { input: 0, output: 0 }
    const shown = `"usage":{"input_tokens":${input},"output_tokens":${output}}`
    return `{${MESSAGE},"content":${content},"stop_reason":"${reasonOf(finish)}","stop_sequence":null,${shown}}`
  },
  errorFrame: event('error', ',"error":{"type":"overloaded_error","message":"overloaded"}'),
  error: (type) => `{"type":"error","error":{"type":"${type}","message":"refused: ${type}"}}`,
}

export function answerFormat(wire: Wire): AnswerFormat {
  return wire === 'anthropic-messages' ? MESSAGES : CHAT
}
