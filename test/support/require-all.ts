// Tests of what a plain machine may lack (PostgreSQL, Redis, a browser) ask here first: absent, they are
// skipped and say so; under SPILLWAY_TEST_REQUIRE_ALL=1, which `.ci/run` sets, absent is a failure.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export type Presence =
  | { readonly kind: 'present'; readonly path: string }
  | { readonly kind: 'absent'; readonly reason: string }

export interface PresenceQuery {
  /** Command names, any of which will do: `['chromium', 'google-chrome']`. */
  readonly commands: readonly string[]
  /** Folders to look in besides PATH: Debian keeps the PostgreSQL server outside it. */
  readonly folders?: readonly string[]
  /** Default: the process environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Where a program is, for `test.skipIf(program.kind === 'absent')`. Throws instead of answering `absent` when
 * everything is required, so that a missing program fails the file that needs it.
 */
export function requireProgram(query: PresenceQuery): Presence {
  const environment = query.environment ?? process.env
  const folders = [...(environment['PATH'] ?? '').split(delimiter), ...(query.folders ?? [])]
  for (const folder of folders.filter((name) => name !== '')) {
    for (const command of query.commands) {
      const path = join(folder, command)
      if (isExecutable(path)) return { kind: 'present', path }
    }
  }
  const reason = `none of these programs is installed: ${query.commands.join(', ')}`
  if (environment['SPILLWAY_TEST_REQUIRE_ALL'] === '1')
    throw new Error(`${reason} (SPILLWAY_TEST_REQUIRE_ALL=1)`)
  return { kind: 'absent', reason }
}
