// Places side by side: approaches, providers or deployments as columns, what they are compared by as rows.

import type { PlaceJson, ReportGroupJson } from '@spillway/protocol'
import { UNKNOWN, count, dollars, duration, fitText, percent } from './format.js'
import type { Paint } from './paint.js'
import { plainTable } from './plain-table.js'

/** Columns of one table; more places are a second table below it. */
const PLACES_MAX = 5
const PLACE_WIDTH_MAX = 18

interface Compared {
  readonly group: ReportGroupJson
  readonly place: PlaceJson
}

type Row = readonly [label: string, show: (compared: Compared) => string]

const ROWS: readonly Row[] = [
  ['attempts', ({ group }) => count(group.attempts)],
  ['tasks answered', ({ place }) => percent(place.task_share)],
  ['duration p50', ({ place }) => duration(place.duration_ms?.p50 ?? null)],
  ['duration p95', ({ place }) => duration(place.duration_ms?.p95 ?? null)],
  ['first byte p50', ({ place }) => duration(place.first_byte_ms?.p50 ?? null)],
  ['first byte p95', ({ place }) => duration(place.first_byte_ms?.p95 ?? null)],
  ['output tokens/s', ({ place }) => speed(place.output_tokens_per_second)],
  ['spent', ({ group }) => dollars(group.cost_usd)],
  ['cost/1k tokens', ({ place }) => dollars(place.cost_per_1k_tokens_usd)],
  ['cost/success', ({ place }) => dollars(place.cost_per_success_usd)],
  ['errors', ({ place }) => percent(place.error_rate)],
  ['throttled', ({ place }) => percent(place.throttle_rate)],
  ['fallbacks', ({ place }) => percent(place.fallback_rate)],
]

const OWNED_ROWS: readonly Row[] = [
  ['owned hours', ({ place }) => place.owned?.hours.toFixed(1) ?? UNKNOWN],
  ['owned cost', ({ place }) => dollars(place.owned?.owned_cost_usd ?? null)],
  ['of it idle', ({ place }) => dollars(place.owned?.idle_cost_usd ?? null)],
  ['utilisation', ({ place }) => percent(place.owned?.utilisation ?? null)],
]

/** What has to be known to read the table. */
export function compareNotes(groups: readonly ReportGroupJson[]): readonly string[] {
  const isOwned = groups.some(({ place }) => (place?.owned ?? null) !== null)
  return [
    'Durations, first bytes and speed: attempts that ended well. Errors, throttled, fallbacks: of all attempts.',
    'Cost per success: all that was spent there, per success that was last answered there.',
    ...(isOwned
      ? ['Costs per token and success include the work of owned hours; idle hours are apart.']
      : []),
  ]
}

function speed(tokens: number | null): string {
  return tokens === null ? UNKNOWN : tokens.toFixed(1)
}

/** null: the groups of the report are not places. */
export function compareTable(groups: readonly ReportGroupJson[], head: string, paint: Paint): string | null {
  const compared = groups.flatMap((group) =>
    group.place === undefined ? [] : [{ group, place: group.place }],
  )
  if (compared.length === 0) return null
  const rows = compared.some(({ place }) => place.owned !== null) ? [...ROWS, ...OWNED_ROWS] : ROWS
  const tables: string[] = []
  for (let from = 0; from < compared.length; from += PLACES_MAX) {
    const some = compared.slice(from, from + PLACES_MAX)
    const columns = some.map(({ group }) => ({ head: fitText(group.group, PLACE_WIDTH_MAX) }))
    const cells = rows.map(([label, show]) => [label, ...some.map(show)])
    tables.push(plainTable([{ head, align: 'left' }, ...columns], cells, paint))
  }
  return tables.join('\n\n')
}
