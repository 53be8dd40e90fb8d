// The load generator process, seen from the bench.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadJob, LoadResult } from './load-generator.js'

const SCRIPT = fileURLToPath(new URL('load-generator.js', import.meta.url))

export interface Load extends AsyncDisposable {
  run(job: LoadJob): Promise<LoadResult>
}

function nextMessage(child: ChildProcess): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`the load generator ended with ${String(code)}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      // The other side is our own script: its only message is a LoadResult.
      resolve(message as LoadResult)
    })
  })
}

export function startLoad(cores: string): Load {
  const child = spawn('taskset', ['-c', cores, process.execPath, SCRIPT], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return {
    run(job) {
      const result = nextMessage(child)
      child.send(job)
      return result
    },
    [Symbol.asyncDispose]() {
      child.disconnect()
      return Promise.resolve()
    },
  }
}
