import { expect, test } from 'vitest'
import { Outage } from './outage.js'

test('those who waited when it began give up once, two seconds later', () => {
  const outage = new Outage()
  outage.see(true, 10_000)
  outage.see(true, 11_000)
  expect([outage.isOn, outage.giveUpMs, outage.takeGiveUp(11_999)]).toEqual([true, 12_000, null])
  expect(outage.takeGiveUp(12_000)).toBe(10_000)
  expect([outage.giveUpMs, outage.takeGiveUp(13_000)]).toEqual([Infinity, null])
})

test('it ends when anything is served, and the next one begins anew', () => {
  const outage = new Outage()
  outage.see(true, 0)
  outage.takeGiveUp(2_000)
  outage.see(false, 3_000)
  expect([outage.isOn, outage.giveUpMs, outage.takeGiveUp(9_000)]).toEqual([false, Infinity, null])
  outage.see(true, 10_000)
  expect(outage.takeGiveUp(12_000)).toBe(10_000)
})

test('a clock that is set back by an hour lets nobody wait for an hour', () => {
  const outage = new Outage()
  outage.see(true, 3_600_000)
  outage.see(true, 0)
  expect(outage.giveUpMs).toBe(2_000)
})
