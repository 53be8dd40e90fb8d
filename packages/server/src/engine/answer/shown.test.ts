import type { SpillwayMember } from '@spillway/protocol'
import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, openAiError } from '../../testing/provider-answers.js'
import { createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    retries: { max_attempts: 2 }
    budget: { max_cost_usd: 0.1, max_output_tokens: 500 }
    route: { default: small-model }
`

test('the member of an answer has every resource, null for what has no limit, and nothing else', async () => {
  const made = createTestEngine(configured(TASKS))
  made.provider('main').next(chatAnswer())
  const { json } = await made.call({ task: 'support' })
  const member: SpillwayMember = {
    cost_usd: 0.000056,
    task: {
      id: 'task_000001',
      spent: {
        model_calls: 1,
        input_tokens: 40,
        output_tokens: 8,
        tool_calls: 0,
        tool_ms: 0,
        cost_usd: 0.000056,
      },
      remaining: {
        model_calls: null,
        input_tokens: null,
        output_tokens: 492,
        tool_calls: null,
        tool_ms: null,
        cost_usd: 0.099944,
      },
    },
    decisions: [{ stage: 'plan', choice: 'small-model', reason: 'no rule holds before the call' }],
  }
  expect(json['spillway']).toEqual(member)
})

test('decisions are told with their inputs', async () => {
  const made = createTestEngine(configured(TASKS))
  made.provider('main').next(openAiError(500, 'server_error'), chatAnswer())
  const { json } = await made.call({ task: 'support' })
  const { decisions } = json['spillway'] as SpillwayMember
  expect(decisions).toEqual(made.lastStep().decisions)
  expect(decisions.length).toBeGreaterThan(0)
})
