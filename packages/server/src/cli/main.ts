#!/usr/bin/env node
// The command line. One file per command; this one only lists them, and loads the one that is asked for.

import { Command, CommanderError } from 'commander'

/** Exit code for wrong usage, as in docs/interface.md. */
const WRONG_USAGE = 2

const COMMANDS = new Map<string, () => Promise<(program: Command) => void>>([
  ['serve', async () => (await import('./serve.js')).registerServe],
  ['check', async () => (await import('./check.js')).registerCheck],
  ['report', async () => (await import('./report.js')).registerReport],
  ['tasks', async () => (await import('./tasks.js')).registerTasks],
  ['trace', async () => (await import('./trace.js')).registerTrace],
  ['slo', async () => (await import('./slo.js')).registerSlo],
  ['events', async () => (await import('./slo.js')).registerEvents],
  ['capacity', async () => (await import('./capacity.js')).registerCapacity],
  ['providers', async () => (await import('./providers.js')).registerProviders],
  ['sim', async () => (await import('./sim.js')).registerSim],
])

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('spillway')
    .description('Runs AI features like production capacity.')
    .exitOverride()
    .showHelpAfterError()
  // Anything else (help, a mistake) has to know them all.
  const asked = COMMANDS.get(argv[2] ?? '')
  for (const load of asked === undefined ? COMMANDS.values() : [asked]) {
    const register = await load()
    register(program)
  }
  await program.parseAsync(argv)
}

main(process.argv).catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    return
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
