// A release: the whole configuration, parsed, checked, compiled and frozen. Its id is the hash of its
// content, so two servers with the same id decide alike. Everything a decision needs is reachable from here.

import type { Amounts } from '../budget/amounts.js'
import type { PromptCacheRules } from '../capacity/prompt-cache-rules.js'
import type { QuotaRules } from '../capacity/quota-rules.js'
import type { ReleaseId } from '../ids.js'
import type { Price } from '../money/price.js'
import type { EventName } from '../task/event-names.js'
import type { Criticality } from '../capacity/demand.js'
import type { CapacitySettings, DeploymentTargets } from './capacity-settings.js'
import type { AzureProvider, BedrockProvider, VertexProvider } from './cloud-providers.js'
import type { Rule } from './rule.js'
import type { Simulation } from './simulation.js'

export type Tier = 'small' | 'mid' | 'premium'
export const TIERS = ['small', 'mid', 'premium'] as const satisfies readonly Tier[]

export type Hosting = 'hosted' | 'serverless' | 'self-hosted' | 'on-device'

/** Formats that callers speak. */
export type CallerWire = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'openai-embeddings'

/** Formats that providers speak: those of callers, and some that no caller does. */
export type Wire =
  | CallerWire
  | 'bedrock-converse'
  | 'gemini'
  | 'bedrock-embeddings'
  | 'gemini-embeddings'
  | 'vertex-embeddings'

export type RungName = 'shorter_context' | 'smaller_model' | 'cached_answer' | 'partial_result' | 'refine'
export const FULL_LADDER = [
  'shorter_context',
  'smaller_model',
  'cached_answer',
  'partial_result',
  'refine',
] as const satisfies readonly RungName[]

/** What every kind of provider has. */
export interface ProviderCommon {
  readonly name: string
  readonly hosting: Hosting
  readonly region: string | null
  readonly retentionDays: number | null
  readonly trainsOnData: boolean | null
  /**
   * Longest wait for the first byte of one attempt, ms. Default 60000; the task's deadline cuts it shorter.
   */
  readonly timeoutMs: number
  /** Extra headers sent with every call. Values may be secrets: never printed. */
  readonly headers: Readonly<Record<string, string>>
}

export type ProviderConfig =
  | (ProviderCommon & { readonly kind: 'openai'; readonly apiKey: string; readonly baseUrl: string })
  | (ProviderCommon & {
      readonly kind: 'openai-compatible'
      readonly apiKey: string | null
      readonly baseUrl: string
    })
  | (ProviderCommon & { readonly kind: 'anthropic'; readonly apiKey: string; readonly baseUrl: string })
  | (ProviderCommon & { readonly kind: 'gemini'; readonly apiKey: string; readonly baseUrl: string })
  | (ProviderCommon & AzureProvider)
  | (ProviderCommon & BedrockProvider)
  | (ProviderCommon & VertexProvider)
  | (ProviderCommon & { readonly kind: 'simulated'; readonly simulation: Simulation })
  | (ProviderCommon & OnDeviceModel)

/** A GGUF model that runs in the server's own process. */
export interface OnDeviceModel {
  readonly kind: 'on-device'
  /** As configured: what is relative starts at the folder of the configuration file. */
  readonly modelPath: string
  /** null: half of the processors. */
  readonly threads: number | null
  /** Of one answer, prompt included; null: what the model was trained for, at most 4096. */
  readonly contextTokens: number | null
  /** Answers generated at the same time. Default 2. */
  readonly sequences: number
  /** Default false. */
  readonly gpu: boolean
}

export interface DeploymentLimits {
  readonly requestsPerMinute: number | null
  /** Input and output together. */
  readonly tokensPerMinute: number | null
  readonly inputTokensPerMinute: number | null
  readonly outputTokensPerMinute: number | null
  readonly concurrency: number | null
}

export interface Deployment {
  /** `provider/model`, unique within a model. */
  readonly id: string
  readonly provider: string
  /** The provider's name for the model. */
  readonly model: string
  readonly limits: DeploymentLimits
  /** What its provider keeps of prompts. */
  readonly promptCache: PromptCacheRules
  readonly targets: DeploymentTargets
  /** How its provider charges calls to limits, and tells of them. */
  readonly quota: QuotaRules
  /** null: unknown. Never zero by omission. */
  readonly price: Price | null
  readonly usdPerHour: number | null
  /** The most tokens it can generate in one answer. Default 4096 where the catalogue does not say. */
  readonly maxOutputTokens: number
}

export interface ModelEntry {
  readonly name: string
  readonly tier: Tier
  readonly deployments: readonly Deployment[]
}

export type SignalSource =
  | { readonly from: 'logprobs' }
  | { readonly from: 'output'; readonly path: string }
  | { readonly from: 'judge'; readonly model: string }
  | { readonly from: 'self_consistency'; readonly samples: number }
  | { readonly from: 'attribute'; readonly name: string }

export interface RouteRule {
  /** Position in `escalate_if`, from 0: shown as `rule:<n>` or `escalated:<n>`. */
  readonly index: number
  readonly condition: Rule
  readonly model: string
  /**
   * `before`: decides from facts known before the call. `after`: needs a signal, so it escalates the answer.
   */
  readonly phase: 'before' | 'after'
}

export interface Route {
  readonly default: string
  readonly rules: readonly RouteRule[]
  /** Ceilings on calls that go to the premium tier. null = none. */
  readonly premium: { readonly maxShare: number | null; readonly maxNanoUsdPerDay: number | null }
  /** What clients that can run a model themselves try first. Absent: nothing. */
  readonly onDevice?: { readonly minConfidence: number; readonly timeoutMs: number | null }
}

export interface Contract {
  readonly name: string
  readonly description: string | null
  readonly success: readonly Rule[]
  readonly harm: readonly Rule[]
  readonly slo: { readonly p95LatencyMs: number | null; readonly successRate: number | null }
  readonly budget: { readonly limits: Amounts; readonly latencyMs: number }
  readonly degrade: readonly RungName[]
  readonly refineMessage: string
  readonly signals: Readonly<Record<string, SignalSource>>
  readonly route: Route
  readonly cache: {
    readonly exactTtlMs: number | null
    readonly semantic: SemanticCacheConfig | null
    /** `auto`: providers are asked to keep prompts where that pays. `off`: only where the caller asks. */
    readonly provider: 'auto' | 'off'
  }
  /**
   * Upstream attempts over the whole task: first tries, retries, fallbacks, hedges, judges and samples.
   * null, the default: every call has its first try, and all of them together three more.
   */
  readonly maxAttempts: number | null
  /** A call that is slow to begin may be sent once more, to another deployment. */
  readonly hedge: boolean
  /** Under overload the last goes first. Default `critical`. */
  readonly criticality: Criticality
  readonly record: 'metadata' | 'content'
  readonly retentionDays: number
  readonly price: { readonly nanoUsdPerSuccess: number | null }
}

/**
 * Accepted and kept; the semantic cache itself is a later part of the product and reports `off` until then.
 */
export interface SemanticCacheConfig {
  readonly enabled: boolean
  readonly similarityThreshold: number
  readonly ttlMs: number
}

export interface CeilingLimits {
  readonly nanoUsdPerDay: number | null
  readonly nanoUsdPerMonth: number | null
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  readonly concurrency: number | null
}

export const NO_CEILINGS: CeilingLimits = {
  nanoUsdPerDay: null,
  nanoUsdPerMonth: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
}

export interface Tenant {
  readonly name: string
  /** SHA-256 of each key, hex. */
  readonly keyHashes: readonly string[]
  readonly limits: CeilingLimits
  readonly attributes: Readonly<Record<string, unknown>>
  /** May steer deployments by hand. Default false. */
  readonly operator?: boolean
  /** Of what its calls share with those of other tenants, its part relative to theirs. Default 1. */
  readonly weight: number
}

export interface ServerSettings {
  /** Default 8 MiB. Read at start; a reload does not change it. */
  readonly maxBodyBytes: number
  /**
   * Origins, as browsers write them, whose pages may call Spillway and read what it answers. Default none. A
   * reload changes it at once.
   */
  readonly allowedOrigins: readonly string[]
}

/** Nothing but the simulated provider answers: every response has to say so. */
export function isAllSimulated(release: Pick<Release, 'providers'>): boolean {
  for (const provider of release.providers.values()) if (provider.kind !== 'simulated') return false
  return release.providers.size > 0
}

/** What a task needs beside models: a search, a vector store, a database, somebody else's API. */
export const DEPENDENCY_KINDS = ['tool', 'retrieval', 'custom'] as const
/** Which kind of step a use of it is. Only `tool` counts against tool calls and tool time. */
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number]

export interface Dependency {
  readonly name: string
  readonly kind: DependencyKind
  /** null: it is no HTTP service; the application calls it itself, with a permit. */
  readonly baseUrl: string | null
  /** Sent with every request. Values may be secrets: never printed. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest use, ms; what is left of the task cuts it shorter. Default 5000. */
  readonly timeoutMs: number
  /** Of one use. Default 0. */
  readonly costNanoUsd: number
  /** Tries of a request that may be repeated. Default 2. */
  readonly maxAttempts: number
  /** Default 1 MiB. */
  readonly maxResponseBytes: number
  /** As capacity knows it. */
  readonly pool: ModelEntry & { readonly deployments: readonly [Deployment] }
}

/** Who is told of events (top-level key `alerts`). */
export interface AlertWebhook {
  /** May be a secret by itself: never printed. */
  readonly url: string
  /** Signs every message; null: they are not signed. */
  readonly secret: string | null
  /** Empty: all. */
  readonly events: readonly EventName[]
}

export interface Release {
  readonly id: ReleaseId
  /** Where it was read from: a path, or `built-in`. */
  readonly source: string
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly models: ReadonlyMap<string, ModelEntry>
  /** By name; `default` is always there. */
  readonly contracts: ReadonlyMap<string, Contract>
  readonly tenants: ReadonlyMap<string, Tenant>
  /** Ceilings over all tenants together (top-level key `limits`). */
  readonly product: CeilingLimits
  /**
   * Dearest configured price, for holds on models whose price is unknown. null when no price is known at all.
   */
  readonly dearestPrice: Price | null
  /** The server itself (top-level key `server`). */
  readonly server: ServerSettings
  readonly alerts: readonly AlertWebhook[]
  readonly dependencies: ReadonlyMap<string, Dependency>
  /** How scarce places are given out (top-level key `capacity`). */
  readonly capacity: CapacitySettings
  /** Things that are legal but probably not meant, for `spillway check` and the start-up banner. */
  readonly warnings: readonly string[]
}
