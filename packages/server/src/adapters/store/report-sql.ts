// Pieces of SQL that the reports share.

import type { ReportFilter, TaskGrouping } from '../../core/task/report.js'

/** As text: an integer would make the division one of integers. */
export const NANO_PER_USD = '1e9'

export const GROUP_BY: Readonly<Record<TaskGrouping, string>> = {
  contract: 'contract',
  tenant: 'tenant',
  release: 'release',
  model: "ifnull(last_model, 'none')",
  none: "'all'",
}

export function bitOf(column: string, bit: number): string {
  return `(${column} & ${bit}) <> 0`
}

/** The conditions of a filter beside its window. */
export function only(filter: ReportFilter): { readonly sql: string; readonly values: readonly string[] } {
  const conditions = [
    ['AND tenant = ?', filter.tenant],
    ['AND contract = ?', filter.contract],
  ] as const
  const given = conditions.filter(([, value]) => value !== undefined)
  return { sql: given.map(([sql]) => sql).join(' '), values: given.map(([, value]) => value ?? '') }
}
