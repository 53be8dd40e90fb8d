import { expect, test } from 'vitest'
import { holdMade, taskOpened } from '../../testing/entries.js'
import { Dictionary } from './dictionary.js'

const ATTRIBUTES = { account_tier: 'enterprise' }

test('attributes are shared from the second task on, so that one caller leaves none behind', () => {
  const dictionary = new Dictionary()
  expect(dictionary.kindOf(taskOpened('task_1', { attributes: ATTRIBUTES })).shared).toBeNull()
  expect(dictionary.takeDefinitions()).toBe('K\t[0,"support_reply","r1","acme"]\t\n')
  const { limits } = taskOpened('task_2')
  const second = dictionary.kindOf(taskOpened('task_2', { attributes: ATTRIBUTES }))
  expect(second).toMatchObject({ number: 1, shared: { limits, attributes: ATTRIBUTES } })
  expect(dictionary.takeDefinitions()).toContain('account_tier')
  expect(dictionary.kindOf(taskOpened('task_3', { attributes: ATTRIBUTES }))).toBe(second)
  expect(dictionary.kindOf(taskOpened('task_4', { attributes: { ...ATTRIBUTES } })).number).toBe(0)
  expect(dictionary.takeDefinitions()).toBe('')
})

test('tasks that differ in contract, release, tenant or limits are of different kinds', () => {
  const dictionary = new Dictionary()
  const changes = [
    {},
    { contract: 'triage' },
    { release: 'r2' },
    { tenant: 'globex' },
    { limits: { nanoUsd: 1 } },
  ]
  const kinds = changes.flatMap((change) => {
    const opened = taskOpened('task_1', { attributes: ATTRIBUTES, ...(change as object) })
    return [dictionary.kindOf(opened), dictionary.kindOf(opened)]
  })
  const numbers = kinds.filter((_, i) => i % 2 === 1).map(({ number }) => number)
  expect(new Set(numbers).size).toBe(changes.length)
})

test('holds on the same accounts, deployment and price have the same terms', () => {
  const dictionary = new Dictionary()
  const changes = [
    {},
    { accounts: ['task:task_1', 'tenant:acme:day:2026-11-25', 'product:day:2026-11-24'] },
    { accounts: ['task:task_1', 'tenant:acme:day:2026-11-24'] },
    { model: 'other' },
    { deployment: 'azure/gpt-4o-mini' },
    { provider: 'azure' },
    { tier: 'premium' as const },
    { priceBook: null },
    { simulated: true },
  ]
  const numbers = changes.map((change) => dictionary.termsOf(holdMade('task_1', 'hold_1', change)))
  expect(numbers).toEqual(changes.map((_, i) => i))
  expect(dictionary.takeDefinitions().split('\n')).toHaveLength(changes.length + 1)
  const again = changes.map((change) => dictionary.termsOf(holdMade('task_1', 'hold_2', change)))
  expect(again).toEqual(numbers)
  expect(dictionary.termsOf(holdMade('task_2', 'hold_3'))).toBe(0)
})
