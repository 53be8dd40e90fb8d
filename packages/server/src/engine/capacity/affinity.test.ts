import { describe, expect, test } from 'vitest'
import type { ServiceModel } from '../../core/capacity/service-model.js'
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

function world(yaml = YAML) {
  const made = createTestEngine({ yaml, providers: { 'gpu-a': {}, 'gpu-b': {} } })
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
  const serviceOf = (id: string) => {
    const deployment = made.release.models.get('small-model')?.deployments.find((each) => each.id === id)
    if (deployment === undefined) throw new Error(`no deployment ${id}`)
    return made.engine.capacity.look(deployment, made.system.nowMs()).pace.service
  }
  return { ...made, where, reasons, next, serviceOf }
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

/** As calls have shown it: at one token per 20 ms the first token comes 0.1 ms per token of the prompt later. */
function teach(service: ServiceModel, { prefillMs = 0.1, perTokenMs = 20, lateMs = 0 }): void {
  for (let call = 0; call < 40; call += 1) {
    const uncachedTokens = 1_000 * (1 + (call % 5))
    const ms = uncachedTokens * prefillMs + (call < 20 ? 0 : lateMs)
    service.sawFirstToken({ ms, uncachedTokens, wasBusy: call >= 20 })
    const durationMs = ms + 99 * perTokenMs
    const sizes = { inputTokens: uncachedTokens, cachedTokens: 0, outputTokens: 100, running: 1 }
    service.sawAnswer({ ...sizes, durationMs, firstTokenMs: ms })
  }
}

describe('what deployments have shown', () => {
  test('decides: a new prompt goes where it is answered sooner', async () => {
    for (const [fast, slow] of [
      ['gpu-a/m', 'gpu-b/m'],
      ['gpu-b/m', 'gpu-a/m'],
    ] as const) {
      const { where, serviceOf } = world()
      teach(serviceOf(fast), { perTokenMs: 10 })
      teach(serviceOf(slow), { perTokenMs: 100 })
      for (const name of ['Ann', 'Bob', 'Cid']) expect(await where([story(name)])).toBe(fast)
    }
  })

  test('is thought of the one that nothing is known of too: it is neither avoided nor preferred', async () => {
    const { where, serviceOf, system } = world()
    teach(serviceOf('gpu-a/m'), { prefillMs: 0.02, perTokenMs: 2 })
    const served = new Set<string | undefined>()
    for (const name of ['Ann', 'Bob', 'Cid', 'Dan']) {
      served.add(await where([story(name)]))
      await system.advance(2_000)
    }
    expect(served).toEqual(new Set(['gpu-a/m', 'gpu-b/m']))
  })

  test('keeps a conversation where computing again takes longer than waiting, and only there', async () => {
    const homes = []
    for (const prefillMs of [2, 0.05]) {
      const { where, serviceOf } = world()
      const first = (await where([story('Ann')])) ?? ''
      for (const id of ['gpu-a/m', 'gpu-b/m']) teach(serviceOf(id), { prefillMs })
      // Now its first tokens come later.
      teach(serviceOf(first), { prefillMs, lateMs: 2_500 })
      homes.push((await where([story('Ann'), ['user', 'More']])) === first)
    }
    expect(homes).toEqual([true, false])
  })

  test('is measured by the target for the first token that is configured', async () => {
    const homes = []
    for (const targets of ['', ', targets: { first_token_ms: 1000 }']) {
      const made = world(YAML.replaceAll('model: m }', `model: m${targets} }`))
      const first = (await made.where([story('Ann')])) ?? ''
      // Two more prompts are being computed there, for 1.2 s.
      made.next(first, [{ kind: 'wait', ms: 1_000 }, ...answer()])
      const running = made.start({ body: bodyOf([story('Ann'), story('Bob'), story('Cid')]) })
      const more = await made.where([story('Ann'), ['user', 'More']])
      await made.finish(running)
      homes.push(more === first)
    }
    expect(homes).toEqual([true, false])
  })
})
