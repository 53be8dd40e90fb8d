// The scenario `affinity` of the bench: is there a trace, and are the targets met on it?

import { runAffinity } from './affinity.js'
import { type Report, atLeast, atMost, number, percent } from './report.js'
import type { Setting } from './setting.js'

/** Of what one unlimited cache of everything would have. */
const CEILING_SHARE_LEAST = 0.9
/** Work of the busiest replica over the mean. */
const IMBALANCE_MOST = 1.25

export async function runAffinityScenario({ conversations }: Setting): Promise<Report> {
  const base = { scenario: 'affinity', tables: [], checks: [] }
  if (conversations === null) {
    return { ...base, notes: ['affinity needs a trace of conversations, see --conversations'], figures: null }
  }
  const results = await runAffinity(conversations)
  const ours = results.filter((each) => each.policy === 'affinity' && each.roomBlocks === Infinity)
  const least = Math.min(...ours.map(({ ofCeiling }) => ofCeiling))
  const most = Math.max(...ours.map(({ maxOverMean }) => maxOverMean))
  const head = ['policy', 'room', 'parent', 'hits', 'of ceiling', 'of pooled', 'max/mean', 'in time']
  const rows = results.map((each) => [
    each.policy,
    Number.isFinite(each.roomBlocks) ? `${each.roomBlocks} blocks` : 'unlimited',
    each.parent,
    ...[each.hitShare, each.ofCeiling, each.ofPooled].map((share) => percent(share)),
    number(each.maxOverMean, 2),
    percent(each.inTime),
  ])
  return {
    ...base,
    tables: [{ title: 'a trace of conversations over 4 replicas', head, rows }],
    checks: [
      atLeast('cached prompt blocks, of what one unlimited cache would have', least, CEILING_SHARE_LEAST),
      atMost('work of the busiest replica', most, { target: IMBALANCE_MOST, unit: 'x the mean', digits: 2 }),
    ],
    notes: [],
    figures: { results },
  }
}
