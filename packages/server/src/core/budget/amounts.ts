// What a task may use, as one vector. Time is not in it: a deadline is one absolute instant over everything.

export interface Amounts {
  readonly modelCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly toolCalls: number
  readonly toolMs: number
  readonly nanoUsd: number
}

export type Resource = keyof Amounts
/** A limit a task can hit: a resource, or its time. */
export type LimitName = Resource | 'latencyMs'

export const RESOURCES = [
  'modelCalls',
  'inputTokens',
  'outputTokens',
  'toolCalls',
  'toolMs',
  'nanoUsd',
] as const satisfies readonly Resource[]

export const NOTHING: Amounts = {
  modelCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  toolCalls: 0,
  toolMs: 0,
  nanoUsd: 0,
}

/** Infinity = no limit of that kind. Stored and shown as null. */
export const NO_LIMITS: Amounts = {
  modelCalls: Infinity,
  inputTokens: Infinity,
  outputTokens: Infinity,
  toolCalls: Infinity,
  toolMs: Infinity,
  nanoUsd: Infinity,
}
