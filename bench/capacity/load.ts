// The generator process, seen from the bench.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GeneratorJob } from './generator.js'
import type { Result } from './judge.js'

const SCRIPT = fileURLToPath(new URL('generator.js', import.meta.url))

export interface Load extends AsyncDisposable {
  run(job: GeneratorJob): Promise<readonly Result[]>
}

function nextResults(child: ChildProcess): Promise<readonly Result[]> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`the generator ended with ${String(code)}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      // The other side is our own script: its only messages are lists of results.
      resolve(message as readonly Result[])
    })
  })
}

export function startLoad(cores: string): Load {
  const child = spawn('taskset', ['-c', cores, process.execPath, SCRIPT], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return {
    run(job) {
      const results = nextResults(child)
      child.send(job)
      return results
    },
    [Symbol.asyncDispose]() {
      child.disconnect()
      return Promise.resolve()
    },
  }
}
