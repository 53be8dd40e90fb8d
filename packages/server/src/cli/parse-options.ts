// Option values that are checked before the server is asked, so that a typo is wrong usage and not a refusal.

import { InvalidArgumentError } from 'commander'

/** An age (`90m`, `24h`, `7d`) or an ISO 8601 time, as the server takes them. */
export function parseInstant(text: string): string {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d|w)$/.test(text)) return text
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError(
    'Give an age such as 90m, 24h or 7d, or an ISO time such as 2026-11-24T08:00:00Z.',
  )
}

/** 1..500 rows: what one page of the server can hold. */
export function parseLimit(text: string): string {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new InvalidArgumentError('Give a whole number, 1 to 500.')
  return text
}
