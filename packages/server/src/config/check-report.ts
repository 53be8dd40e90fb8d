// What `spillway check` says, for people and as JSON.

import type { Parsed } from '../core/parsed.js'
import type { Release } from '../core/release/release.js'

export interface CheckReport {
  readonly valid: boolean
  readonly problems: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
  readonly warnings: readonly string[]
  /** Id of the release, null when the configuration is invalid. */
  readonly release: string | null
}

const PLACE = /^(.*):(\d+):(\d+)$/s

/** The `--json` form. */
export function checkReport(result: Parsed<Release>): CheckReport {
  if (result.kind === 'ok') {
    return { valid: true, problems: [], warnings: result.value.warnings, release: result.value.id }
  }
  const problems = result.problems.map(({ at, message }) => {
    const [, file = at, line = '1', column = '1'] = PLACE.exec(at) ?? []
    return { file, line: Number(line), column: Number(column), message }
  })
  return { valid: false, problems, warnings: [], release: null }
}

/** One line per problem, in the form that editors and terminals can jump to; ends without a newline. */
export function checkText(result: Parsed<Release>): string {
  if (result.kind === 'invalid') {
    const lines = result.problems.map(({ at, message }) => `${at} ${message}`)
    return [...lines, '', `${count(lines.length, 'problem')}; nothing is served from this file`].join('\n')
  }
  const release = result.value
  const parts = [
    count(release.contracts.size, 'task'),
    count(release.models.size, 'model'),
    count(release.providers.size, 'provider'),
    count(release.tenants.size, 'tenant'),
  ]
  const warnings = release.warnings.map((warning) => `warning: ${warning}`)
  return [`${release.source} is valid: ${parts.join(', ')}; release ${release.id}`, ...warnings].join('\n')
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
