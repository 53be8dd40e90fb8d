import { expect, test } from 'vitest'
import { chatAnswer, messagesAnswer } from '../../testing/provider-answers.js'
import { createTestEngine } from '../../testing/test-engine.js'

test.each([
  ['2024-06-01', 'max_tokens'],
  ['2024-09-01-preview', 'max_completion_tokens'],
  ['2024-10-21', 'max_completion_tokens'],
  ['v1', 'max_completion_tokens'],
])('Azure in its version %s gets the limit of the answer as %s', async (version, key) => {
  const made = createTestEngine({
    yaml: `
providers: { az: { kind: azure, base_url: "http://h", api_version: ${version}, api_key: k } }
models: { m: { tier: small, deployments: [{ provider: az }] } }
tasks: { support: { budget: { max_output_tokens: 33 }, route: { default: m } } }
`,
    providers: { az: {} },
  })
  made.provider('az').otherwise(() => chatAnswer())
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect(made.provider('az').requests[0]?.json[key]).toBe(33)
})

test('thoughts that another provider proved are left out of a body in the provider’s own format', async () => {
  const made = createTestEngine({
    yaml: `
providers: { a: { kind: anthropic, base_url: "http://h", api_key: k } }
models: { m: { tier: small, deployments: [{ provider: a }] } }
tasks: { support: { route: { default: m } } }
`,
    providers: { a: { chatWire: 'anthropic-messages' } },
  })
  made.provider('a').otherwise(() => messagesAnswer())
  const asked = { role: 'user', content: 'Hi' }
  const said = { type: 'text', text: 'Yes.' }
  const foreign = { type: 'thinking', thinking: 'Hm.', signature: 'gemini:CiQ' }
  const body = { messages: [asked, { role: 'assistant', content: [foreign, said] }, asked] }
  expect((await made.call({ task: 'support', wire: 'anthropic-messages', body })).status).toBe(200)
  expect(made.provider('a').requests[0]?.json['messages']).toEqual([
    asked,
    { role: 'assistant', content: [said] },
    asked,
  ])
})
