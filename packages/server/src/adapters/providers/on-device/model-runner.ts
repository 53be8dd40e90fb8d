// What the on-device provider needs of a model in this process. Narrow, so that queue, abort, pause and close
// are tested with a fake, and so that the native library has one door.

import type { JsonObject } from '../../../core/json.js'

/** Where the model is and what it may use. */
export interface LocalModel {
  /** Absolute. */
  readonly path: string
  readonly threads: number
  /** Of one sequence, prompt and answer together; null: what it was trained for, at most 4096. */
  readonly contextTokens: number | null
  /** Answers generated at the same time. Each has a context of its own in memory. */
  readonly sequences: number
  readonly gpu: boolean
}

export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
}

export interface Prompt {
  readonly tokens: readonly number[]
  /** Tokens and texts that end the model's turn, by its chat template. */
  readonly stopTokens: ReadonlySet<number>
  readonly stopTexts: readonly string[]
}

export type Grammar =
  | { readonly kind: 'text' }
  /** Any JSON object. */
  | { readonly kind: 'json' }
  | { readonly kind: 'schema'; readonly schema: JsonObject }

/** What follows a finished value of a grammar, instead of the end of the model's turn. */
export const GRAMMAR_END = '\n\n\n\n'

export interface Sampling {
  /** 0: always the most probable token. */
  readonly temperature: number
  readonly topP: number
  /** 0..2^32-1. */
  readonly seed: number
  readonly frequencyPenalty: number
  readonly presencePenalty: number
}

export interface Generation {
  readonly prompt: Prompt
  readonly sampling: Sampling
  readonly grammar: Grammar
  /** null: not asked. Else how many of the most probable tokens to tell besides the chosen one. */
  readonly alternatives: number | null
}

export interface GeneratedToken {
  readonly token: number
  /** Of the distribution it was drawn from (after temperature and top_p), 0..1; 1 when nobody asked. */
  readonly probability: number
  /** The most probable tokens, best first. */
  readonly alternatives: readonly { readonly token: number; readonly probability: number }[]
}

/** A loaded model. */
export interface ModelRunner {
  /** What one sequence can hold, prompt and answer together. */
  readonly contextTokens: number
  /** Throws when the model's template refuses the conversation. */
  chatPrompt(turns: readonly ChatTurn[]): Prompt
  textTokens(text: string): readonly number[]
  /** `before`: the tokens in front, which some vocabularies need to know whether a space belongs between. */
  textOf(tokens: readonly number[], before: readonly number[]): string
  /**
   * One token at a time, as fast as they are taken; ends with the model's turn, or after `signal`. At most
   * `sequences` at once.
   */
  generate(generation: Generation, signal: AbortSignal): AsyncIterable<GeneratedToken>
  /** A vector of length one. Throws when this model has no embeddings. */
  embed(tokens: readonly number[]): Promise<Float32Array>
  /** Frees the memory. Nothing is generated any more. */
  close(): Promise<void>
}

/** Loads a model. Fails with a message that names the file and what to do; no other part of its path. */
export type OpenRunner = (model: LocalModel) => Promise<ModelRunner>
