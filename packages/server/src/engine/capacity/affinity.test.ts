import { describe, expect, test } from 'vitest'
import { failWith, openAiError, reply } from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { LOCAL, createTestEngine } from '../../testing/test-engine.js'

const YAML = `
providers:
  gpu-a: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1", hosting: self-hosted }
  gpu-b: { kind: openai-compatible, base_url: "http://127.0.0.1:2/v1", hosting: self-hosted }
models:
  small-model: { tier: small, deployments: [{ provider: gpu-a, model: m }, { provider: gpu-b, model: m }] }
tasks:
  default: { route: { default: small-model } }
`

const answer = (cached = 0) =>
  reply({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: 3_000,
      completion_tokens: 2,
      total_tokens: 3_002,
      prompt_tokens_details: { cached_tokens: cached },
    },
  })

type Turn = readonly [role: 'system' | 'user' | 'assistant', content: string]

/** About 3,000 tokens. */
const story = (name: string): Turn => ['user', `${name} `.repeat(Math.ceil(12_000 / (name.length + 1)))]
const bodyOf = (turns: readonly Turn[]) => ({
  max_tokens: 10,
  messages: turns.map(([role, content]) => ({ role, content })),
})

function world() {
  const made = createTestEngine({ yaml: YAML, providers: { 'gpu-a': {}, 'gpu-b': {} } })
  for (const name of ['gpu-a', 'gpu-b']) made.provider(name).otherwise(() => answer())
  const where = async (turns: readonly Turn[], more: Parameters<typeof made.call>[0] = {}) => {
    const caller = await made.call({ body: bodyOf(turns), ...more })
    expect(caller.status).toBe(200)
    return caller.headers['x-spillway-deployment']
  }
  const reasons = () =>
    made
      .lastStep()
      .decisions.filter(({ stage }) => stage === 'acquire')
      .map(({ reason }) => reason)
  const next = (deployment: string, ...scripts: readonly Script[]) =>
    made.provider(deployment.slice(0, 5)).next(...scripts)
  return { ...made, where, reasons, next }
}

const other = (deployment: string | undefined) => (deployment === 'gpu-a/m' ? 'gpu-b/m' : 'gpu-a/m')

describe('where several deployments serve a model', () => {
  test('a conversation goes on where it began, and others begin elsewhere', async () => {
    const { where, reasons } = world()
    const begun = [story('Ann')]
    const first = await where(begun)
    expect(reasons()).toEqual(['no deployment has the prompt warm; least work of the ready'])
    const second = await where([story('Bob')])
    expect(second).toBe(other(first))
    for (let turn = 1; turn <= 4; turn += 1) {
      begun.push(['assistant', 'Yes.'], ['user', `And then, ${turn}?`])
      expect(await where(begun)).toBe(first)
    }
    expect(reasons()).toEqual(['has the beginning of the prompt warm'])
  })

  test('what one tenant sent decides nothing for another', async () => {
    const { where, reasons } = world()
    await where([story('Ann')])
    await where([story('Ann')], { tenant: { ...LOCAL, name: 'beta' } })
    expect(reasons()).toEqual(['no deployment has the prompt warm; least work of the ready'])
  })

  test('a short prompt, or one whose beginning has changed, goes on by its session', async () => {
    const { where } = world()
    const session = 'chat-1'
    const first = await where([['user', 'Hello']], { session })
    await where([story('Zoe')])
    for (let turn = 1; turn <= 4; turn += 1) {
      expect(await where([['user', `Something else, ${turn}`]], { session })).toBe(first)
    }
  })

  test('a conversation that had to move stays where it moved to', async () => {
    const { where, next } = world()
    const begun = [story('Ann')]
    const first = await where(begun)
    next(first ?? '', openAiError(429, 'rate_limit_exceeded'))
    begun.push(['assistant', 'Yes.'], ['user', 'And then?'])
    const moved = await where(begun)
    begun.push(['assistant', 'Yes.'], ['user', 'Go on.'])
    expect(await where(begun)).toBe(moved)
  })

  test('a conversation that is all there is stays where it is, however long it gets', async () => {
    const { where, system } = world()
    const begun = [story('Ann')]
    const homes = new Set<string | undefined>()
    for (let turn = 0; turn < 60; turn += 1) {
      await system.advance(2_000)
      homes.add(await where(begun))
      begun.push(['assistant', 'Yes.'], ['user', `And then, ${turn}?`])
    }
    expect(homes.size).toBe(1)
  })

  // 67
  test('one session that never ends does not keep all its work at one replica', async () => {
    const { where, system } = world()
    const served: Record<string, number> = {}
    for (let call = 0; call < 400; call += 1) {
      await system.advance(50)
      // Never twice the same, so it is all work.
      const at = (await where([story(`Ann${call}`)], { session: 'bot' })) ?? ''
      served[at] = (served[at] ?? 0) + 1
    }
    expect(Math.max(...Object.values(served)) / 200).toBeLessThanOrEqual(1.25)
  })

  test('a replica that cannot be reached is forgotten, and a restart finds it cold', async () => {
    const { where, next, engine } = world()
    const begun = [story('Ann')]
    const first = (await where(begun)) ?? ''
    expect(engine.capacity.affinity.snapshot(first)?.prefixes).toBeGreaterThan(0)
    next(first, failWith('connection'), failWith('connection'))
    next(other(first), openAiError(500, 'server_error'))
    await where(begun)
    expect(engine.capacity.affinity.snapshot(first)?.prefixes).toBeLessThanOrEqual(1)
  })

  test('what was reported as cached is counted', async () => {
    const { where, next, engine } = world()
    const first = (await where([story('Ann')])) ?? ''
    next(first, answer(2_400))
    await where([story('Ann'), ['user', 'More']])
    expect(engine.capacity.affinity.snapshot(first)).toMatchObject({
      cold: 1,
      warm: 1,
      promptTokens: 6_000,
      cachedTokens: 2_400,
    })
  })
})
