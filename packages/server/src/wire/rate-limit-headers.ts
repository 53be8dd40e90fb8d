// The limits a provider tells in the headers of its answers: how much may be sent in its window, how much is
// left, when it is full again. Sent by others: what cannot be meant is not told, one bucket at a time, and
// every pattern is linear.

import type { QuotaDimension, ToldBucket } from '../core/capacity/limit-report.js'
import type { LimitHeaders } from '../core/capacity/quota-rules.js'
import { dateWaitMs, durationMs } from './retry-after.js'

type Headers = Readonly<Record<string, string>>

const NOTHING: readonly ToldBucket[] = []
/** A larger limit limits nobody, or is none: a negative one in 64 bits, a mistake. */
const LIMIT_MAX = 1_000_000_000
const DAY_MS = 86_400_000
/** No bucket is longer in refilling. */
const RESET_MAX_MS = 2 * DAY_MS
/** A bucket of one minute is never this long in refilling. */
const MINUTE_RESET_MAX_MS = 120_000

/** Where two places tell of the same bucket, the first that is there counts. */
export function readLimitHeaders(
  headers: Headers,
  places: readonly LimitHeaders[],
  nowMs: number,
): readonly ToldBucket[] {
  let told: ToldBucket[] | null = null
  for (const place of places) {
    const bucket = readBucket(headers, place, nowMs)
    if (bucket === null) continue
    if (told === null) told = [bucket]
    else if (told.every(({ dimension }) => dimension !== bucket.dimension)) told.push(bucket)
  }
  return told ?? NOTHING
}

/** A limit that cannot be meant makes what is beside it unbelievable too. */
function readBucket(headers: Headers, place: LimitHeaders, nowMs: number): ToldBucket | null {
  const [limitText, leftText] = [at(headers, place.limit), at(headers, place.remaining)]
  if (limitText === undefined && leftText === undefined) return null
  const limit = count(limitText)
  if (limitText !== undefined && (limit === null || limit === 0)) return null
  const left = count(leftText)
  const remaining = left !== null && left > (limit ?? LIMIT_MAX) ? null : left
  if (limit === null && remaining === null) return null
  const resetMs = resetOf(at(headers, place.reset), place, nowMs)
  const { dimension, spanMs, isBinding } = place
  const bucket = { dimension, spanMs, limit, isBinding, remaining, resetMs }
  return isOfADay(bucket) ? { ...bucket, spanMs: DAY_MS } : bucket
}

function at(headers: Headers, name: string | null): string | undefined {
  return name === null ? undefined : headers[name]
}

function count(text: string | undefined): number | null {
  if (text === undefined || !/^\s{0,8}\d{1,10}\s{0,8}$/.test(text)) return null
  const value = Number(text)
  return value > LIMIT_MAX ? null : value
}

function resetOf(text: string | undefined, { resetFormat }: LimitHeaders, nowMs: number): number | null {
  if (text === undefined) return null
  const resetMs = resetFormat === 'date' ? dateWaitMs(text, nowMs) : durationMs(text)
  return resetMs !== null && resetMs <= RESET_MAX_MS ? Math.ceil(resetMs) : null
}

/**
 * Some limits are per day and do not say so: then what was taken of it is so slow in coming back that the
 * whole would take a day.
 */
function isOfADay({ limit, remaining, resetMs }: ToldBucket): boolean {
  if (limit === null || remaining === null || resetMs === null || resetMs < MINUTE_RESET_MAX_MS) return false
  const wholeMs = (resetMs * limit) / Math.max(1, limit - remaining)
  return wholeMs > DAY_MS / 2 && wholeMs < DAY_MS * 1.5
}

export interface ToldLimit {
  readonly limit: number | null
  readonly left: number | null
}

export interface ToldLimits {
  readonly requests: ToldLimit
  readonly tokens: ToldLimit
}

const UNTOLD: ToldLimit = { limit: null, left: null }

/** For people: where input and output are told apart, input. null: nothing was told. */
export function toldLimits(told: readonly ToldBucket[]): ToldLimits | null {
  const of = (...dimensions: readonly QuotaDimension[]): ToldLimit => {
    const bucket = dimensions.flatMap((name) => told.filter(({ dimension }) => dimension === name))[0]
    return bucket === undefined ? UNTOLD : { limit: bucket.limit, left: bucket.remaining }
  }
  return told.length === 0 ? null : { requests: of('requests'), tokens: of('tokens', 'input_tokens') }
}
