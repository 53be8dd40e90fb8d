// What is longer than the limits, each with its reason. May only shrink: the tidy test compares it with the
// truth.

import type { Oversized } from './size-rules.js'

export const OVERSIZED: Oversized = {}

/** Files that are there ahead of the code that will use them, each with the reason. */
export const WAITING: Readonly<Record<string, string>> = {}
