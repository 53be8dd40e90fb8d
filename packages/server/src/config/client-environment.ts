// What commands that ask a running server read from the environment.

import { type Environment, readEnvironment } from './environment.js'

export interface ClientEnvironment {
  /** `SPILLWAY_KEY`: the tenant key sent to the server, or null. Never printed. */
  readonly key: string | null
  /** `NO_COLOR` is set to anything: no colours, also on a terminal (no-color.org). */
  readonly noColor: boolean
}

export function clientEnvironment(env: Environment = readEnvironment()): ClientEnvironment {
  return { key: env['SPILLWAY_KEY'] || null, noColor: Boolean(env['NO_COLOR']) }
}
