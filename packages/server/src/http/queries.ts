// Query strings of the control API.

import { type Parsed, type Problem, parsed } from '../core/parsed.js'
import { PLACE_GROUPINGS, type ReportFilter } from '../core/task/report.js'
import { EVENTS } from '../core/task/event-names.js'
import type { EventFilter, TaskFilter, TaskStatus } from '../core/task/views.js'

const STATUSES = ['open', 'succeeded', 'failed', 'abandoned'] as const satisfies readonly TaskStatus[]
const GROUPINGS = [
  'contract',
  'tenant',
  'release',
  'model',
  ...PLACE_GROUPINGS,
  'none',
] as const satisfies readonly ReportFilter['by'][]
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const LIST_LIMIT_MAX = 500
const DAY_MS = 86_400_000

/** `24h`, `30m`, `7d`, an ISO time or ms since 1970, as ms since 1970. null: none of these. */
export function parseTime(text: string, nowMs: number): number | null {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text)
  if (ago !== null) return nowMs - Number(ago[1]) * (UNIT_MS[ago[2] ?? 's'] ?? 0)
  if (/^\d{12,14}$/.test(text)) return Number(text)
  const time = Date.parse(text)
  return Number.isNaN(time) ? null : time
}

class Query {
  readonly problems: Problem[] = []
  readonly #values: Readonly<Record<string, unknown>>
  readonly #nowMs: number

  constructor(query: unknown, nowMs: number, known: readonly string[]) {
    this.#values = typeof query === 'object' && query !== null ? { ...query } : {}
    this.#nowMs = nowMs
    for (const name of Object.keys(this.#values)) {
      if (!known.includes(name)) this.#fault(name, `is not known; known are ${known.join(', ')}`)
    }
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  oneOf<T extends string>(name: string, options: readonly T[]): T | undefined {
    const value = this.text(name)
    const found = options.find((option) => option === value)
    if (value !== undefined && found === undefined) this.#fault(name, `must be one of ${options.join(', ')}`)
    return found
  }

  time(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const time = parseTime(value, this.#nowMs)
    if (time === null) this.#fault(name, 'must be a span such as 24h or 7d, or an ISO time')
    return time ?? undefined
  }

  count(name: string, most: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const count = Number(value)
    if (Number.isInteger(count) && count >= 1 && count <= most) return count
    this.#fault(name, `must be a whole number from 1 to ${most}`)
    return undefined
  }

  #fault(at: string, message: string): void {
    this.problems.push({ at, message })
  }
}

const TASK_KEYS = [
  'contract',
  'status',
  'session',
  'external_id',
  'degraded',
  'since',
  'until',
  'limit',
  'cursor',
]

export function parseTaskQuery(query: unknown, nowMs: number): Parsed<TaskFilter> {
  const reader = new Query(query, nowMs, TASK_KEYS)
  const degraded = reader.oneOf('degraded', ['true', 'false'])
  const filter = {
    contract: reader.text('contract'),
    status: reader.oneOf('status', STATUSES),
    session: reader.text('session'),
    externalId: reader.text('external_id'),
    degraded: degraded === undefined ? undefined : degraded === 'true',
    sinceMs: reader.time('since'),
    untilMs: reader.time('until'),
    limit: reader.count('limit', LIST_LIMIT_MAX),
    cursor: reader.text('cursor'),
  }
  if (reader.problems.length > 0) return { kind: 'invalid', problems: reader.problems }
  return parsed(Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)))
}

export function parseReportQuery(query: unknown, nowMs: number): Parsed<ReportFilter> {
  const reader = new Query(query, nowMs, ['since', 'until', 'by', 'contract'])
  const contract = reader.text('contract')
  const filter: ReportFilter = {
    sinceMs: reader.time('since') ?? nowMs - DAY_MS,
    untilMs: reader.time('until') ?? nowMs,
    by: reader.oneOf('by', GROUPINGS) ?? 'contract',
    ...(contract === undefined ? {} : { contract }),
  }
  return reader.problems.length > 0 ? { kind: 'invalid', problems: reader.problems } : parsed(filter)
}

export const EVENTS_DEFAULT = 50

export function parseEventQuery(query: unknown, nowMs: number): Parsed<EventFilter> {
  const reader = new Query(query, nowMs, ['event', 'subject', 'limit', 'before'])
  const filter = {
    event: reader.oneOf('event', EVENTS),
    subject: reader.text('subject'),
    limit: reader.count('limit', LIST_LIMIT_MAX),
    before: reader.count('before', Number.MAX_SAFE_INTEGER),
  }
  if (reader.problems.length > 0) return { kind: 'invalid', problems: reader.problems }
  return parsed(Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)))
}
