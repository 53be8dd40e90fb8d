// Rows that many tasks share, and the numbers by which these name them.

import type Database from 'better-sqlite3'

export interface SharedRow {
  /** Tells rows apart as their values do. */
  readonly key: string
  readonly values: readonly string[]
}

/** Numbers remembered. Forgetting them costs one look-up each. */
const REMEMBERED_MAX = 10_000

export class NumberedRows {
  readonly #find: Database.Statement
  readonly #insert: Database.Statement
  readonly #numbers = new Map<string, number>()

  /** A table whose first column is its key and whose other `columns` are unique together. */
  constructor(db: Database.Database, table: { readonly name: string; readonly columns: readonly string[] }) {
    const { name, columns } = table
    const where = columns.map((column) => `${column} = ?`).join(' AND ')
    this.#find = db.prepare(`SELECT rowid FROM ${name} WHERE ${where}`).pluck()
    const marks = columns.map(() => '?').join(', ')
    this.#insert = db.prepare(`INSERT INTO ${name} (${columns.join(', ')}) VALUES (${marks})`)
  }

  numberOf({ key, values }: SharedRow): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const found = this.#find.get(...values) as number | undefined
    const number = found ?? Number(this.#insert.run(...values).lastInsertRowid)
    if (this.#numbers.size >= REMEMBERED_MAX) this.#numbers.clear()
    this.#numbers.set(key, number)
    return number
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.#numbers.clear()
  }
}
