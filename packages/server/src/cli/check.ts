// `spillway check [FILE]`: every problem of a configuration at once, with its place.

import type { Command } from 'commander'
import { loadRelease } from '../compose/load-release.js'
import { createLiveSystem } from '../adapters/system/live-system.js'
import { checkReport, checkText } from '../config/check-report.js'
import { readEnvironment } from '../config/environment.js'
import { findConfig } from '../config/find-config.js'
import type { Parsed } from '../core/parsed.js'
import type { Release } from '../core/release/release.js'
import { readOrNull } from './serve.js'

export function registerCheck(program: Command): void {
  program
    .command('check [file]')
    .description('Check a configuration: every problem at once, exit code 1 when it is invalid.')
    .option('--json', 'as JSON')
    .action((file: string | undefined, options: { readonly json?: boolean }) => {
      const result = check(file ?? null)
      const text = options.json === true ? JSON.stringify(checkReport(result), null, 2) : checkText(result)
      process.stdout.write(`${text}\n`)
      process.exitCode = result.kind === 'ok' ? 0 : 1
    })
}

function check(file: string | null): Parsed<Release> {
  const env = readEnvironment()
  const source = findConfig({ flag: file, env, read: readOrNull })
  return source.kind === 'invalid' ? source : loadRelease(source.value, env, createLiveSystem())
}
