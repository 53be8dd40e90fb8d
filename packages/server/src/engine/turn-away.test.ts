import { expect, test } from 'vitest'
import { STALL, chatAnswer } from '../testing/provider-answers.js'
import { createTestEngine } from '../testing/test-engine.js'

const YAML = `
providers: { main: { kind: openai-compatible, base_url: "http://127.0.0.1:9/v1", timeout_ms: 5000 } }
models:
  only-model:
    tier: small
    price: { input: 1, output: 1 }
    deployments: [{ provider: main, model: only-model, limits: { concurrency: 1 } }]
tasks:
  careless: { criticality: sheddable, degrade: [], retries: { max_attempts: 1 }, route: { default: only-model } }
`

/** Everything that can be given up is. */
function overloaded() {
  const made = createTestEngine({ yaml: YAML, providers: { main: {} } })
  const { engine, system, release } = made
  const queue = engine.capacity.queues.of('only-model', release.capacity.queue)
  for (let second = 6; second > 0; second--) queue.overload.observe(9, system.nowMs() - second * 1_000)
  expect(queue.overload.has('sheddable_plus_off')).toBe(true)
  return made
}

test('what is given up first still gets a place that nobody else wants', async () => {
  const made = overloaded()
  made.provider('main').next(chatAnswer())
  expect((await made.call({ task: 'careless' })).status).toBe(200)
})

test('without a free place it is refused before a task is opened', async () => {
  const made = overloaded()
  made.provider('main').next(STALL)
  const first = made.start({ task: 'careless' })
  await made.system.advance(0)
  const refused = await made.call({ task: 'careless' })
  expect(refused.status).toBe(429)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.entries('task-opened')).toHaveLength(1)
  await made.finish(first)
})
