import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../engine/ports.js'
import type { HoldId } from '../ids.js'
import { type Amounts, NOTHING, NO_LIMITS, RESOURCES } from './amounts.js'
import { MemoryLedger } from './memory-ledger.js'

const id = (text: string): HoldId => text as HoldId
const amounts = (some: Partial<Amounts>): Amounts => ({ ...NOTHING, ...some })
const CALL = amounts({ modelCalls: 1, inputTokens: 100, outputTokens: 50, nanoUsd: 1_000 })

function ledgerWith(accounts: Record<string, Partial<Amounts>>): MemoryLedger {
  const ledger = new MemoryLedger()
  for (const [name, limits] of Object.entries(accounts)) ledger.open(name, { ...NO_LIMITS, ...limits })
  return ledger
}

describe('MemoryLedger', () => {
  test('is a ledger as the engine asks for one', async () => {
    const ledger: Ledger = ledgerWith({ task: { modelCalls: 1 } })
    const fit = () => ({ kind: 'fits', amounts: CALL }) as const
    expect(await ledger.holdFitting(id('h1'), ['task'], fit)).toEqual({ kind: 'held', fit: fit() })
    expect(ledger.read('task')?.held).toEqual(CALL)
  })

  test('a fitted hold sees the least that any account has left, and names the account that is short', () => {
    const ledger = ledgerWith({ task: { nanoUsd: 900 }, tenant: { nanoUsd: 500, modelCalls: 3 } })
    const fit = ({ nanoUsd }: Amounts) =>
      nanoUsd >= 600
        ? ({ kind: 'fits', amounts: CALL } as const)
        : ({ kind: 'short', limit: 'nanoUsd', shortBy: 600 - nanoUsd } as const)
    expect(ledger.holdFitting(id('h1'), ['task', 'tenant'], fit)).toEqual({
      kind: 'short',
      limit: 'nanoUsd',
      shortBy: 100,
      account: 'tenant',
    })
    expect(ledger.heldTotal()).toEqual(NOTHING)
  })

  test('a hold counts against the limit until it is settled, then what was used does', () => {
    const ledger = ledgerWith({ task: { nanoUsd: 1_500 } })
    expect(ledger.hold(id('h1'), ['task'], CALL)).toEqual({ kind: 'granted' })
    expect(ledger.hold(id('h2'), ['task'], CALL)).toEqual({
      kind: 'refused',
      account: 'task',
      limit: 'nanoUsd',
      shortBy: 500,
    })
    ledger.settle(id('h1'), amounts({ modelCalls: 1, nanoUsd: 300 }))
    expect(ledger.hold(id('h2'), ['task'], CALL).kind).toBe('granted')
    expect(ledger.read('task')?.settled.nanoUsd).toBe(300)
  })

  test('of 1,000 calls on one task with room for 7, exactly 7 are granted', () => {
    const ledger = ledgerWith({ task: { modelCalls: 7 } })
    const granted = Array.from({ length: 1_000 }, (_, n) => ledger.hold(id(`h${n}`), ['task'], CALL)).filter(
      (result) => result.kind === 'granted',
    )
    expect(granted).toHaveLength(7)
  })

  test('a refusal by the last account leaves the others untouched', () => {
    const ledger = ledgerWith({ task: {}, tenant: { modelCalls: 0 } })
    expect(ledger.hold(id('h1'), ['task', 'tenant'], CALL)).toMatchObject({ account: 'tenant', shortBy: 1 })
    expect(ledger.read('task')?.held).toEqual(NOTHING)
    expect(ledger.accountsHolding(id('h1'))).toEqual([])
  })

  test('an account that was never opened grants nothing', () => {
    expect(new MemoryLedger().hold(id('h1'), ['nobody'], CALL)).toMatchObject({
      kind: 'refused',
      account: 'nobody',
    })
  })

  test('an account that is named twice is charged once', () => {
    const ledger = ledgerWith({ task: { modelCalls: 1 } })
    expect(ledger.hold(id('h1'), ['task', 'task'], CALL).kind).toBe('granted')
    ledger.settle(id('h1'), CALL)
    expect(ledger.read('task')?.settled).toEqual(CALL)
  })

  test('using more than was held is recorded in full and counted as an overrun', () => {
    const ledger = ledgerWith({ task: { nanoUsd: 1_000 } })
    ledger.hold(id('h1'), ['task'], CALL)
    ledger.settle(id('h1'), { ...CALL, nanoUsd: 4_000 })
    expect(ledger.read('task')?.settled.nanoUsd).toBe(4_000)
    expect(ledger.overruns).toBe(1)
    expect(ledger.hold(id('h2'), ['task'], amounts({ nanoUsd: 1 }))).toMatchObject({ shortBy: 3_001 })
  })

  test('settling an unknown or settled id changes nothing', () => {
    const ledger = ledgerWith({ task: {} })
    ledger.hold(id('h1'), ['task'], CALL)
    ledger.settle(id('h1'), CALL)
    const before = ledger.read('task')
    ledger.settle(id('h1'), CALL)
    ledger.settle(id('h9'), CALL)
    expect(ledger.read('task')).toEqual(before)
  })

  test('an amount that is no whole number cannot be held, and costs the hold when it is settled', () => {
    const ledger = ledgerWith({ task: {} })
    for (const bad of [NaN, -1, 0.5, Infinity]) {
      expect(() => ledger.hold(id('h1'), ['task'], amounts({ nanoUsd: bad }))).toThrow('whole')
    }
    ledger.hold(id('h1'), ['task'], CALL)
    ledger.settle(id('h1'), amounts({ modelCalls: 1, nanoUsd: NaN }))
    expect(ledger.read('task')?.settled).toEqual(amounts({ modelCalls: 1, nanoUsd: 1_000 }))
    expect(ledger.heldTotal()).toEqual(NOTHING)
  })

  test('a live id cannot be held again', () => {
    const ledger = ledgerWith({ task: {} })
    ledger.hold(id('h1'), ['task'], CALL)
    expect(() => ledger.hold(id('h1'), ['task'], CALL)).toThrow('already live')
  })

  test('opening an account again replaces its limits and keeps what is spent and held', () => {
    const ledger = new MemoryLedger()
    ledger.open('task', { ...NO_LIMITS, modelCalls: 5 }, amounts({ modelCalls: 2 }))
    ledger.hold(id('h1'), ['task'], CALL)
    ledger.open('task', { ...NO_LIMITS, modelCalls: 3 }, amounts({ modelCalls: 99 }))
    expect(ledger.read('task')).toEqual({
      limits: { ...NO_LIMITS, modelCalls: 3 },
      settled: amounts({ modelCalls: 2 }),
      held: CALL,
    })
    expect(ledger.hold(id('h2'), ['task'], CALL).kind).toBe('refused')
  })

  test('a closed account grants nothing and is forgotten once its last hold is settled', () => {
    const ledger = ledgerWith({ task: {}, tenant: {} })
    ledger.hold(id('h1'), ['task', 'tenant'], CALL)
    ledger.close('task')
    expect(ledger.hold(id('h2'), ['task'], CALL).kind).toBe('refused')
    expect(ledger.read('task')?.held).toEqual(CALL)
    ledger.settle(id('h1'), CALL)
    expect(ledger.read('task')).toBeNull()
    expect(ledger.read('tenant')?.settled).toEqual(CALL)
    ledger.close('tenant')
    expect(ledger.read('tenant')).toBeNull()
  })

  test('an account that is opened again while its last hold is live keeps that hold', () => {
    const ledger = ledgerWith({ task: { modelCalls: 1 } })
    ledger.hold(id('h1'), ['task'], CALL)
    ledger.close('task')
    ledger.open('task', { ...NO_LIMITS, modelCalls: 1 })
    expect(ledger.hold(id('h2'), ['task'], CALL).kind).toBe('refused')
    ledger.settle(id('h1'), CALL)
    expect(ledger.read('task')?.settled.modelCalls).toBe(1)
  })
})

// Random interleavings of calls that start, end and are abandoned, over chains of accounts as sub-tasks
// have them.
const CHAINS = [
  ['task:a', 'tenant', 'product'],
  ['task:b', 'task:a', 'tenant', 'product'],
  ['task:c', 'task:b', 'task:a', 'tenant', 'product'],
  ['task:d', 'tenant', 'product'],
]
const ACCOUNTS = ['task:a', 'task:b', 'task:c', 'task:d', 'tenant', 'product']

const someAmounts = (most: number): fc.Arbitrary<Amounts> =>
  fc.record({
    modelCalls: fc.integer({ min: 0, max: most }),
    inputTokens: fc.integer({ min: 0, max: most }),
    outputTokens: fc.integer({ min: 0, max: most }),
    toolCalls: fc.integer({ min: 0, max: most }),
    toolMs: fc.integer({ min: 0, max: most }),
    nanoUsd: fc.integer({ min: 0, max: most }),
  })
const someLimits = fc.record(
  Object.fromEntries(ACCOUNTS.map((name) => [name, fc.oneof(someAmounts(60), fc.constant(NO_LIMITS))])),
)
/** A call: its chain, what it holds, which share of it is used, and after how many further calls it ends. */
const someCalls = fc.array(
  fc.record({
    chain: fc.constantFrom(...CHAINS),
    held: someAmounts(12),
    usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    endsAfter: fc.integer({ min: 0, max: 8 }),
  }),
  { maxLength: 40 },
)
type Call = { chain: readonly string[]; held: Amounts; usedShare: number; endsAfter: number }

const usedOf = ({ held, usedShare }: Call): Amounts => ({
  modelCalls: Math.floor(held.modelCalls * usedShare),
  inputTokens: Math.floor(held.inputTokens * usedShare),
  outputTokens: Math.floor(held.outputTokens * usedShare),
  toolCalls: Math.floor(held.toolCalls * usedShare),
  toolMs: Math.floor(held.toolMs * usedShare),
  nanoUsd: Math.floor(held.nanoUsd * usedShare),
})

const snapshot = (ledger: MemoryLedger): unknown => ACCOUNTS.map((name) => ledger.read(name))

interface Run {
  readonly ledger: MemoryLedger
  readonly granted: readonly Call[]
  /** The accounts before and after each refusal. */
  readonly refusals: readonly (readonly [unknown, unknown])[]
}

function play(
  limits: Record<string, Amounts>,
  calls: readonly Call[],
  check: (ledger: MemoryLedger) => void,
): Run {
  const ledger = new MemoryLedger()
  for (const name of ACCOUNTS) ledger.open(name, limits[name] ?? NO_LIMITS)
  const granted: Call[] = []
  const refusals: [unknown, unknown][] = []
  const ends = new Map<number, { hold: HoldId; used: Amounts }[]>()
  // The last call ends at most 8 rounds after it began: nothing is left over when the loop ends.
  for (let now = 0; now <= calls.length + 8; now += 1) {
    for (const { hold, used } of ends.get(now) ?? []) ledger.settle(hold, used)
    const call = calls[now]
    if (call) {
      const before = snapshot(ledger)
      const hold = id(`h${now}`)
      const isGranted = ledger.hold(hold, call.chain, call.held).kind === 'granted'
      if (!isGranted) refusals.push([before, snapshot(ledger)])
      if (isGranted) {
        granted.push(call)
        const end = now + 1 + call.endsAfter
        ends.set(end, [...(ends.get(end) ?? []), { hold, used: usedOf(call) }])
      }
    }
    check(ledger)
  }
  return { ledger, granted, refusals }
}

describe('MemoryLedger under any interleaving', () => {
  test('settled + held never exceeds a limit, a refusal changes nothing, and nothing stays held', () => {
    fc.assert(
      fc.property(someLimits, someCalls, (limits, calls) => {
        const { ledger, refusals } = play(limits, calls, (at) => {
          for (const name of ACCOUNTS) {
            const state = at.read(name)
            if (!state) throw new Error(`${name} is gone`)
            for (const resource of RESOURCES) {
              expect(state.held[resource]).toBeGreaterThanOrEqual(0)
              expect(state.settled[resource] + state.held[resource]).toBeLessThanOrEqual(
                state.limits[resource],
              )
            }
          }
        })
        for (const [before, after] of refusals) expect(after).toEqual(before)
        expect(ledger.heldTotal()).toEqual(NOTHING)
        expect(ledger.overruns).toBe(0)
      }),
    )
  })

  test('every account has settled exactly what the calls through it used', () => {
    fc.assert(
      fc.property(someLimits, someCalls, (limits, calls) => {
        const { ledger, granted } = play(limits, calls, () => undefined)
        for (const name of ACCOUNTS) {
          const through = granted.filter((call) => call.chain.includes(name)).map(usedOf)
          for (const resource of RESOURCES) {
            const sum = through.reduce((total, used) => total + used[resource], 0)
            expect(ledger.read(name)?.settled[resource]).toBe(sum)
          }
        }
      }),
    )
  })

  test('a parent never has less settled or held than its sub-task', () => {
    fc.assert(
      fc.property(someLimits, someCalls, (limits, calls) => {
        play(limits, calls, (ledger) => {
          for (const [child, parent] of [
            ['task:c', 'task:b'],
            ['task:b', 'task:a'],
            ['task:a', 'tenant'],
            ['tenant', 'product'],
          ] as const) {
            const inner = ledger.read(child)
            const outer = ledger.read(parent)
            for (const resource of RESOURCES) {
              expect(outer?.settled[resource]).toBeGreaterThanOrEqual(inner?.settled[resource] ?? 0)
              expect(outer?.held[resource]).toBeGreaterThanOrEqual(inner?.held[resource] ?? 0)
            }
          }
        })
      }),
    )
  })

  test('the order of settlements does not matter, overruns included', () => {
    const settlements = fc
      .array(fc.tuple(fc.constantFrom(...CHAINS), someAmounts(9), someAmounts(20)), { maxLength: 12 })
      .chain((list) =>
        fc.tuple(
          fc.constant(list),
          fc.shuffledSubarray([...list.keys()], { minLength: list.length, maxLength: list.length }),
        ),
      )
    fc.assert(
      fc.property(settlements, ([list, order]) => {
        const settleIn = (positions: readonly number[]): MemoryLedger => {
          const ledger = ledgerWith(Object.fromEntries(ACCOUNTS.map((name) => [name, {}])))
          for (const [n, [chain, held]] of list.entries()) ledger.hold(id(`h${n}`), chain, held)
          for (const n of positions) ledger.settle(id(`h${n}`), list[n]?.[2] ?? NOTHING)
          return ledger
        }
        const inOrder = settleIn([...list.keys()])
        const shuffled = settleIn(order)
        expect(snapshot(shuffled)).toEqual(snapshot(inOrder))
        expect(shuffled.overruns).toBe(inOrder.overruns)
      }),
    )
  })
})
