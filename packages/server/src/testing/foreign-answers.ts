// Answers of formats that no caller speaks, as their documentation shows them: nothing of ours writes such
// answers. By wire, then by the name of the feature in `answer-features.ts`. A feature that the format lacks
// has no entry.

import type { Wire } from '../core/release/release.js'

export const FOREIGN_ANSWERS: Partial<Record<Wire, Readonly<Record<string, unknown>>>> = {}
