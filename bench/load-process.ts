// A process that makes load, seen from the bench: it is sent jobs, and answers each with one message.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface LoadProcess<Job extends object, Told> extends AsyncDisposable {
  run(job: Job): Promise<Told>
}

/** `cores`: as `taskset -c` takes them. */
export function startProcess<Job extends object, Told>(script: URL, cores: string): LoadProcess<Job, Told> {
  const child = spawn('taskset', ['-c', cores, process.execPath, fileURLToPath(script)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return {
    run(job) {
      const told = nextMessage<Told>(child)
      child.send(job)
      return told
    },
    [Symbol.asyncDispose]() {
      child.disconnect()
      return Promise.resolve()
    },
  }
}

function nextMessage<Told>(child: ChildProcess): Promise<Told> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`the load generator ended with ${String(code)}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      // The other side is our own script: it sends nothing else.
      resolve(message as Told)
    })
  })
}
