import { describe, expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, chatStream, openAiError } from '../../testing/provider-answers.js'
import { type TestEngine, createTestEngine } from '../../testing/test-engine.js'
import type { Pace } from './pace.js'

const TASK = `
  support:
    degrade: []
    budget: { max_latency_ms: 60000 }
    route: { default: small-model }
`
const TARGETS = '    targets: { first_token_ms: 3000, per_token_ms: 10 }\n'

function world(targets = ''): TestEngine {
  const { yaml, providers } = configured(TASK)
  const made = createTestEngine({
    yaml: yaml.replace('    tier: small\n', `    tier: small\n${targets}`),
    providers,
  })
  return made
}

function paceOf({ engine }: TestEngine): Pace {
  const [state] = engine.capacity.snapshot()
  if (state === undefined) throw new Error('no deployment was called')
  return state.pace
}

const TOKENS = Array.from({ length: 30 }, (_, index) => ` w${index}`)

/** `count` streams at a time, whose first token takes 200 ms and each further one `gapMs`. */
async function stream(
  made: TestEngine,
  ask: { rounds: number; count: number; gapMs: number },
): Promise<void> {
  const { rounds, count, gapMs } = ask
  const usage = { input: 40, output: TOKENS.length }
  made.provider('main').otherwise(() => chatStream({ tokens: TOKENS, gapMs, delayMs: 200, usage }))
  for (let round = 0; round < rounds; round++) {
    const running = Array.from({ length: count }, () =>
      made.start({ task: 'support', body: { stream: true } }),
    )
    for (const call of running) await made.finish(call)
  }
}

describe('streams', () => {
  test('teach when the first token comes, not the head, and how long the others take', async () => {
    const made = world()
    await stream(made, { rounds: 10, count: 4, gapMs: 40 })
    const { service, limit } = paceOf(made)
    // The role comes 40 ms after the head, the first word 40 ms after that.
    expect(Math.abs((service.firstTokenMs(0.5) ?? 0) - 280)).toBeLessThan(40)
    expect(Math.abs((service.perTokenMs() ?? 0) - 40)).toBeLessThan(5)
    expect([limit.callsInFlight, limit.tokensInFlight, limit.isInitial]).toEqual([0, 0, true])
  })

  test('slower than the target lower the limit; without a target the same streams do not', async () => {
    const slow = { rounds: 8, count: 20, gapMs: 40 }
    const free = world()
    await stream(free, slow)
    expect(paceOf(free).limit.isInitial).toBe(true)
    const held = world(TARGETS)
    await stream(held, slow)
    expect(paceOf(held).limit.lastMove.reason).toBe('per_token')
    expect(paceOf(held).limit.limitTokens).toBeLessThan(20 * 600)
  })
})

describe('answers that come whole', () => {
  test('have no first token, and are expected as long as earlier ones were', async () => {
    const made = world()
    const inFlight: number[] = []
    made.provider('main').otherwise(() => {
      inFlight.push(paceOf(made).limit.tokensInFlight)
      return chatAnswer({ usage: { input: 40, output: 30 } })
    })
    for (let each = 0; each < 30; each++) await made.call({ task: 'support', body: { max_tokens: 400 } })
    expect(inFlight[0]).toBeGreaterThan(400)
    expect(inFlight.at(-1)).toBeLessThan(150)
    expect(paceOf(made).service.firstTokenMs(0.5)).toBeNull()
  })

  test('that are throttled lower the limit', async () => {
    const made = world()
    made.provider('main').otherwise(() => openAiError(429, 'rate_limit_exceeded'))
    for (let each = 0; each < 12; each++) {
      const both = [made.start({ task: 'support' }), made.start({ task: 'support' })]
      for (const call of both) await made.finish(call)
    }
    expect(paceOf(made).limit.lastMove.reason).toBe('drops')
    expect(paceOf(made).limit.callsInFlight).toBe(0)
  })
})
