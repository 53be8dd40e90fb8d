// The parts of the two formats that applications read most. Everything else of an answer is there at run
// time; use the types of the official SDKs (`t.chat<OpenAI.ChatCompletion>(...)`) to see it.

import { isRecord } from './spillway-error.js'

/** Body of a chat completion. `model` defaults to the task's contract, so that its route decides. */
export interface ChatRequest {
  readonly messages: readonly unknown[]
  readonly model?: string
  readonly [member: string]: unknown
}

/** Body of Anthropic's messages. */
export interface MessagesRequest extends ChatRequest {
  readonly max_tokens: number
}

export interface EmbeddingsRequest {
  readonly input: unknown
  readonly model?: string
  readonly [member: string]: unknown
}

export interface ToolCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

export interface ChatAnswer {
  readonly id: string
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: {
      readonly role: 'assistant'
      readonly content: string | null
      readonly refusal?: string | null
      readonly tool_calls?: readonly ToolCall[]
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly total_tokens: number
  }
}

export interface ChatChunk {
  readonly id: string
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: {
      readonly role?: string
      readonly content?: string | null
      readonly tool_calls?: readonly unknown[]
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: ChatAnswer['usage'] | null
}

export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }

export interface MessagesAnswer {
  readonly id: string
  readonly model: string
  readonly content: readonly ContentBlock[]
  readonly stop_reason: string | null
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number }
}

/** An event of a messages stream, told apart by `type`. */
export interface MessagesEvent {
  readonly type: string
  readonly index?: number
  readonly delta?: { readonly type?: string; readonly text?: string; readonly stop_reason?: string | null }
  readonly [member: string]: unknown
}

export interface EmbeddingsAnswer {
  readonly model: string
  readonly data: readonly { readonly index: number; readonly embedding: readonly number[] }[]
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}

/** Text of the first choice; null: not a chat completion. */
export function textOfChat(body: unknown): string | null {
  if (!isRecord(body) || !Array.isArray(body['choices'])) return null
  const choice: unknown = body['choices'][0]
  if (!isRecord(choice) || !isRecord(choice['message'])) return null
  const { content, refusal } = choice['message']
  return typeof content === 'string' ? content : typeof refusal === 'string' ? refusal : ''
}

/** All text blocks joined; null: not a message. */
export function textOfMessage(body: unknown): string | null {
  if (!isRecord(body) || !Array.isArray(body['content'])) return null
  const blocks: readonly unknown[] = body['content']
  return blocks
    .map((block) => (isRecord(block) && typeof block['text'] === 'string' ? block['text'] : ''))
    .join('')
}

export function textOfEmbeddings(body: unknown): string | null {
  return isRecord(body) && Array.isArray(body['data']) ? '' : null
}
