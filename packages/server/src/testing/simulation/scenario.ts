// What happens in one simulated run, as plain data: it can be printed, made smaller, and run again.

import type { Priority } from '@spillway/protocol'
import type { PinAction } from '../../core/capacity/breaker.js'
import type { CallerWire } from '../../core/release/release.js'

export type FaultKind =
  /** No connection. */
  | 'refused'
  /** The replica dies with all its calls, and comes back. */
  | 'vanish'
  | '400'
  /** 400: the prompt is too long for the model. */
  | 'context-length'
  | '401'
  | '404'
  | '500'
  | '503'
  | '529'
  /** 429 with honest headers; without any; with headers nobody can mean. */
  | '429'
  | '429-bare'
  | '429-absurd'
  /** A real limit: so many requests a minute, told in headers on every answer. */
  | 'limited'
  /** Takes the request and never says a word. */
  | 'stall'
  /** A head, and then nothing. */
  | 'drip'
  /** Stops in the middle of the answer without a word. */
  | 'freeze'
  /** Every step takes that many times longer. */
  | 'slow'
  /** Answered, paid for, and lost on the way. */
  | 'lost'
  /** The connection breaks in the middle. */
  | 'break'
  /** Ends in the middle as if it were complete. */
  | 'silent-end'
  /** Says in the middle that it failed. */
  | 'in-band'
  /** 200 and a page. */
  | 'garbage'
  /** Usage that is not true. */
  | 'lie'

export interface Fault {
  readonly provider: string
  readonly kind: FaultKind
  readonly fromMs: number
  readonly toMs: number
  /** Of the requests that arrive meanwhile, 0..1. */
  readonly share: number
  /** Times slower, requests a minute, tokens before it breaks. */
  readonly amount: number
}

/** A server that works on many answers at once: the more there are, the longer a step takes. */
export interface Pace {
  readonly stepMs: number
  readonly perRunningMs: number
  readonly prefillMsPerToken: number
  readonly tokensPerStep: number
  readonly runningMax: number
}

export interface TaskPlan {
  readonly id: number
  readonly atMs: number
  readonly contract: string
  readonly tenant: string
  /** `id` of another. */
  readonly parent: number | null
  /** The application ends it then, ms after it was opened. */
  readonly outcomeMs: number | null
}

/** A step that the application ran itself. */
export interface ReportPlan {
  readonly atMs: number
  /** `id` of its task. */
  readonly task: number
  readonly kind: 'tool' | 'retrieval'
  readonly durationMs: number
  readonly costUsd: number
}

export type Target =
  | { readonly kind: 'contract'; readonly name: string }
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'task'; readonly id: number }

export interface CallPlan {
  readonly id: number
  readonly atMs: number
  readonly tenant: string
  readonly wire: CallerWire
  readonly stream: boolean
  readonly target: Target
  readonly words: number
  /** Earlier turns of the conversation. */
  readonly turns: number
  /** Others ask the very same; null: nobody does. */
  readonly question: number | null
  /** What the model would say if nothing stopped it. */
  readonly outputTokens: number
  readonly maxTokens: number | null
  readonly hangUpMs: number | null
  /** Reads slowly: takes what was written only after this. */
  readonly readMs: number | null
  /** Calls again after a refusal. `honours`: as it was told to; else at once. */
  readonly retries: number
  readonly honours: boolean
  readonly priority: Priority
  readonly session: string | null
}

/** What an operator orders for a deployment. */
export interface PinPlan {
  readonly atMs: number
  readonly deployment: string
  readonly action: PinAction | 'auto'
  readonly forMs: number
}

export interface Scenario {
  readonly seed: number
  readonly shape: string
  /** 0: the ledger is in the process; else a promise or settlement takes this long. */
  readonly ledgerMs: number
  readonly diskMs: number
  readonly paces: Readonly<Record<string, Pace>>
  readonly faults: readonly Fault[]
  readonly tasks: readonly TaskPlan[]
  readonly calls: readonly CallPlan[]
  readonly jumps: readonly { readonly atMs: number; readonly byMs: number }[]
  /** The other release of the shape serves from then on, and the first again after the next. */
  readonly reloads: readonly number[]
  /** The books cannot be written. */
  readonly diskFaults: readonly { readonly fromMs: number; readonly toMs: number }[]
  readonly pins: readonly PinPlan[]
  readonly reports: readonly ReportPlan[]
}
