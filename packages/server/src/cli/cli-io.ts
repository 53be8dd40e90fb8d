// Where commands write and how they end. Passed in, so that a command can be tested without a terminal.

import { clientEnvironment } from '../config/client-environment.js'

export interface CliIo {
  /** Writes a line to stdout. */
  out(text: string): void
  /** Writes a line to stderr. */
  err(text: string): void
  /** Sets how the process ends: 0 fine, 1 the answer is no, 2 wrong usage, 3 unreachable. */
  exit(code: ExitCode): void
  readonly colour: boolean
  /** The tenant key, or null. */
  readonly key: string | null
}

export type ExitCode = 0 | 1 | 2 | 3

export function processIo(): CliIo {
  const environment = clientEnvironment()
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    exit: (code) => {
      process.exitCode = code
    },
    colour: process.stdout.isTTY && !environment.noColor,
    key: environment.key,
  }
}
