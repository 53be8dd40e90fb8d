// C3: a conversation goes on at the replica that has it warm, as the replicas themselves count it; a replica that
// vanishes takes no conversation with it, and no conversation, however long, keeps its work from being shared.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { request } from './support/http.js'
import { type RunningServer, startServer } from './support/server.js'
import { type WarmReplica, startWarmReplica } from './support/vendors/warm-replica.js'

/** Room for about half of the conversations of a test: spread over all replicas, none keeps any for long. */
const ROOM_TOKENS = 60_000
const REPLICAS = 3

const NAMES = Array.from({ length: REPLICAS }, (_, index) => `gpu-${index}`)

/** One model per replica as well: the way without a choice, to compare with. */
const config = (replicas: readonly WarmReplica[]) => `
providers:
${replicas.map(({ url }, index) => `  gpu-${index}: { kind: openai-compatible, base_url: "${url}/v1", hosting: self-hosted }`).join('\n')}
models:
  llama:
    tier: small
    price: { input: 1, output: 2, cache_read: 0.1 }
    deployments: [${NAMES.map((name) => `{ provider: ${name}, model: llama }`).join(', ')}]
${NAMES.map((name) => `  only-${name}: { tier: small, deployments: [{ provider: ${name}, model: alone }] }`).join('\n')}
tasks:
  default: { route: { default: llama }, retries: { max_attempts: 4 } }
${NAMES.map((name) => `  at-${name}: { route: { default: only-${name} } }`).join('\n')}
`

let replicas: readonly WarmReplica[]
let server: RunningServer
beforeAll(async () => {
  replicas = await Promise.all(NAMES.map(() => startWarmReplica({ roomTokens: ROOM_TOKENS })))
  server = await startServer({ config: config(replicas) })
})
afterAll(async () => {
  await server.stop()
  await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()))
})

interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

/** About 1,500 tokens, of one conversation only. */
const turn = (name: string, number: number): Message => ({
  role: 'user',
  content: `${name} ${number}: `.padEnd(6_000, `${name} asks ${number}. `),
})

async function ask(model: string, messages: readonly Message[], session?: string): Promise<string> {
  const headers: Record<string, string> = session === undefined ? {} : { 'x-spillway-session': session }
  const answer = await request(`${server.url}/v1/chat/completions`, { body: { model, messages }, headers })
  expect(answer.status).toBe(200)
  return answer.headers.get('x-spillway-deployment') ?? ''
}

/** Runs conversations in step, as many users would; returns where each turn of each was served. */
async function converse(names: readonly string[], turns: number, modelOf: (turn: number) => string) {
  const said = names.map((): Message[] => [])
  const served = names.map((): string[] => [])
  for (let number = 0; number < turns; number += 1) {
    for (const [index, name] of names.entries()) {
      const messages = said[index] as Message[]
      messages.push(turn(name, number))
      served[index]?.push(await ask(modelOf(number + index), messages))
      messages.push({ role: 'assistant', content: 'Yes.' })
    }
  }
  return served
}

/** What the replicas had warm, of all they were sent in the meantime. */
async function hitShare(run: () => Promise<unknown>): Promise<number> {
  const sums = () => [
    replicas.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    replicas.reduce((sum, { cachedTokens }) => sum + cachedTokens, 0),
  ]
  const [promptBefore = 0, cachedBefore = 0] = sums()
  await run()
  const [prompt = 0, cached = 0] = sums()
  return (cached - cachedBefore) / (prompt - promptBefore)
}

/** For `hold`: nobody is answered before so many have asked. */
function allHere(count: number): () => Promise<void> {
  let left = count
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return () => {
    left -= 1
    if (left === 0) open()
    return opened
  }
}

const people = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

describe('conversations over several replicas', () => {
  test('are read from the cache much more often than when they take turns', async () => {
    const inTurn = await hitShare(() =>
      converse(people('Ann', 9), 6, (number) => `task:at-gpu-${number % REPLICAS}`),
    )
    const affine = await hitShare(() => converse(people('Bob', 9), 6, () => 'llama'))
    // With everything warm it would be 15/21 of the tokens: what a turn adds is always new.
    expect(affine).toBeGreaterThanOrEqual(0.9 * (15 / 21))
    expect(affine).toBeGreaterThan(inTurn + 0.2)
  })

  test('are shared out evenly', async () => {
    const served = await converse(people('Cleo', 12), 2, () => 'llama')
    const homes = served.map(([first = '']) => first)
    const most = Math.max(...NAMES.map((name) => homes.filter((home) => home.startsWith(name)).length))
    expect(most).toBeLessThanOrEqual((12 / REPLICAS) * 1.25)
    expect(served.filter((places) => new Set(places).size > 1)).toEqual([])
  })

  test('go on elsewhere when their replica vanishes, and stay where they went', async () => {
    const messages = [turn('Dora', 0)]
    const home = await ask('llama', messages)
    const replica = replicas[NAMES.findIndex((name) => home.startsWith(name))] as WarmReplica
    replica.setDown(true)
    messages.push({ role: 'assistant', content: 'Yes.' }, turn('Dora', 1))
    const moved = await ask('llama', messages)
    expect(moved).not.toBe(home)
    replica.setDown(false)
    replica.forget()
    messages.push({ role: 'assistant', content: 'Yes.' }, turn('Dora', 2))
    expect(await ask('llama', messages)).toBe(moved)
  })

  test('that name a session go on together even when nothing of the prompt is the same', async () => {
    const homes = new Set<string>()
    for (let number = 0; number < 4; number += 1) {
      homes.add(await ask('llama', [{ role: 'user', content: `Another question, ${number}.` }], 'chat-1'))
    }
    expect(homes.size).toBe(1)
  })

  // 67
  test('one session for everything does not keep everything at one replica', async () => {
    const before = replicas.map(({ served }) => served)
    // All at once, whatever the machine: a replica that has answered everybody has no queue.
    const until = allHere(90)
    for (const replica of replicas) replica.hold(until)
    const calls = Array.from({ length: 90 }, (_, number) => ask('llama', [turn(`Eve${number}`, 0)], 'bot'))
    await Promise.all(calls)
    const shares = replicas.map(({ served }, index) => (served - (before[index] ?? 0)) / 90)
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.6)
    // And with all that came before nobody has computed much more than the others.
    const computed = replicas.map(({ promptTokens, cachedTokens }) => promptTokens - cachedTokens)
    const mean = computed.reduce((sum, tokens) => sum + tokens, 0) / REPLICAS
    expect(Math.max(...computed) / mean).toBeLessThanOrEqual(1.35)
  })
})

test('the report says what was read from caches and what it saved, and capacity what is warm', async () => {
  const report = await request(`${server.url}/v1/report?by=provider`)
  const groups = (
    report.body as { groups: { group: string; cached_input_share: number; cache_saved_usd: number }[] }
  ).groups
  const ours = groups.filter(({ group }) => NAMES.includes(group))
  expect(ours).toHaveLength(REPLICAS)
  for (const { cached_input_share: share, cache_saved_usd: saved } of ours) {
    expect(share).toBeGreaterThan(0)
    expect(saved).toBeGreaterThan(0)
  }
  const capacity = await request(`${server.url}/v1/capacity`)
  const { deployments } = capacity.body as {
    deployments: { deployment: string; affinity: { warm: number; cached_share: number } | null }[]
  }
  const known = deployments.filter(({ deployment }) => deployment.endsWith('/llama'))
  expect(known.every(({ affinity }) => affinity !== null && affinity.warm > 0)).toBe(true)
})
