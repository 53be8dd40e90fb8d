// What owned deployments cost and did, over a list of entries: the plain way.

import { type OwnedCost, type OwnedUse, type Serving, ownedCosts } from '../core/money/owned-hours.js'
import type { Entry } from '../core/task/records.js'
import { OWN_WORK, type ReportFilter, isPlaceGrouping } from '../core/task/report.js'
import { groupName, isInWindow } from './memory-groups.js'
import { storiesOf } from './task-story.js'

export function memoryOwnedCosts(filter: ReportFilter, entries: readonly Entry[]): readonly OwnedCost[] {
  const { by } = filter
  const uses = storiesOf(entries).flatMap((story): readonly OwnedUse[] => {
    if (story.opened.atMs >= filter.untilMs) return []
    const name = isPlaceGrouping(by) ? OWN_WORK : groupName(story, by)
    const group = isInWindow(story, filter) ? name : null
    return story.settled.map(({ actual, attempt: { deployment, startedMs, durationMs } }) => {
      return { deployment, startedMs, durationMs, outputTokens: actual.outputTokens, group }
    })
  })
  const inOrder = uses.toSorted((a, b) => a.startedMs - b.startedMs)
  return ownedCosts(servingsOf(entries), inOrder, filter)
}

/** A release that serves already begins nothing new. */
function servingsOf(entries: readonly Entry[]): readonly Serving[] {
  const served = entries.filter((entry) => entry.kind === 'release-served')
  return served
    .toSorted((a, b) => a.atMs - b.atMs)
    .filter(({ release }, i, all) => release !== all[i - 1]?.release)
    .map(({ atMs, deployments }) => ({ fromMs: atMs, deployments }))
}
