// Which configuration is used. A file that was asked for and is not there is an error, never a silent fall
// through to the next place: a server on the wrong configuration spends real money.

import { invalid, parsed, type Parsed } from '../core/parsed.js'
import { BUILT_IN_FILE, builtInConfig } from './built-in.js'
import type { Environment } from './environment.js'

export interface ConfigSource {
  /** A path as it was given, or `built-in`. */
  readonly file: string
  readonly text: string
}

const CONFIG_FILE = 'spillway.yaml'

/**
 * `--config`, `$SPILLWAY_CONFIG`, `./spillway.yaml`, built-in. `read` gives null for a file that does not
 * exist.
 */
export function findConfig(input: {
  readonly flag: string | null
  readonly env: Environment
  readonly read: (file: string) => string | null
}): Parsed<ConfigSource> {
  const { flag } = input
  const variable = input.env['SPILLWAY_CONFIG'] || null
  const asked = flag ?? variable
  if (asked !== null) {
    const text = input.read(asked)
    if (text !== null) return parsed({ file: asked, text })
    const by = flag === null ? '`$SPILLWAY_CONFIG`' : '`--config`'
    return invalid(`${asked}:1:1`, `there is no such file, but ${by} names it`)
  }
  const text = input.read(CONFIG_FILE)
  if (text !== null) return parsed({ file: CONFIG_FILE, text })
  return parsed({ file: BUILT_IN_FILE, text: builtInConfig(input.env) })
}
