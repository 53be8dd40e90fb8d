// Decisions are put into words by hand: what they say must stay JSON, whatever names and rules are made of.

import { expect, test } from 'vitest'
import { NO_LIMITS } from '../../core/budget/amounts.js'
import { MemoryLedger } from '../../core/budget/memory-ledger.js'
import type { Decision } from '../../core/task/records.js'
import type { Step } from '../step-context.js'
import { spillwayMember } from './shown.js'

function shownOf(decisions: readonly Decision[]): unknown {
  const task = { id: 'task_1', accounts: ['task:task_1'], limits: NO_LIMITS }
  const step = { task, engine: { ledger: new MemoryLedger() }, attempts: [], decisions }
  const member = JSON.parse(spillwayMember(step as unknown as Step)) as { readonly decisions: unknown }
  return member.decisions
}

test('decisions are shown as they are, with and without inputs, in their order', () => {
  const plain: Decision = { stage: 'plan', choice: 'a "model"', reason: 'rule holds: tier == "\\n\u2028"' }
  const measured: Decision = { stage: 'hold', choice: 'refused', reason: 'short', inputs: { by: 3, of: '"' } }
  expect(shownOf([plain, measured, plain])).toEqual([plain, measured, plain])
})

test('a call without decisions shows an empty list', () => {
  expect(shownOf([])).toEqual([])
})
