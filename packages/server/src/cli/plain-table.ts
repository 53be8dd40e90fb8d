// Tables without boxes: a head, and columns two spaces apart, so that they read well and paste well.

import Table from 'cli-table3'
import type { Paint } from './paint.js'

export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Cells may hold several lines and colours. Columns are as wide as their widest cell. */
export function plainTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const table = new Table({
    head: columns.map((column) => paint.bold(column.head)),
    colAligns: columns.map((column) => column.align ?? 'right'),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  })
  table.push(...rows.map((row) => [...row]))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
