// What came of the requests, and whether it was any good. An answer is good when a reader would not have
// noticed a load: first token within 3 s of the moment the user asked, retries included, and at most 150 ms
// per token after it. Everything else was work for nothing.

import type { Arrival, Criticality } from './arrivals.js'

export const FIRST_TOKEN_MS_MAX = 3_000
export const TOKEN_MS_MAX = 150

/** How a request ended for the user. */
export type End = 'answered' | 'refused' | 'failed' | 'gave-up' | 'cut-off'

export interface Result extends Arrival {
  readonly end: End
  /** Of the last try; null when no answer came. */
  readonly status: number | null
  /** From when the user asked, ms. Of a whole answer null. */
  readonly firstTokenMs: number | null
  readonly totalMs: number
  /** Tokens that were received. */
  readonly tokens: number
  readonly tries: number
  /** The generator was late by this much, ms: a sign of a machine that is too busy. */
  readonly lateMs: number
}

export function tokenMs({ firstTokenMs, totalMs, tokens }: Result): number {
  return firstTokenMs === null || tokens < 2 ? 0 : (totalMs - firstTokenMs) / (tokens - 1)
}

export function isGood(result: Result): boolean {
  if (result.end !== 'answered') return false
  const { firstTokenMs, totalMs, tokens } = result
  if (firstTokenMs === null) return totalMs <= FIRST_TOKEN_MS_MAX + TOKEN_MS_MAX * Math.max(0, tokens - 1)
  return firstTokenMs <= FIRST_TOKEN_MS_MAX && tokenMs(result) <= TOKEN_MS_MAX
}

/** The value at this share of all values; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** Those who asked within the window. */
export function within(results: readonly Result[], { fromMs, toMs }: Window): readonly Result[] {
  return results.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
}

export interface Judged {
  readonly asked: number
  readonly good: number
  readonly answered: number
  /** Good answers per second. */
  readonly goodput: number
  readonly tries: number
  readonly ends: Readonly<Record<string, number>>
  readonly firstTokenMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly tokenMs: { readonly p50: number; readonly p95: number }
  readonly totalMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Share of good answers among those who asked. */
  readonly goodShare: number
  readonly goodShareOf: Readonly<Record<Criticality, number>>
  readonly answeredShareOf: Readonly<Record<Criticality, number>>
  readonly lateMsP99: number
}

const share = (part: number, all: number): number => (all === 0 ? Number.NaN : part / all)

function sharesOf(
  results: readonly Result[],
  test: (result: Result) => boolean,
): Record<Criticality, number> {
  const of = (criticality: Criticality): number => {
    const own = results.filter((result) => result.criticality === criticality)
    return share(own.filter(test).length, own.length)
  }
  return { critical: of('critical'), sheddable_plus: of('sheddable_plus'), sheddable: of('sheddable') }
}

function countEnds(results: readonly Result[]): Record<string, number> {
  const ends: Record<string, number> = {}
  for (const { end, status } of results) {
    const name = end === 'answered' || status === null ? end : `${end} ${status}`
    ends[name] = (ends[name] ?? 0) + 1
  }
  return ends
}

export function judge(results: readonly Result[], window: Window): Judged {
  const own = within(results, window)
  const good = own.filter(isGood).length
  const answered = own.filter(({ end }) => end === 'answered')
  const firsts = answered.flatMap(({ firstTokenMs }) => (firstTokenMs === null ? [] : [firstTokenMs]))
  const perToken = answered.filter(({ firstTokenMs }) => firstTokenMs !== null).map(tokenMs)
  const totals = answered.map(({ totalMs }) => totalMs)
  const at = (values: readonly number[]) => ({
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
  })
  return {
    asked: own.length,
    good,
    answered: answered.length,
    goodput: (good / (window.toMs - window.fromMs)) * 1_000,
    tries: own.reduce((sum, { tries }) => sum + tries, 0),
    ends: countEnds(own),
    firstTokenMs: at(firsts),
    tokenMs: at(perToken),
    totalMs: at(totals),
    goodShare: share(good, own.length),
    goodShareOf: sharesOf(own, isGood),
    answeredShareOf: sharesOf(own, ({ end }) => end === 'answered'),
    lateMsP99: percentile(
      own.map(({ lateMs }) => lateMs),
      0.99,
    ),
  }
}

/** What a tenant got, in tokens: prompts once, answers twice, as the fair queue counts (VTC). */
export function serviceOf(results: readonly Result[], tenant: string, window: Window): number {
  return results
    .filter((result) => result.tenant === tenant && result.end === 'answered')
    .filter(({ atMs, totalMs }) => atMs + totalMs >= window.fromMs && atMs + totalMs < window.toMs)
    .reduce((sum, { promptTokens, tokens }) => sum + promptTokens + 2 * tokens, 0)
}

/** Seconds are bundled, so that single requests do not decide. */
const RECOVERY_WINDOW_MS = 3_000

/**
 * How long after `fromMs` until those who ask are served as well as `share` of `wanted`, and stay so; null when
 * that does not happen before `toMs`. Looked at in windows of 3 s that move by a second.
 */
export function recoveryMs(
  results: readonly Result[],
  window: Window,
  least: { readonly share: number; readonly wanted: number },
): number | null {
  let recovered: number | null = null
  const { fromMs, toMs } = window
  for (let startMs = fromMs; startMs + RECOVERY_WINDOW_MS <= toMs; startMs += 1_000) {
    const own = within(results, { fromMs: startMs, toMs: startMs + RECOVERY_WINDOW_MS })
    const isFine = share(own.filter(isGood).length, own.length) >= least.share * least.wanted
    if (!isFine) recovered = null
    else recovered ??= startMs - fromMs
  }
  return recovered
}
