import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ServedDeployment } from '../release/served-deployment.js'
import { type OwnedUse, type Serving, type Span, ownedCosts } from './owned-hours.js'
import { shareOut } from './share-out.js'

const GPU: ServedDeployment = {
  deployment: 'gpu/llama',
  provider: 'gpu',
  hosting: 'self-hosted',
  nanoUsdPerHour: 3_600_000_000,
  concurrency: null,
}

const use = (startedMs: number, durationMs: number, changes: Partial<OwnedUse> = {}): OwnedUse => ({
  deployment: 'gpu/llama',
  startedMs,
  durationMs,
  outputTokens: 10,
  group: 'a',
  ...changes,
})

const HOUR = { sinceMs: 0, untilMs: 3_600_000 }
const serving = (fromMs: number, ...deployments: ServedDeployment[]): Serving => ({ fromMs, deployments })

test('calls at the same time are one busy time, and half a call in the window is half', () => {
  const uses = [
    use(-500, 1_000),
    use(1_000, 2_000),
    use(2_000, 500),
    use(2_500, 1_500),
    use(3_599_000, 9_000),
  ]
  const [cost] = ownedCosts([serving(-9, GPU)], uses, HOUR)
  expect(cost).toMatchObject({ ownedMs: 3_600_000, busyMs: 500 + 3_000 + 1_000, ownedNanoUsd: 3_600_000_000 })
  expect(cost).toMatchObject({ workNanoUsd: 4_500_000, idleNanoUsd: 3_595_500_000 })
})

test('with a limit on calls at a time, a full deployment is one whose places are all taken', () => {
  const uses = [use(0, 1_800_000), use(0, 1_800_000), use(1_800_000, 1_800_000)]
  const half = [serving(0, { ...GPU, concurrency: 3 })]
  expect(ownedCosts(half, uses, HOUR)[0]).toMatchObject({ busyMs: 1_800_000, workNanoUsd: 1_800_000_000 })
  // More calls than places, as after a limit was lowered, are not more than all of it.
  expect(ownedCosts([serving(0, { ...GPU, concurrency: 1 })], uses, HOUR)[0]).toMatchObject({
    busyMs: 3_600_000,
    idleNanoUsd: 0,
  })
})

test('each hour costs what it cost then; what is not configured any more costs nothing', () => {
  const dearer = { ...GPU, nanoUsdPerHour: 7_200_000_000 }
  const token = { ...GPU, nanoUsdPerHour: null }
  const servings = [serving(0, GPU), serving(600_000, dearer), serving(1_200_000, token), serving(2_400_000)]
  expect(ownedCosts(servings, [], HOUR)).toMatchObject([
    { ownedMs: 1_200_000, ownedNanoUsd: 600_000_000 + 1_200_000_000, idleNanoUsd: 1_800_000_000, shares: [] },
  ])
})

test('work is shared out by output tokens, and by time where there are none', () => {
  const uses = [
    use(0, 900_000, { outputTokens: 300 }),
    use(900_000, 900_000, { group: 'b', outputTokens: 100 }),
  ]
  const sharesOf = (those: readonly OwnedUse[]) => ownedCosts([serving(0, GPU)], those, HOUR)[0]?.shares
  expect(sharesOf(uses)).toEqual([
    { group: 'a', nanoUsd: 1_350_000_000 },
    { group: 'b', nanoUsd: 450_000_000 },
  ])
  expect(sharesOf(uses.map((one) => ({ ...one, outputTokens: 0 })))).toEqual([
    { group: 'a', nanoUsd: 900_000_000 },
    { group: 'b', nanoUsd: 900_000_000 },
  ])
  expect(sharesOf(uses.map((one) => ({ ...one, group: null })))).toEqual([])
})

const someUse = fc.record({
  deployment: fc.constantFrom('gpu/llama', 'gpu/other', 'not/owned'),
  startedMs: fc.integer({ min: -5_000, max: 90_000_000 }),
  durationMs: fc.integer({ min: 0, max: 5_000_000 }),
  outputTokens: fc.nat(9_000),
  group: fc.constantFrom('a', 'b', 'c'),
})

const someServing = fc
  .record({
    fromMs: fc.integer({ min: -9_000, max: 90_000_000 }),
    rate: fc.option(fc.nat(40_000_000_000)),
    concurrency: fc.option(fc.integer({ min: 1, max: 9 })),
    other: fc.boolean(),
  })
  .map(({ fromMs, rate, concurrency, other }) => {
    const gpu = { ...GPU, nanoUsdPerHour: rate, concurrency }
    return serving(fromMs, gpu, ...(other ? [{ ...gpu, deployment: 'gpu/other' }] : []))
  })

/** It began in the window, while its deployment was owned, and there is something to weigh it by. */
function weighs(
  { deployment, startedMs, outputTokens, durationMs }: OwnedUse,
  servings: readonly Serving[],
  span: Span,
) {
  const served = servings.findLast(({ fromMs }) => fromMs <= startedMs)?.deployments ?? []
  const isOwned = served.some((one) => one.deployment === deployment && one.nanoUsdPerHour !== null)
  return isOwned && startedMs >= span.sinceMs && startedMs < span.untilMs && outputTokens + durationMs > 0
}

test('to the nano-dollar, what is shared out and what was idle are what was owned', () => {
  const window = fc.record({ sinceMs: fc.nat(40_000_000), untilMs: fc.nat(90_000_000) })
  fc.assert(
    fc.property(fc.array(someServing), fc.array(someUse), window, (servings, uses, span) => {
      const inOrder = servings.toSorted((a, b) => a.fromMs - b.fromMs)
      const started = uses.toSorted((a, b) => a.startedMs - b.startedMs)
      for (const cost of ownedCosts(inOrder, started, span)) {
        const { ownedNanoUsd, workNanoUsd, idleNanoUsd, busyMs, ownedMs, shares, deployment } = cost
        expect(workNanoUsd + idleNanoUsd).toBe(ownedNanoUsd)
        const shared = shares.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)
        // Work that began before the window occupies it and is nobody's in it.
        const isAnybodys = started.some((one) => one.deployment === deployment && weighs(one, inOrder, span))
        expect(shared).toBe(isAnybodys ? workNanoUsd : 0)
        expect(shares.every(({ nanoUsd }) => nanoUsd >= 0 && Number.isInteger(nanoUsd))).toBe(true)
        expect([ownedNanoUsd, workNanoUsd, idleNanoUsd].every((nano) => nano >= 0)).toBe(true)
        expect(busyMs).toBeLessThanOrEqual(ownedMs)
      }
    }),
  )
})

test('shares add up to the sum, each within a nano-dollar of its part', () => {
  const weights = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(fc.nat(9_000_000_000_000), weights, (nanoUsd, parts) => {
      const shares = shareOut(nanoUsd, parts)
      const total = parts.reduce((sum, part) => sum + part, 0)
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total === 0 ? 0 : nanoUsd)
      shares.forEach((share, i) => {
        const exact = total === 0 ? 0 : nanoUsd * ((parts[i] ?? 0) / total)
        expect(Math.abs(share - exact)).toBeLessThanOrEqual(1.01)
      })
    }),
  )
})
