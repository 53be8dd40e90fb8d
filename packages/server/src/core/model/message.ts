// One message model between the wire formats. A format decodes into it and encodes from it; nothing else
// about a foreign format leaves `wire/`.

import type { JsonObject } from '../json.js'

export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly cacheControl?: JsonObject }
  | {
      readonly kind: 'image'
      readonly source: ImageSource
      readonly detail?: string
      readonly cacheControl?: JsonObject
    }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly argumentsJson: string }
  | {
      readonly kind: 'tool-result'
      readonly callId: string
      readonly content: readonly Part[]
      readonly isError: boolean
    }
  | {
      readonly kind: 'reasoning'
      readonly text: string
      readonly signature?: string
      readonly redacted?: string
    }
  | { readonly kind: 'refusal'; readonly text: string }

export type ImageSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly Part[]
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject
  readonly strict?: boolean
}

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'tool'; readonly name: string }

export interface ModelRequest {
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDefinition[]
  readonly toolChoice: ToolChoice | null
  readonly parallelToolCalls: boolean | null
  readonly maxOutputTokens: number | null
  readonly temperature: number | null
  readonly topP: number | null
  readonly stop: readonly string[]
  readonly stream: boolean
  readonly includeUsage: boolean
  /** Structured output: the answer must be JSON, of this schema when one is given. */
  readonly json: {
    readonly name: string
    readonly schema: JsonObject | null
    readonly strict: boolean
  } | null
  /** The end user's id, as both formats let a caller pass it. */
  readonly user: string | null
}

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'refusal' | 'other'
