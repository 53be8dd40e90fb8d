import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { TaskId } from '../../core/ids.js'
import type { Entry } from '../../core/task/records.js'
import { START_MS, holdMade, holdSettled, taskOpened } from '../../testing/entries.js'
import { versionLine } from './lines.js'
import { segmentPath } from './segments.js'
import { SqliteDatabase } from './sqlite-database.js'
import { journalText, plainCall, writtenLines, writtenStory } from './written-story.test.child.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-database-'))
afterAll(() => rmSync(root, { recursive: true }))

const ENDLESS = { segment: Infinity, offset: Infinity }
const TASKS = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `task_${n}` as TaskId)

function journalDir(text: string): string {
  const dir = mkdtempSync(join(root, 'data-'))
  mkdirSync(dir, { recursive: true })
  appendFileSync(segmentPath(dir, 1), text)
  return dir
}

function contentsOf(database: SqliteDatabase): unknown {
  return {
    traces: TASKS.map((id) => database.read((reader) => reader.trace(id))),
    accounts: database.read((reader) => Object.fromEntries(reader.accountTotals(['']))),
    list: database.read((reader) => reader.list({})),
    report: database.report({ sinceMs: 0, untilMs: 1e15, by: 'contract' }),
  }
}

test('reading the journal in pieces, with restarts between, equals reading it at once', () => {
  const pieces = fc.array(fc.tuple(fc.nat(), fc.constantFrom('go on', 'reopen', 'read')), { maxLength: 4 })
  fc.assert(
    fc.property(writtenStory, pieces, fc.integer({ min: 0, max: 3 }), (written, stops, pendingTasksMax) => {
      const text = journalText(...written)
      const dir = journalDir(text)
      let database = new SqliteDatabase({ dir, pendingTasksMax })
      const size = Buffer.byteLength(text)
      for (const [at, what] of stops) {
        database.ingest({ segment: 1, offset: at % (size + 1) })
        if (what === 'read') database.read((reader) => reader.list({}))
        if (what !== 'reopen') continue
        database.close(null)
        database = new SqliteDatabase({ dir, pendingTasksMax })
      }
      database.ingest(ENDLESS)
      database.ingest(ENDLESS)
      const once = new SqliteDatabase({ dir: journalDir(text) })
      once.ingest(ENDLESS)
      expect(contentsOf(database)).toEqual(contentsOf(once))
      expect(database.check()).toBe('ok')
      database.close(null)
      once.close(null)
    }),
    { numRuns: 30 },
  )
})

test('the ledger is the sum over attempts, of tasks and of accounts, in any story', () => {
  fc.assert(
    fc.property(writtenStory, ([entries, isTurnOver]) => {
      const database = new SqliteDatabase({ dir: journalDir(journalText(entries, isTurnOver)) })
      database.ingest(ENDLESS)
      const settled = entries.filter((entry) => entry.kind === 'hold-settled')
      const charged = settled.reduce((sum, { actual }) => sum + actual.nanoUsd, 0)
      const traces = TASKS.flatMap((id) => database.read((reader) => reader.trace(id)) ?? [])
      const ledger = traces
        .flatMap(({ charges }) => charges)
        .reduce((sum, { actual }) => sum + actual.nanoUsd, 0)
      const own = traces.flatMap(({ steps }) => steps).reduce((sum, step) => sum + step.otherNanoUsd, 0)
      const spent = traces.reduce((sum, { summary }) => sum + summary.spent.nanoUsd, 0)
      const account = database
        .read((reader) => reader.accountTotals(['product:']))
        .get('product:day:2026-11-24')
      expect(ledger).toBe(charged)
      expect(spent).toBe(charged + own)
      expect(account?.nanoUsd ?? 0).toBe(charged)
      database.close(null)
    }),
    { numRuns: 30 },
  )
})

test('a report finds every task of its window, in whatever order of time they were written', () => {
  const hours = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(hours, fc.integer({ min: 0, max: 40 }), (opened, since) => {
      const quarterMs = 900_000
      const entries = opened.flatMap((quarter, i): readonly Entry[] => {
        const first = taskOpened(`task_${i}`, { atMs: START_MS + quarter * quarterMs })
        return i % 2 === 0 ? [first] : [first, ...plainCall(first.id).slice(1)]
      })
      const isTurnOver = (i: number): boolean => entries[i]?.kind === 'task-opened'
      const lines = writtenLines(entries, isTurnOver).map(({ text }) => text)
      const database = new SqliteDatabase({ dir: journalDir(lines.join('')), pendingTasksMax: 0 })
      let offset = 0
      for (const line of lines) {
        offset += Buffer.byteLength(line)
        database.ingest({ segment: 1, offset })
      }
      const sinceMs = START_MS + since * quarterMs
      const groups = database.report({ sinceMs, untilMs: sinceMs * 2, by: 'none' })
      const { rows } = database.read((reader) => reader.list({ sinceMs }))
      const expected = opened.filter((quarter) => quarter >= since).length
      expect(groups[0]?.tasks ?? 0).toBe(expected)
      expect(rows).toHaveLength(expected)
      database.close(null)
    }),
    { numRuns: 30 },
  )
})

test('a task that has not ended is in the tables before the journal file that has it goes', () => {
  const dir = journalDir(journalText([taskOpened('task_1', { oneStep: false })]))
  const database = new SqliteDatabase({ dir })
  database.ingest(ENDLESS)
  appendFileSync(segmentPath(dir, 2), versionLine())
  database.ingest(ENDLESS)
  database.releaseBefore(2)
  expect(existsSync(segmentPath(dir, 1))).toBe(false)
  // What a process that died now would leave behind.
  const left = mkdtempSync(join(root, 'left-'))
  cpSync(dir, left, { recursive: true })
  database.close(null)
  const after = new SqliteDatabase({ dir: left })
  after.ingest(ENDLESS)
  expect(after.read((reader) => reader.loadTask('task_1' as TaskId))?.status).toBe('open')
  after.close(null)
})

test('a line that cannot be read is left out and told, and the rest is read', () => {
  const [version = '', ...lines] = writtenLines(plainCall('task_1')).map(({ text: line }) => line)
  const broken = ['S\t[broken\t{}\n', 'Z\t[]\t\n', '\n', 'D\t["task_2"]\t[]\n', 'J\t["task_3"]\t[]\n']
  const text = [version, ...broken, ...lines].join('')
  const database = new SqliteDatabase({ dir: journalDir(text) })
  expect(database.ingest(ENDLESS)).toHaveLength(broken.length)
  expect(database.read((reader) => reader.loadTask('task_1' as TaskId))).toMatchObject({
    status: 'succeeded',
  })
  database.close(null)
})

test('a call whose beginning was damaged keeps what is said of it later', () => {
  const begunAlone = journalText(plainCall('task_1'), (i) => i === 2 || i === 3)
  const text = begunAlone.replace(/^(B.{30}).*(\t)$/m, '$1$2')
  const database = new SqliteDatabase({ dir: journalDir(text) })
  expect(database.ingest(ENDLESS)).toHaveLength(1)
  const trace = database.read((reader) => reader.trace('task_1' as TaskId))
  expect(trace).toMatchObject({ steps: [{}], charges: [{ actual: { nanoUsd: 91_800 } }], outcomes: [{}] })
  expect(trace?.summary.opened.contract).toBe('(unknown)')
  database.close(null)
})

test('money of a task that is not in the books is kept', () => {
  const settled = holdSettled(holdMade('task_1', 'hold_1'))
  const database = new SqliteDatabase({ dir: journalDir(journalText([settled])) })
  database.ingest(ENDLESS)
  const trace = database.read((reader) => reader.trace('task_1' as TaskId))
  expect(trace?.charges).toEqual([settled])
  expect(trace?.summary.opened.contract).toBe('(unknown)')
  database.close(null)
})

test('after a transaction that failed the same lines are read again, once', () => {
  const dir = journalDir(journalText([...plainCall('task_1'), taskOpened('task_2'), ...plainCall('task_3')]))
  const database = new SqliteDatabase({ dir })
  const saboteur = new Database(join(dir, 'books.db'))
  saboteur.exec("CREATE TRIGGER sabotage BEFORE INSERT ON tasks BEGIN SELECT raise(ABORT, 'disk full'); END")
  expect(() => database.ingest(ENDLESS)).toThrow('disk full')
  expect(database.position).toEqual({ segment: 0, offset: 0 })
  saboteur.exec('DROP TRIGGER sabotage')
  saboteur.close()
  database.ingest(ENDLESS)
  const once = new SqliteDatabase({ dir: journalDir(readFileSync(segmentPath(dir, 1), 'utf8')) })
  once.ingest(ENDLESS)
  expect(contentsOf(database)).toEqual(contentsOf(once))
  expect(database.read((reader) => reader.list({})).rows).toHaveLength(3)
  database.close(null)
  once.close(null)
})

test('a task opened twice is one task', () => {
  const database = new SqliteDatabase({
    dir: journalDir(journalText([...plainCall('task_1'), ...plainCall('task_1')])),
  })
  database.ingest(ENDLESS)
  expect(database.read((reader) => reader.list({})).rows).toHaveLength(1)
  expect(database.read((reader) => reader.loadTask('task_1' as TaskId))).toMatchObject({
    steps: 2,
    attempts: 2,
  })
  database.close(null)
})

test('a call whose definitions were damaged keeps its money', () => {
  const lines = journalText(plainCall('task_1')).split('\n')
  const text = lines.filter((line) => !/^[KT]/.test(line)).join('\n')
  const database = new SqliteDatabase({ dir: journalDir(text) })
  database.ingest(ENDLESS)
  const trace = database.read((reader) => reader.trace('task_1' as TaskId))
  expect(trace?.charges).toMatchObject([{ actual: { nanoUsd: 91_800 }, attempt: { model: '(unknown)' } }])
  expect(trace?.summary).toMatchObject({ status: 'succeeded', spent: { nanoUsd: 91_800 } })
  database.close(null)
})

test.each([1, 99])('a journal of another format, %i, is refused by its number', (format) => {
  const database = new SqliteDatabase({ dir: journalDir(`V\t${format}\t\n`) })
  expect(() => database.ingest(ENDLESS)).toThrow(`format ${format}`)
  database.close(null)
})

test.each([1, 99])('tables of another format, %i, are refused by their number', (format) => {
  const dir = journalDir('')
  const other = new Database(join(dir, 'books.db'))
  other.pragma(`user_version = ${format}`)
  other.close()
  expect(() => new SqliteDatabase({ dir })).toThrow(`format ${format}`)
})

test.each([
  ['releases', 2, 'DROP TABLE events; DROP TABLE servings; DROP TABLE deployments'],
  ['events', 3, 'DROP TABLE events'],
])('tables of the format before %s were kept get them, and lose nothing', (_name, version, drop) => {
  const dir = journalDir(journalText([...plainCall('task_1')]))
  const before = new SqliteDatabase({ dir })
  before.open()
  before.close(null)
  const old = new Database(join(dir, 'books.db'))
  old.exec(`${drop}; PRAGMA user_version = ${version}`)
  old.close()
  const database = new SqliteDatabase({ dir })
  const [group] = database.report({ sinceMs: 0, untilMs: 1e15, by: 'approach' })
  expect(group).toMatchObject({ group: 'unknown', tasks: 1, attempts: 1 })
  expect(database.events({})).toEqual([])
  database.close(null)
})

test('a directory in use is refused by name, and free again after closing', () => {
  const dir = journalDir('')
  const first = new SqliteDatabase({ dir })
  expect(() => new SqliteDatabase({ dir })).toThrow(dir)
  first.close(null)
  new SqliteDatabase({ dir }).close(null)
})

test('what is pruned is gone: contents by their time, old ended tasks with all their parts', () => {
  const entries = [...plainCall('task_1'), taskOpened('task_2'), ...plainCall('task_3')]
  const content = 'C\t["msg_1","task_1",1000]\t"a prompt nobody may keep"\n'
  const dir = journalDir(journalText(entries) + content)
  const database = new SqliteDatabase({ dir })
  database.ingest(ENDLESS)
  expect(database.prune(999, {})).toEqual({ contents: 0, tasks: 0, more: false })
  expect(database.prune(1_000, {})).toEqual({ contents: 1, tasks: 0, more: false })
  const nowMs = taskOpened('task_1').atMs + 10
  expect(database.prune(nowMs, { tasksOlderThanMs: 11 })).toMatchObject({ tasks: 0 })
  expect(database.prune(nowMs, { tasksOlderThanMs: 9 })).toMatchObject({ tasks: 2 })
  expect(database.read((reader) => reader.list({})).rows.map(({ id }) => id)).toEqual(['task_2'])
  database.close(database.position)
  expect(readFileSync(join(dir, 'books.db')).includes('a prompt nobody may keep')).toBe(false)
})
