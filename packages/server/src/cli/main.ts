#!/usr/bin/env node
// The command line. One file per command; this one only lists them.

import { Command, CommanderError } from 'commander'
import { registerCheck } from './check.js'
import { registerProviders } from './providers.js'
import { registerReport } from './report.js'
import { registerServe } from './serve.js'
import { registerSim } from './sim.js'
import { registerTasks } from './tasks.js'
import { registerTrace } from './trace.js'

/** Exit code for wrong usage, as in docs/interface.md. */
const WRONG_USAGE = 2

const program = new Command('spillway')
  .description('Runs AI features like production capacity.')
  .exitOverride()
  .showHelpAfterError()

for (const register of [
  registerServe,
  registerCheck,
  registerReport,
  registerTasks,
  registerTrace,
  registerProviders,
  registerSim,
]) {
  register(program)
}

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    return
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
