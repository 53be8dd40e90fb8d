// Collects every problem of a file, each with its place, so that one run of `spillway check` shows them all.

import type { LineCounter } from 'yaml'
import type { Problem } from '../core/parsed.js'

export interface Problems {
  /** `offset` counts UTF-16 units from the start of the file. Saying the same thing twice counts once. */
  add(offset: number, message: string): void
  /** The value at this offset is unknown (its variable is not set): what readers say about it is noise. */
  silence(offset: number): void
  /** Line of an offset, from 1: for messages that point at a second place. */
  lineOf(offset: number): number
  /** In file order; `at` is `file:line:column`. */
  all(): readonly Problem[]
}

export function collectProblems(file: string, lines: LineCounter): Problems {
  // Inherited settings are read once per task: the same mistake in `defaults` must not be told ten times.
  const found = new Map<string, { readonly offset: number; readonly message: string }>()
  const silenced = new Set<number>()
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  return {
    add(offset, message) {
      if (!silenced.has(offset)) found.set(`${offset} ${message}`, { offset, message })
    },
    silence: (offset) => void silenced.add(offset),
    lineOf: (offset) => Math.max(lines.linePos(offset).line, 1),
    all: () =>
      [...found.values()]
        .toSorted((left, right) => left.offset - right.offset)
        .map(({ offset, message }) => ({ at: place(offset), message })),
  }
}
