// What is said to the tables, and in which order of columns.

import type Database from 'better-sqlite3'
import type { OutcomeColumns, WithDetail } from './lines.js'
import type { FoldTotals } from './task-fold.js'

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

const INSERT_CALL = `INSERT INTO tasks (n, id, kind, opened_ms, deadline_ms, session, external_id,
  terms, model_calls, input_tokens, output_tokens, cost_nano, unpriced, premium_calls, flags, attempts,
  last_step_ended_ms, last_model, status, ended_ms, verdict, latency_ms, price_nano, call,
  steps, tool_calls, tool_ms) VALUES (${marks(24)}, 1, 0, 0) ON CONFLICT (id) DO NOTHING`

const ADD_TOTALS = `UPDATE tasks SET
  steps = steps + ?, attempts = attempts + ?, model_calls = model_calls + ?,
  input_tokens = input_tokens + ?, output_tokens = output_tokens + ?, tool_calls = tool_calls + ?,
  tool_ms = tool_ms + ?, cost_nano = cost_nano + ?, unpriced = unpriced + ?,
  premium_calls = premium_calls + ?, flags = flags | ?,
  last_step_ended_ms = nullif(max(ifnull(last_step_ended_ms, -1), ifnull(?, -1)), -1),
  last_model = ifnull(?, last_model) WHERE n = ?`

const SET_OUTCOME = `UPDATE tasks SET status = ?, ended_ms = ?, verdict = ?, latency_ms = ?, price_nano = ?,
  outcome = ? WHERE n = ?`

const KEEP_OUTCOME = `INSERT INTO outcomes SELECT n, (SELECT count(*) FROM outcomes o WHERE o.n = t.n),
  status, ended_ms, verdict, latency_ms, price_nano, outcome
  FROM tasks t WHERE n = ? AND outcome IS NOT NULL`

/** A whole call becomes a task like others, whose parts are in the other tables. */
const TAKE_APART = 'UPDATE tasks SET opened = ?, outcome = ?, call = NULL, terms = NULL WHERE n = ?'

const ADD_TO_ACCOUNT = `INSERT INTO accounts VALUES (${marks(8)}) ON CONFLICT (name) DO UPDATE SET
  model_calls = model_calls + excluded.model_calls, input_tokens = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens, tool_calls = tool_calls + excluded.tool_calls,
  tool_ms = tool_ms + excluded.tool_ms, nano_usd = nano_usd + excluded.nano_usd,
  updated_ms = max(updated_ms, excluded.updated_ms)`

const ADD_REFUSALS = `INSERT INTO refusals VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (hour_ms, tenant, contract, code) DO UPDATE SET count = count + excluded.count`

/** A release that serves already goes on serving: a server that starts again begins nothing new. */
const ADD_SERVING = `INSERT OR REPLACE INTO servings SELECT ?, ?
  WHERE ? IS NOT (SELECT release FROM servings ORDER BY from_ms DESC LIMIT 1)`

/** Never below an hour's mark, also after the newest tasks were pruned: reports start reading at marks. */
const NEXT_N = `SELECT max(
  ifnull((SELECT max(n) FROM tasks), 0) + 1,
  ifnull((SELECT max(first_n) FROM hours), 1))`

export interface Statements {
  readonly nextN: Database.Statement
  readonly lastHour: Database.Statement
  readonly find: Database.Statement
  readonly insertTask: Database.Statement
  readonly insertCall: Database.Statement
  readonly takeApart: Database.Statement
  readonly addTotals: Database.Statement
  readonly setOutcome: Database.Statement
  readonly keepOutcome: Database.Statement
  readonly addOutcome: Database.Statement
  readonly addStep: Database.Statement
  readonly addCharge: Database.Statement
  readonly addToAccount: Database.Statement
  readonly addRefusals: Database.Statement
  readonly addContent: Database.Statement
  readonly addServing: Database.Statement
  readonly addEvent: Database.Statement
  readonly addDeployment: Database.Statement
  readonly addHour: Database.Statement
  readonly setPosition: Database.Statement
}

/** The columns of an outcome of a task that has none. */
export const NO_OUTCOME = [0, null, null, null, null, null] as const

export function outcomeColumns({ columns, detail }: WithDetail<OutcomeColumns>): readonly unknown[] {
  const [, ...rest] = columns
  return [...rest, detail]
}

/** `flags`: more than the parts say. */
export function totalColumns(totals: FoldTotals, flags = 0): readonly unknown[] {
  return [
    totals.modelCalls,
    totals.inputTokens,
    totals.outputTokens,
    totals.toolCalls,
    totals.toolMs,
    totals.nanoUsd,
    totals.unpriced,
    totals.premiumCalls,
    totals.flags | flags,
    totals.lastStepEndedMs,
    totals.lastModel,
  ]
}

export function prepareStatements(db: Database.Database): Statements {
  return {
    nextN: db.prepare(NEXT_N).pluck(),
    lastHour: db.prepare('SELECT ifnull(max(hour_ms), -1) FROM hours').pluck(),
    find: db.prepare('SELECT n, steps, attempts, call IS NOT NULL AS whole FROM tasks WHERE id = ?'),
    insertTask: db.prepare(`INSERT INTO tasks VALUES (${marks(28)}, NULL, NULL) ON CONFLICT (id) DO NOTHING`),
    insertCall: db.prepare(INSERT_CALL),
    takeApart: db.prepare(TAKE_APART),
    addTotals: db.prepare(ADD_TOTALS),
    setOutcome: db.prepare(SET_OUTCOME),
    keepOutcome: db.prepare(KEEP_OUTCOME),
    addOutcome: db.prepare(`INSERT INTO outcomes VALUES (${marks(8)})`),
    addStep: db.prepare('INSERT INTO steps VALUES (?, ?, ?)'),
    addCharge: db.prepare(`INSERT INTO charges VALUES (${marks(12)})`),
    addToAccount: db.prepare(ADD_TO_ACCOUNT),
    addRefusals: db.prepare(ADD_REFUSALS),
    addContent: db.prepare('INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)'),
    addServing: db.prepare(ADD_SERVING),
    addDeployment: db.prepare(`INSERT OR REPLACE INTO deployments VALUES (${marks(6)})`),
    addEvent: db.prepare('INSERT INTO events (at_ms, event, subject, detail) VALUES (?, ?, ?, ?)'),
    addHour: db.prepare('INSERT OR IGNORE INTO hours VALUES (?, ?)'),
    setPosition: db.prepare('UPDATE meta SET segment = ?, offset = ?'),
  }
}
