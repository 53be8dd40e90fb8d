// `spillway sim`: the simulated provider as a server of its own, to point a gateway or a client at.

import { type Command, InvalidArgumentError } from 'commander'
import { KNOBS, parseBehaviour } from '../adapters/providers/simulated/behaviour.js'
import { type SimServer, startSimServer } from '../adapters/providers/simulated/sim-server.js'
import { createLiveSystem } from '../adapters/system/live-system.js'
import { DEFAULT_SIMULATION } from '../config/read-simulation.js'
import { type CliIo, processIo } from './cli-io.js'

/** As commander reads them; knobs are named as in `SimulatedBehaviour`. */
export interface SimCommandOptions {
  readonly port: number
  readonly host: string
  readonly seed: number
  readonly json?: boolean
  readonly [knob: string]: unknown
}

const DEFAULT_PORT = 4199
const PORT_MAX = 65_535

export function registerSim(program: Command, io: CliIo = processIo()): void {
  const command = program
    .command('sim')
    .description('the simulated provider as an HTTP server: OpenAI and Anthropic wire, faults on demand')
    .option('--port <n>', 'port, 0 picks one', wholeNumber(PORT_MAX), DEFAULT_PORT)
    .option('--host <name>', 'address to listen on', '127.0.0.1')
    .option(
      '--seed <n>',
      'same seed, same answers',
      wholeNumber(Number.MAX_SAFE_INTEGER),
      DEFAULT_SIMULATION.seed,
    )
  for (const knob of KNOBS) {
    const flag = `--${knob.name.replaceAll('_', '-')}`
    if (knob.kind === 'switch') command.option(flag, knob.help)
    else command.option(`${flag} <n>`, `${knob.help} (default: ${DEFAULT_SIMULATION[knob.field]})`, toNumber)
  }
  command.option('--json', 'say where it listens as JSON').action(async (options: SimCommandOptions) => {
    const server = await simCommand(options, io)
    if (server === null) return
    const stop = (): void => void server.close()
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
}

/**
 * Starts the server and says where it listens; null when the knobs are wrong (exit 2) or the port is taken
 * (exit 3).
 */
export async function simCommand(
  options: SimCommandOptions,
  io: CliIo = processIo(),
): Promise<SimServer | null> {
  const named = KNOBS.filter((knob) => options[knob.field] !== undefined)
  const behaviour = parseBehaviour(Object.fromEntries(named.map((knob) => [knob.name, options[knob.field]])))
  if (behaviour.kind === 'invalid') {
    for (const { at, message } of behaviour.problems) io.err(`--${at.replaceAll('_', '-')}: ${message}`)
    io.exit(2)
    return null
  }
  const { port, host, seed } = options
  const simulation = { ...DEFAULT_SIMULATION, ...behaviour.value, seed }
  try {
    const server = await startSimServer({ port, host, simulation, system: createLiveSystem() })
    io.out(
      options.json === true
        ? JSON.stringify({ url: server.url, simulated: true })
        : `listening on ${server.url}`,
    )
    return server
  } catch (error) {
    io.err(`cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`)
    io.exit(3)
    return null
  }
}

function toNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.')
  return value
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = toNumber(text)
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new InvalidArgumentError(`Give a whole number between 0 and ${most}.`)
    }
    return value
  }
}
