// A request as the simulator understands it, whichever format it came in.

import type { JsonObject } from '../../../core/json.js'

/** What can be asked over HTTP: the formats of the port, and Anthropic's counter. */
export type SimRoute =
  | 'openai-chat'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'anthropic-count-tokens'

export interface SimTool {
  readonly name: string
  readonly schema: JsonObject
}

export type SimToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'tool'; readonly name: string }

export interface SimRequest {
  readonly model: string
  readonly stream: boolean
  /** OpenAI: `stream_options.include_usage`. */
  readonly includeUsage: boolean
  /** Names everything the model reads, the same for both formats: what the answer depends on. */
  readonly digest: string
  readonly inputTokens: number
  /** Text of the last message of the user. */
  readonly lastUserText: string
  /** The conversation ends with the result of a tool. */
  readonly afterToolResult: boolean
  /** The conversation ends with words of the user. */
  readonly endsWithUser: boolean
  readonly tools: readonly SimTool[]
  readonly toolChoice: SimToolChoice
  readonly parallelToolCalls: boolean
  /** The answer must be JSON: of this schema, or (`null`) any object. */
  readonly json: { readonly schema: JsonObject | null } | null
  readonly maxOutputTokens: number | null
  readonly stop: readonly string[]
  /** OpenAI's `n`. */
  readonly choices: number
  readonly logprobs: boolean
  readonly topLogprobs: number
  readonly temperature: number | null
  /** OpenAI's responses repeat most of what they were asked. */
  readonly repeats?: JsonObject
}

export interface SimEmbeddingRequest {
  readonly model: string
  /** Names the inputs. */
  readonly digest: string
  readonly inputs: readonly string[]
  readonly inputTokens: number
  readonly dimensions: number
  readonly base64: boolean
}
