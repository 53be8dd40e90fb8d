import { expect, test } from 'vitest'
import { chatAnswer } from '../../testing/provider-answers.js'
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
