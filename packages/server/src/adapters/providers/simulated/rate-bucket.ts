// Real throttling: a bucket per model that refills all the time, as the providers' do, and the headers that
// tell about it in each provider's own manner.

import type { Dialect } from './provider-errors.js'

/** Requests left, and when that was true. */
export interface RateBucket {
  readonly left: number
  readonly atMs: number
}

export interface RateState {
  readonly limit: number
  /** Whole requests left. */
  readonly remaining: number
  /** Until the bucket is full again, ms. */
  readonly fullInMs: number
  /** Until one request fits, ms; 0 when one does. */
  readonly nextInMs: number
}

const MINUTE_MS = 60_000

export function takeOne(
  bucket: RateBucket | undefined,
  perMinute: number,
  nowMs: number,
): { readonly granted: boolean; readonly bucket: RateBucket; readonly state: RateState } {
  const elapsedMs = bucket === undefined ? 0 : Math.max(0, nowMs - bucket.atMs)
  const full = Math.max(1, perMinute)
  const before = Math.min(full, (bucket?.left ?? full) + (elapsedMs * perMinute) / MINUTE_MS)
  const granted = before >= 1
  const left = granted ? before - 1 : before
  const msPerRequest = MINUTE_MS / perMinute
  const state: RateState = {
    limit: perMinute,
    remaining: Math.floor(left),
    fullInMs: Math.ceil((full - left) * msPerRequest),
    nextInMs: left >= 1 ? 0 : Math.ceil((1 - left) * msPerRequest),
  }
  return { granted, bucket: { left, atMs: nowMs }, state }
}

/** Sent with every answer while throttling is on. */
export function rateHeaders(dialect: Dialect, state: RateState, nowMs: number): Record<string, string> {
  if (dialect === 'openai') {
    return {
      'x-ratelimit-limit-requests': String(state.limit),
      'x-ratelimit-remaining-requests': String(state.remaining),
      'x-ratelimit-reset-requests': goDuration(state.fullInMs),
    }
  }
  return {
    'anthropic-ratelimit-requests-limit': String(state.limit),
    'anthropic-ratelimit-requests-remaining': String(state.remaining),
    'anthropic-ratelimit-requests-reset': rfc3339(nowMs + state.fullInMs),
  }
}

/** Whole seconds, rounded up: what both providers send with 429. */
export function retryAfterSeconds(state: RateState): number {
  return Math.max(1, Math.ceil(state.nextInMs / 1_000))
}

/** `120ms`, `1s`, `1.5s`, `6m0s`: as OpenAI writes durations. */
export function goDuration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`
  const minutes = Math.floor(ms / MINUTE_MS)
  const seconds = Number(((ms % MINUTE_MS) / 1_000).toFixed(3))
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

function rfc3339(ms: number): string {
  return `${new Date(Math.ceil(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`
}
