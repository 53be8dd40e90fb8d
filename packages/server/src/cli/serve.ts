// `spillway serve`: starts the server, says what it found, reloads on SIGHUP or file change, drains on
// SIGTERM.

import { readFileSync, watchFile } from 'node:fs'
import { type Command, Option } from 'commander'
import { limitHeapGrowth } from '../adapters/system/heap-growth.js'
import { createLiveSystem } from '../adapters/system/live-system.js'
import type { LogLevel } from '../adapters/telemetry/logs.js'
import type { Spillway } from '../compose.js'
import { readEnvironment } from '../config/environment.js'
import { type ConfigSource, findConfig } from '../config/find-config.js'
import { type Parsed, type Problem, invalid } from '../core/parsed.js'
import { startUpJson, startUpText } from './start-up-text.js'

interface ServeOptions {
  readonly config?: string
  readonly host: string
  readonly port: string
  readonly data: string
  readonly logLevel: LogLevel | 'silent'
  readonly json?: boolean
}

/** How long running requests may go on after SIGTERM, ms. */
const DRAIN_MS = 25_000
const WATCH_MS = 1_000

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('Start the gateway and control plane.')
    .option('--config <file>', 'configuration file (default: $SPILLWAY_CONFIG, ./spillway.yaml, built-in)')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 picks a free one', '4100')
    .option('--data <dir>', 'where tasks, ledger and journal are kept', '.spillway')
    .addOption(
      new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    )
    .option('--json', 'say where it listens as JSON, on one line before `listening on`')
    .action((options: ServeOptions) => serve(options))
}

export async function serve(options: ServeOptions): Promise<void> {
  limitHeapGrowth()
  const port = Number(options.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return stop(`--port must be a number from 0 to 65535`, 2)
  const config = locate(options)
  if (config.kind === 'invalid') return stop(problemsText(config.problems), 1)
  // Only now: every other command starts without them.
  const { createLogger } = await import('../adapters/telemetry/logs.js')
  const { startSpillway } = await import('../compose.js')
  const logger = createLogger({ level: options.logLevel, destination: 2, system: createLiveSystem() })
  const { host, data: dataDir } = options
  try {
    const started = await startSpillway({
      config: config.value,
      env: readEnvironment(),
      host,
      port,
      dataDir,
      logger,
    })
    if (started.kind === 'invalid') return stop(problemsText(started.problems), 1)
    const { spillway } = started
    // Before anybody hears that it listens: who hears it may send a signal at once.
    stayUp(spillway, { options, config: config.value, warn: (text) => logger.warn('reload', { text }) })
    const say = options.json === true ? startUpJson : startUpText
    process.stdout.write(`${say(spillway, { dataDir, isFile: config.value.file !== 'built-in' })}\n`)
    process.stdout.write(`listening on ${spillway.url}\n`)
  } catch (error) {
    stop(error instanceof Error ? error.message : String(error), 3)
  }
}

function locate(options: Pick<ServeOptions, 'config'>): Parsed<ConfigSource> {
  return findConfig({ flag: options.config ?? null, env: readEnvironment(), read: readOrNull })
}

export function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function problemsText(problems: readonly Problem[]): string {
  return problems.map(({ at, message }) => `${at} ${message}`).join('\n')
}

function stop(message: string, code: number): void {
  process.stderr.write(`${message}\n`)
  process.exitCode = code
}

interface Watched {
  readonly options: ServeOptions
  readonly config: ConfigSource
  warn(text: string): void
}

/**
 * Whatever has become of the file, the server goes on: moved away for a moment, emptied by an editor that is
 * still writing, or not readable, it is invalid, and never the built-in configuration: that knows no tenants.
 */
function locateAgain({ options, config }: Watched): Parsed<ConfigSource> {
  const { file } = config
  if (file === 'built-in') return locate(options)
  try {
    const found = locate({ config: file })
    const isEmpty = found.kind === 'ok' && found.value.text.trim() === ''
    return isEmpty ? invalid(`${file}:1:1`, 'the file is empty') : found
  } catch (error) {
    return invalid(`${file}:1:1`, error instanceof Error ? error.message : String(error))
  }
}

function stayUp(spillway: Spillway, watched: Watched): void {
  const reload = () => {
    const next = locateAgain(watched)
    const problems = next.kind === 'invalid' ? next.problems : spillway.reload(next.value, readEnvironment())
    const { id } = spillway.release()
    if (problems.length === 0) process.stdout.write(`release ${id} serves\n`)
    else
      watched.warn(`the new configuration is invalid, release ${id} still serves\n${problemsText(problems)}`)
  }
  process.on('SIGHUP', reload)
  if (watched.config.file !== 'built-in')
    watchFile(watched.config.file, { interval: WATCH_MS, persistent: false }, reload)
  let isStopping = false
  const end = () => {
    if (isStopping) return
    isStopping = true
    spillway.close(DRAIN_MS).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}
