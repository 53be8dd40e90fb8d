// One message model between the wire formats. A format decodes into it and encodes from it; nothing else
// about a foreign format leaves `wire/`.

import type { JsonObject } from '../json.js'

export type Part =
  | {
      readonly kind: 'text'
      readonly text: string
      readonly citations?: readonly Citation[]
      readonly cacheControl?: JsonObject
    }
  | {
      readonly kind: 'image'
      readonly source: ImageSource
      readonly detail?: string
      readonly cacheControl?: JsonObject
    }
  | {
      readonly kind: 'document'
      readonly source: DocumentSource
      readonly title?: string
      /** The answer shall cite it where the format can. */
      readonly cite?: boolean
      readonly cacheControl?: JsonObject
    }
  | {
      readonly kind: 'tool-call'
      readonly id: string
      readonly name: string
      readonly argumentsJson: string
      /** What the provider wants back with the call in the next turn (Gemini's thought signature). */
      readonly signature?: string
      readonly cacheControl?: JsonObject
    }
  | {
      readonly kind: 'tool-result'
      readonly callId: string
      readonly content: readonly Part[]
      readonly isError: boolean
      readonly cacheControl?: JsonObject
    }
  | {
      readonly kind: 'reasoning'
      readonly text: string
      /** Proves to the provider that the text is its own: it wants both back, unchanged. */
      readonly signature?: string
      /** Encrypted reasoning, without a text. */
      readonly redacted?: string
      /** Of the provider (OpenAI responses name their reasoning). */
      readonly id?: string
    }
  | { readonly kind: 'refusal'; readonly text: string }

export type ImageSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }

export type DocumentSource = ImageSource | { readonly kind: 'text'; readonly text: string }

/** Where something in an answer comes from. What a format does not tell is null. */
export interface Citation {
  /** The words of the source. */
  readonly citedText: string | null
  readonly title: string | null
  readonly url: string | null
  /** Among the documents of the request, from 0. */
  readonly documentIndex: number | null
  /** Where in the source; `end` is exclusive, pages count from 1. */
  readonly location: {
    readonly unit: 'char' | 'page' | 'block'
    readonly start: number
    readonly end: number
  } | null
  /** Which characters of the answer's text part it stands behind. */
  readonly span: { readonly start: number; readonly end: number } | null
}

/** How much the model shall think before it answers. */
export interface ReasoningAsk {
  readonly effort: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | null
  /** Tokens it may think for, where the caller said so. */
  readonly budgetTokens: number | null
  /** The caller wants to read the thoughts, or a summary of them. */
  readonly visible: boolean
}

/** One token of an answer, with its natural-log probability, and those it was chosen from. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
}

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
  readonly cacheControl?: JsonObject
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
  readonly topK: number | null
  readonly seed: number | null
  readonly presencePenalty: number | null
  readonly frequencyPenalty: number | null
  /** Alternatives per token to tell with the log probabilities; 0: only the chosen one; null: none asked. */
  readonly topLogprobs: number | null
  readonly reasoning: ReasoningAsk | null
  readonly stop: readonly string[]
  readonly stream: boolean
  readonly includeUsage: boolean
  /** Structured output: the answer must be JSON, of this schema when one is given. */
  readonly json: {
    readonly name: string
    readonly schema: JsonObject | null
    readonly strict: boolean
  } | null
  /** The end user's id, as the formats let a caller pass it. */
  readonly user: string | null
}

/** What a request asks for that it does not say. */
export const NOT_ASKED = {
  topK: null,
  seed: null,
  presencePenalty: null,
  frequencyPenalty: null,
  topLogprobs: null,
  reasoning: null,
} as const satisfies Partial<ModelRequest>

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'refusal' | 'other'
