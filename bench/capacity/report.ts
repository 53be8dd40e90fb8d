// What a scenario found: tables for people, targets with their verdicts, and the figures for the JSON file.

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Check {
  readonly what: string
  readonly target: string
  readonly measured: string
  readonly isMet: boolean
}

export interface Report {
  readonly scenario: string
  readonly tables: readonly Table[]
  readonly checks: readonly Check[]
  /** What could not be done, and why. */
  readonly notes: readonly string[]
  readonly figures: unknown
}

export const number = (value: number, digits = 0): string =>
  Number.isFinite(value) ? value.toFixed(digits) : value > 0 ? 'never' : '-'

export const percent = (share: number, digits = 0): string =>
  Number.isNaN(share) ? '-' : `${(share * 100).toFixed(digits)} %`

export function atLeast(what: string, measured: number, target: number): Check {
  return shareCheck({ what, measured, target, isMet: measured >= target, sign: '>=' })
}

export function atMostShare(what: string, measured: number, target: number): Check {
  return shareCheck({ what, measured, target, isMet: measured <= target, sign: '<=' })
}

interface ShareCheck {
  readonly what: string
  readonly measured: number
  readonly target: number
  readonly isMet: boolean
  readonly sign: string
}

function shareCheck({ what, measured, target, isMet, sign }: ShareCheck): Check {
  return { what, target: `${sign} ${percent(target)}`, measured: percent(measured, 1), isMet }
}

/** A figure with a unit: times, factors. */
export function atMost(
  what: string,
  measured: number,
  to: { readonly target: number; readonly unit: string; readonly digits: number },
): Check {
  const { target, unit, digits } = to
  const measuredText = `${number(measured, digits)} ${unit}`
  return { what, target: `<= ${target} ${unit}`, measured: measuredText, isMet: measured <= target }
}

function renderTable({ title, head, rows }: Table): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  return [title, line(head), ...rows.map(line)].join('\n')
}

export function renderReport({ scenario, tables, checks, notes }: Report): string {
  const verdicts: Table = {
    title: `${scenario}: targets`,
    head: ['what', 'target', 'measured', 'verdict'],
    rows: checks.map(({ what, target, measured, isMet }) => [
      what,
      target,
      measured,
      isMet ? 'pass' : 'FAIL',
    ]),
  }
  const parts = tables.map(renderTable)
  if (checks.length > 0) parts.push(renderTable(verdicts))
  return [...parts, ...notes.map((note) => `note: ${note}`)].join('\n\n')
}
