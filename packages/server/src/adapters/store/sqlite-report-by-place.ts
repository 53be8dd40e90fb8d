// The whiteboard by where attempts went: approach, provider or deployment. A row is one attempt, a run on the
// caller's device included, or the part of a task that belongs to no attempt; the first row of a task at a
// place stands for the task there.

import type Database from 'better-sqlite3'
import {
  BLAMELESS_ENDS,
  type MiddleAndTail,
  NOT_ON_DEVICE,
  NO_PLACE,
  ON_DEVICE,
  type PlaceGrouping,
  type PlaceSums,
  type ReportFilter,
  type ReportGroup,
  THROTTLED_STATUSES,
  UNKNOWN_APPROACH,
} from '../../core/task/report.js'
import { firstNumberSince } from './hours.js'
import { NANO_PER_USD, bitOf, only } from './report-sql.js'
import { PLACES_PER_TASK } from './schema.js'
import {
  ANSWERED,
  CACHE_HIT,
  DEGRADED,
  ESCALATED,
  HARM,
  SIMULATED,
  SLO_JUDGED,
  SLO_MET,
  SUCCESS,
} from './task-codes.js'

/**
 * How what it is called is found: `served` is the deployment as its release had it, and no release has those
 * of devices.
 */
const PLACE: Readonly<Record<PlaceGrouping, string>> = {
  approach: `iif(a.provider = '${ON_DEVICE}' AND served.hosting IS NULL, '${ON_DEVICE}',
    ifnull(served.hosting, '${UNKNOWN_APPROACH}'))`,
  provider: 'a.provider',
  deployment: 'a.deployment',
}

const SERVED = `LEFT JOIN deployments served
  ON served.release = a.release AND served.deployment = a.deployment`

const OF_TASK = 'n, release, verdict, latency_ms, price_nano, flags'
const USED = 'nano, model_calls, input_tokens, output_tokens, unpriced, premium_calls, simulated'
const WENT = 'duration_ms, first_byte_ms, status, ended'

/** A whole one-step task has one attempt; places in its text: `PackedCall` and `PackedCharge`. */
const OF_CALLS = `SELECT ${OF_TASK}, deployment, provider, cost_nano AS nano, model_calls, input_tokens,
    output_tokens, unpriced, premium_calls, ${bitOf('flags', SIMULATED)} AS simulated,
    call ->> '$[1][6]' AS duration_ms, call ->> '$[1][7]' AS first_byte_ms, call ->> '$[1][8]' AS status,
    call ->> '$[1][9]' AS ended, ${bitOf('flags', ANSWERED)} AS is_answer
  FROM chosen JOIN held USING (terms)`

/** The others have theirs in a table of its own; places in the text: `PackedAttempt`. */
const OF_CHARGES = `SELECT ${OF_TASK}, attempt ->> '$[4]' AS deployment, attempt ->> '$[5]' AS provider,
    charged_nano AS nano, charges.model_calls, charges.input_tokens, charges.output_tokens,
    attempt ->> '$[14]' IS NULL AS unpriced,
    iif(attempt ->> '$[6]' = 'premium', charges.model_calls, 0) AS premium_calls,
    attempt ->> '$[18]' AS simulated,
    attempt ->> '$[8]' AS duration_ms, attempt ->> '$[9]' AS first_byte_ms,
    attempt ->> '$[10]' AS status, attempt ->> '$[11]' AS ended,
    key, step, attempt ->> '$[1]' AS number, attempt ->> '$[2]' AS purpose
  FROM chosen JOIN charges ON key >= n * ${PLACES_PER_TASK} AND key < (n + 1) * ${PLACES_PER_TASK}
  WHERE call IS NULL`

/** Steps of tasks that have more than one; places in the text: `PackedStep`. */
const OF_STEPS = `chosen JOIN steps ON key >= n * ${PLACES_PER_TASK} AND key < (n + 1) * ${PLACES_PER_TASK}
  WHERE call IS NULL`
const IS_ON_DEVICE = `detail ->> '$[7]' IS '${ON_DEVICE}'`
/** What became of a run, and what its runner counted: the one decision of its step. */
const DEVICE_END = `detail ->> '$[18][0][2]'`
const deviceCount = (name: string) => `detail ->> '$[18][0][3].${name}'`

/** What ran on the caller's device. Tokens are NULL where its runner does not count them. */
const OF_RUNS = `SELECT ${OF_TASK}, detail ->> '$[9]' AS deployment, '${ON_DEVICE}' AS provider,
    detail ->> '$[20]' AS nano, 0 AS model_calls, ${deviceCount('input_tokens')} AS input_tokens,
    ${deviceCount('output_tokens')} AS output_tokens, 0 AS unpriced, 0 AS premium_calls, 0 AS simulated,
    detail ->> '$[5]' AS duration_ms, detail ->> '$[6]' AS first_byte_ms, 0 AS status,
    CASE ${DEVICE_END} WHEN 'answered' THEN 'ok' WHEN 'escalated' THEN 'ok' WHEN 'aborted' THEN 'caller_left'
      ELSE ${DEVICE_END} END AS ended,
    key, number AS step, 0 AS number, '${ON_DEVICE}' AS purpose
  FROM ${OF_STEPS} AND ${IS_ON_DEVICE} AND ${DEVICE_END} <> '${NOT_ON_DEVICE}'`

/** Which deployment gave the last answer of a task. What a device did not answer is no answer. */
const ANSWERS = `SELECT n, detail ->> '$[9]' AS deployment, max(key) AS key
  FROM ${OF_STEPS} AND detail ->> '$[9]' IS NOT NULL AND (NOT ${IS_ON_DEVICE} OR ${DEVICE_END} = 'answered')
  GROUP BY n`

/** What the attempts of a task do not explain: an answer from nowhere, and the cost of reported steps. */
const REST = `SELECT ${OF_TASK}, cost_nano - ifnull(spent, 0) AS nano, ifnull(is_answer, 0) = 0 AS is_answer
  FROM chosen LEFT JOIN
    (SELECT n, sum(nano) AS spent, max(is_answer) AS is_answer FROM charged GROUP BY n) USING (n)
  WHERE call IS NULL AND (ifnull(is_answer, 0) = 0 OR cost_nano <> ifnull(spent, 0))
  UNION ALL SELECT ${OF_TASK}, iif(terms IS NULL, cost_nano, 0), 1
  FROM chosen WHERE call IS NOT NULL AND (terms IS NULL OR (flags & ${ANSWERED}) = 0)`

function rows(place: string, where: string): string {
  const perTask = '(PARTITION BY a.n, place)'
  return `WITH chosen AS (
    SELECT * FROM tasks JOIN kinds USING (kind)
    WHERE n >= ? AND opened_ms >= ? AND opened_ms < ? ${where}),
  held AS MATERIALIZED (
    SELECT terms, packed ->> '$[2]' AS deployment, packed ->> '$[3]' AS provider FROM terms),
  of_calls AS (${OF_CALLS}), of_charges AS (${OF_CHARGES} UNION ALL ${OF_RUNS}), answers AS (${ANSWERS}),
  charged AS MATERIALIZED (
    SELECT a.*, ${place} AS place, ifnull(a.deployment = answers.deployment, 0) AS is_answer,
      a.purpose = 'answer' AND a.ended <> 'ok' AND ifnull(lead(a.deployment) OVER
        (PARTITION BY a.n, a.step, a.purpose ORDER BY a.number) <> a.deployment, 0) AS is_fallback
    FROM of_charges a ${SERVED} LEFT JOIN answers ON answers.n = a.n),
  rest AS (${REST})
  SELECT ${place} AS place, 1 AS is_task, nano AS task_nano, is_answer, ${OF_TASK_AND_REST}, 0 AS is_fallback
    FROM of_calls a ${SERVED}
  UNION ALL SELECT place, row_number() OVER ${perTask} = 1, sum(nano) OVER ${perTask},
    max(is_answer) OVER ${perTask}, ${OF_TASK_AND_REST}, is_fallback FROM charged a
  UNION ALL SELECT '${NO_PLACE}', 1, nano, is_answer, ${prefixed(OF_TASK)}, nano, 0, 0, 0, 0, 0, 0,
    NULL, NULL, NULL, NULL, 0 FROM rest a`
}

function prefixed(columns: string): string {
  return columns
    .split(', ')
    .map((column) => `a.${column}`)
    .join(', ')
}

const OF_TASK_AND_REST = [OF_TASK, USED, WENT].map(prefixed).join(', ')

const IS_OK = `ended = 'ok'`
const IS_ENDED = 'is_task AND verdict IS NOT NULL'
const USD = `(task_nano / ${NANO_PER_USD})`
const IS_THROTTLED = `ended <> 'ok' AND status IN (${THROTTLED_STATUSES.join(', ')})`
const IS_ERROR = `NOT (${IS_THROTTLED}) AND ended NOT IN (${BLAMELESS_ENDS.map((end) => `'${end}'`).join(', ')})`

function count(condition: string): string {
  return `ifnull(sum(${condition}), 0)`
}

/** Of the tasks that were last answered there. */
function countAnswered(column: string, bit: number): string {
  return count(`is_task AND is_answer AND ${bitOf(column, bit)}`)
}

function percentileOf(column: string, condition: string, percent: number): string {
  return `percentile(iif(${condition}, ${column}, NULL), ${percent})`
}

const ANSWERED_LATENCY = `${IS_ENDED} AND is_answer`

const SUMS = `sum(is_task) AS tasks,
  sum(${IS_ENDED}) AS ended,
  ${countAnswered('verdict', SUCCESS)} AS successes,
  ${countAnswered('verdict', HARM)} AS harms,
  sum(nano) AS nanoUsd,
  sum(iif(${IS_ENDED}, ${USD} * ${USD}, 0.0)) AS costSquaredUsd,
  sum(iif(is_task AND is_answer AND ${bitOf('verdict', SUCCESS)}, ${USD}, 0.0)) AS costOfSuccessesUsd,
  sum(iif(is_task AND is_answer, price_nano, NULL)) AS priceNanoUsd,
  ${[50, 95, 99].map((p) => `${percentileOf('latency_ms', ANSWERED_LATENCY, p)} AS p${p}`).join(', ')},
  sum(iif(is_task AND is_answer AND ${bitOf('verdict', SLO_JUDGED)}, ${bitOf('verdict', SLO_MET)}, NULL))
    AS sloMet,
  ${countAnswered('verdict', SLO_JUDGED)} AS sloJudged,
  sum(is_task AND ${bitOf('flags', DEGRADED)}) AS degraded,
  sum(is_task AND ${bitOf('flags', ESCALATED)}) AS escalated,
  sum(is_task AND ${bitOf('flags', CACHE_HIT)}) AS cacheHits,
  sum(model_calls) AS modelCalls,
  sum(unpriced) AS unpricedCalls,
  count(ended) AS attempts,
  sum(premium_calls) AS premiumCalls,
  ifnull(sum(input_tokens), 0) AS inputTokens,
  ifnull(sum(output_tokens), 0) AS outputTokens,
  max(simulated) AS simulated,
  sum(is_task AND is_answer) AS answered,
  ${[50, 95].map((p) => `${percentileOf('duration_ms', IS_OK, p)} AS duration${p}`).join(', ')},
  ${[50, 95].map((p) => `${percentileOf('first_byte_ms', IS_OK, p)} AS firstByte${p}`).join(', ')},
  ${count(`iif(${IS_OK} AND output_tokens IS NOT NULL, duration_ms, 0)`)} AS okDurationMs,
  ${count(`iif(${IS_OK}, output_tokens, 0)`)} AS okOutputTokens,
  ${count(IS_ERROR)} AS errors,
  ${count(IS_THROTTLED)} AS throttled,
  sum(is_fallback) AS fallbacks`

type Plain = Omit<ReportGroup, 'latencyMs' | 'refused' | 'simulated' | 'place'>
type PlainPlace = Omit<PlaceSums, 'durationMs' | 'firstByteMs'>

interface Sums extends Plain, PlainPlace {
  readonly p50: number | null
  readonly p95: number
  readonly p99: number
  readonly simulated: 0 | 1
  readonly duration50: number | null
  readonly duration95: number
  readonly firstByte50: number | null
  readonly firstByte95: number
}

function middleAndTail(p50: number | null, p95: number): MiddleAndTail | null {
  return p50 === null ? null : { p50, p95 }
}

function groupFrom(sums: Sums): ReportGroup {
  const { p50, p95, p99, simulated, duration50, duration95, firstByte50, firstByte95, ...rest } = sums
  const { answered, okDurationMs, okOutputTokens, errors, throttled, fallbacks, ...plain } = rest
  const durationMs = middleAndTail(duration50, duration95)
  const firstByteMs = middleAndTail(firstByte50, firstByte95)
  return {
    ...plain,
    latencyMs: p50 === null ? null : { p50, p95, p99 },
    refused: 0,
    simulated: simulated === 1,
    place: { answered, durationMs, firstByteMs, okDurationMs, okOutputTokens, errors, throttled, fallbacks },
  }
}

/** Tasks opened from `sinceMs` until before `untilMs`. Groups in order of their names. */
export function reportByPlace(
  db: Database.Database,
  filter: ReportFilter,
  by: PlaceGrouping,
): readonly ReportGroup[] {
  const { sql, values } = only(filter)
  const from = firstNumberSince(db, filter.sinceMs)
  const groups = db
    .prepare(`SELECT place AS "group", ${SUMS} FROM (${rows(PLACE[by], sql)}) GROUP BY 1`)
    .all(from, filter.sinceMs, filter.untilMs, ...values) as Sums[]
  return groups.map(groupFrom).sort((a, b) => (a.group < b.group ? -1 : 1))
}
