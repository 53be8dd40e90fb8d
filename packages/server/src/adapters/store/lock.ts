// One data directory, one process. The lock is the operating system's, so it ends with the process however
// that dies.

import Database from 'better-sqlite3'
import { join } from 'node:path'
import { StoreError, messageOf } from './store-error.js'

/** Held until it is closed. Fails with code `locked` when somebody else has it. */
export function lockDirectory(dir: string): Database.Database {
  const db = new Database(join(dir, 'lock.db'), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (cause) {
    db.close()
    if (!messageOf(cause).includes('locked')) throw cause
    const hint = 'stop it, or use another --data directory'
    throw new StoreError('locked', `the data directory ${dir} is in use by another Spillway: ${hint}`, cause)
  }
}
