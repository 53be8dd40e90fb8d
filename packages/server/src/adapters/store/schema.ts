// The tables. Keys are counters in order of writing, so every insert appends; a step's and a charge's key is
// its task's number times 2^20 plus its place, so that one range holds all of a task and no index is needed
// for it. Secondary indexes are partial: they cost nothing for the plain one-step task, which is one row,
// with its step, charge and outcome as one text; when more of it comes it is taken apart into the other
// tables.

import type Database from 'better-sqlite3'
import { StoreError } from './store-error.js'
import { ONE_STEP } from './task-codes.js'

export const SCHEMA_VERSION = 4
/** Has all that version 4 has, but for `EVENT_TABLES`. */
const VERSION_WITHOUT_EVENTS = 3
/** Has all that version 3 has, but for `RELEASE_TABLES`. */
const VERSION_WITHOUT_RELEASES = 2

/** Steps, and attempts, that one task can have in the books. */
export const PLACES_PER_TASK = 2 ** 20

const PRAGMAS = [
  'page_size = 16384', // rows are about a kilobyte: fewer splits, no overflow pages
  'journal_mode = WAL',
  'synchronous = NORMAL', // the journal is what survives; the position tells what to read again
  'wal_autocheckpoint = 256', // 4 MB: what is copied is still in the processor's cache
  'cache_size = -8192',
  'temp_store = MEMORY',
  'secure_delete = ON', // what was deleted for retention is gone from the file
]

const TABLES = `
CREATE TABLE tasks (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,
  parent TEXT,
  session TEXT,
  external_id TEXT,
  opened TEXT, -- limits and attributes; NULL: in 'call', or those of the kind
  steps INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  model_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  tool_ms INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  premium_calls INTEGER NOT NULL,
  flags INTEGER NOT NULL, -- bits: task-codes.ts
  last_step_ended_ms INTEGER,
  last_model TEXT,
  status INTEGER NOT NULL, -- 0 while it runs: task-codes.ts
  ended_ms INTEGER,
  verdict INTEGER, -- bits: task-codes.ts
  latency_ms INTEGER,
  price_nano INTEGER,
  outcome TEXT,
  terms INTEGER, -- of the hold, where 'call' is not NULL
  call TEXT -- a whole one-step task: nothing of it is in the other tables
);
CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
CREATE INDEX tasks_by_session ON tasks (session) WHERE session IS NOT NULL;
CREATE INDEX tasks_by_external_id ON tasks (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX tasks_by_parent ON tasks (parent) WHERE parent IS NOT NULL;
CREATE INDEX tasks_open_one_step ON tasks (n) WHERE status = 0 AND flags & ${ONE_STEP};

CREATE TABLE kinds (
  kind INTEGER PRIMARY KEY,
  contract TEXT NOT NULL,
  release TEXT NOT NULL,
  tenant TEXT NOT NULL,
  shared TEXT NOT NULL, -- limits and attributes, '' where each task has its own
  UNIQUE (contract, release, tenant, shared)
);
CREATE TABLE terms (terms INTEGER PRIMARY KEY, packed TEXT NOT NULL UNIQUE);

CREATE TABLE steps (key INTEGER PRIMARY KEY, number INTEGER NOT NULL, detail TEXT NOT NULL);

CREATE TABLE charges (
  key INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  hold TEXT NOT NULL,
  model_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  tool_ms INTEGER NOT NULL,
  charged_nano INTEGER NOT NULL,
  accounts TEXT NOT NULL,
  attempt TEXT NOT NULL
);

CREATE TABLE outcomes (
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  status INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  verdict INTEGER NOT NULL,
  latency_ms INTEGER NOT NULL,
  price_nano INTEGER,
  outcome TEXT NOT NULL,
  PRIMARY KEY (n, seq)
) WITHOUT ROWID;

CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  model_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  tool_ms INTEGER NOT NULL,
  nano_usd INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE refusals (
  hour_ms INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  contract TEXT NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, tenant, contract, code)
) WITHOUT ROWID;

CREATE TABLE contents (
  reference TEXT PRIMARY KEY,
  task TEXT NOT NULL,
  delete_after_ms INTEGER NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX contents_by_age ON contents (delete_after_ms);

CREATE TABLE hours (hour_ms INTEGER PRIMARY KEY, first_n INTEGER NOT NULL);

CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL
);
INSERT INTO meta VALUES (1, 0, 0);
`

/** When a release began to serve, and what its deployments were then. */
const RELEASE_TABLES = `
CREATE TABLE servings (from_ms INTEGER PRIMARY KEY, release TEXT NOT NULL);
CREATE TABLE deployments (
  release TEXT NOT NULL,
  deployment TEXT NOT NULL,
  provider TEXT NOT NULL,
  hosting TEXT NOT NULL,
  nano_usd_per_hour INTEGER,
  concurrency INTEGER,
  PRIMARY KEY (release, deployment)
) WITHOUT ROWID;
`

/** What happened to the service as a whole, in order. */
const EVENT_TABLES = `
CREATE TABLE events (
  n INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);
`

/** Opens an empty file as a new database; refuses one that another version wrote. */
export function prepareSchema(db: Database.Database): void {
  for (const pragma of PRAGMAS) db.pragma(pragma)
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version === SCHEMA_VERSION) return
  if (![0, VERSION_WITHOUT_RELEASES, VERSION_WITHOUT_EVENTS].includes(version)) {
    const message = `the books are of format ${version}, this version reads format ${SCHEMA_VERSION}`
    throw new StoreError('other-format', message)
  }
  db.transaction(() => {
    if (version === 0) db.exec(TABLES)
    if (version !== VERSION_WITHOUT_EVENTS) db.exec(RELEASE_TABLES)
    db.exec(EVENT_TABLES)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  })()
}
