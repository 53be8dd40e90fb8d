// The thread that owns the database. A thin shell: one message in, one answer out, in order.

import { parentPort, workerData } from 'node:worker_threads'
import { type Ask, type Reply, answer } from './worker-protocol.js'
import { SqliteDatabase } from './sqlite-database.js'
import { StoreError, messageOf } from './store-error.js'

const port = parentPort
let database: SqliteDatabase | null = null

function run(ask: Ask): unknown {
  database ??= new SqliteDatabase({ dir: String(workerData) })
  return answer(database, ask)
}

port?.on('message', ({ id, ask }: { readonly id: number; readonly ask: Ask }) => {
  let reply: Reply
  try {
    reply = { id, kind: 'ok', value: run(ask) }
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'database'
    reply = { id, kind: 'failed', code, message: messageOf(error) }
  }
  port.postMessage(reply)
})
