import { expect, test } from 'vitest'
import { Progress } from '../../core/capacity/progress.js'
import type { DeploymentState } from './deployment-state.js'
import { type Candidate, preferSteady } from './prefer-steady.js'

function candidate(progress: Progress, waitMs = 0): Candidate {
  return { state: { pace: { progress } } as DeploymentState, waitMs }
}

/** A stream at 40 ms per token, whose last token came at 1,600. */
function generating(): Progress {
  const progress = new Progress()
  for (let token = 0; token <= 40; token++) progress.generated(token === 0, token * 40)
  return progress
}

const LATE_MS = 2_000

test('one that lags is left out while another is free', () => {
  const [late, idle] = [candidate(generating()), candidate(new Progress())]
  expect(preferSteady([late, idle], 1_650)).toEqual([late, idle])
  expect(preferSteady([late, idle], LATE_MS)).toEqual([idle])
})

test('it is taken when there is no other', () => {
  const [late, full] = [candidate(generating()), candidate(new Progress(), Infinity)]
  expect(preferSteady([late, full], LATE_MS)).toEqual([late, full])
  const both = [candidate(generating()), candidate(generating())]
  expect(preferSteady(both, LATE_MS)).toEqual(both)
})

test('now and again a call tries it', () => {
  const [late, idle] = [candidate(generating()), candidate(new Progress())]
  expect(preferSteady([late, idle], LATE_MS)).toEqual([idle])
  expect(preferSteady([late, idle], LATE_MS + 2_000)).toEqual([late])
  expect(preferSteady([late, idle], LATE_MS + 2_001)).toEqual([idle])
})
