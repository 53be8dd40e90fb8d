// Budgets hold: whatever providers do, whoever hangs up, whatever throws, in whatever order it all happens.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RESOURCES } from '../core/budget/amounts.js'
import type { TaskId } from '../core/ids.js'
import { configured } from '../testing/example-config.js'
import {
  BREAK,
  OPENAI_ERROR_FRAME,
  SILENT_END,
  STALL,
  type Usage,
  brokenAfter,
  chatAnswer,
  chatFrames,
  chatStream,
  failWith,
  html,
  inBand,
  messagesAnswer,
  messagesStream,
  openAiError,
} from '../testing/provider-answers.js'
import type { Script, SeenRequest } from '../testing/scripted-provider.js'
import { type RunningCall, type TestEngine, createTestEngine } from '../testing/test-engine.js'
import { warmCapacity } from '../testing/warm-capacity.js'
import { type Task, accountOf, attemptsMax } from './task-registry.js'

const TASKS = `
  parent:
    degrade: [smaller_model, partial_result]
    budget: { max_cost_usd: 0.004, max_model_calls: 9, max_output_tokens: 400, max_input_tokens: 900, max_latency_ms: 3000 }
    retries: { max_attempts: 8 }
    route: { default: mid-model, escalate_if: [{ condition: "vip == true", model: small-model }] }
  child:
    degrade: []
    budget: { max_cost_usd: 0.002, max_output_tokens: 120, max_latency_ms: 2000 }
    retries: { max_attempts: 5 }
    signals: { confidence: { from: self_consistency, samples: 2 } }
    route: { default: small-model, escalate_if: [{ condition: "confidence < 0.9", model: claude-model }] }
  alone:
    degrade: [refine]
    budget: { max_cost_usd: 0.01, max_output_tokens: 60, max_latency_ms: 2000 }
    retries: { max_attempts: 3 }
    route: { default: twin-model }
`
const HEDGED_TASKS = TASKS.replaceAll(/(?:default|model): [a-z]+-model/g, (named) =>
  named.replace(/[a-z]+-model/, 'twin-model'),
)
const CEILING = 'limits: { usd_per_day: 0.02 }'
const CEILING_ACCOUNT = 'product:all:day:2026-11-24'

// What happens in one run, as data.
interface Deed {
  readonly what:
    | 'answer'
    | 'slow'
    | 'broken'
    | 'error'
    | 'silent'
    | 'fail'
    | '429'
    | '400'
    | '500'
    | 'page'
    | 'stall'
    | 'throw'
  readonly ms: number
  readonly tokens: number
  readonly usage: Usage | null
}
interface Visit {
  readonly to: 'parent' | 'child' | 'alone'
  readonly stream: boolean
  readonly anthropic: boolean
  readonly maxTokens: number | null
  readonly startMs: number
  readonly hangUpMs: number | null
  readonly slow: boolean
}
interface Story {
  readonly deeds: readonly Deed[]
  readonly visits: readonly Visit[]
  readonly delays: readonly number[]
  /** Which call of a port that may throw does so. */
  readonly faultAt: number | null
  readonly seed: number
  /** Two deployments serve every task, and are known well enough for copies and guards. */
  readonly hedged: boolean
}

const anyUsage = fc.record({ input: fc.nat(4_000), output: fc.nat(700) })
const anyDeed: fc.Arbitrary<Deed> = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('answer' as const, 'slow' as const) },
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        ...(['broken', 'error', 'silent', 'fail', '429', '400', '500', 'page', 'stall', 'throw'] as const),
      ),
    },
  ),
  ms: fc.nat(400),
  tokens: fc.nat(150),
  usage: fc.option(anyUsage, { freq: 4 }),
})
const anyVisit: fc.Arbitrary<Visit> = fc.record({
  to: fc.constantFrom('parent' as const, 'child' as const, 'alone' as const),
  stream: fc.boolean(),
  anthropic: fc.boolean(),
  maxTokens: fc.option(fc.integer({ min: 1, max: 300 })),
  startMs: fc.nat(600),
  hangUpMs: fc.option(fc.nat(1_200), { freq: 3 }),
  slow: fc.boolean(),
})
const story = (faultAt: fc.Arbitrary<number | null>): fc.Arbitrary<Story> =>
  fc.record({
    deeds: fc.array(anyDeed, { minLength: 1, maxLength: 8 }),
    visits: fc.array(anyVisit, { minLength: 1, maxLength: 9 }),
    delays: fc.array(fc.nat(30), { minLength: 1, maxLength: 7 }),
    faultAt,
    seed: fc.nat(1_000),
    hedged: fc.boolean(),
  })

function scriptOf(deed: Deed, request: SeenRequest): Script {
  const { what, ms, tokens, usage: claimed } = deed
  const words = Array.from({ length: tokens }, (_, index) => ` w${index}`)
  const said = { usage: claimed, delayMs: ms }
  switch (what) {
    case 'answer':
    case 'slow': {
      const streamed = { ...said, tokens: words, gapMs: what === 'slow' ? Math.ceil(ms / 10) : 0 }
      const whole = { ...said, text: words.join('') }
      if (request.wire === 'anthropic-messages')
        return request.stream ? messagesStream(streamed) : messagesAnswer(whole)
      return request.stream ? chatStream(streamed) : chatAnswer(whole)
    }
    case 'broken':
    case 'error':
    case 'silent': {
      const rest = { broken: BREAK, error: inBand(OPENAI_ERROR_FRAME), silent: SILENT_END }[what]
      return brokenAfter(chatFrames({ tokens: words }).slice(0, 1 + (tokens % 5)), rest, Math.ceil(ms / 4))
    }
    case 'fail':
      return failWith(ms % 2 === 0 ? 'connection' : 'broken', ms)
    case '429':
      return openAiError(429, 'rate_limit_exceeded', ms % 2 === 0 ? { 'retry-after': '1' } : {})
    case '400':
    case '500':
      return openAiError(Number(what), 'as_scripted')
    case 'page':
      return html()
    case 'stall':
      return STALL
    case 'throw':
      return [{ kind: 'throw' }]
  }
}

/** One fault at a time: what is told when the telling itself breaks is nobody's to say. */
const oneFault = story(fc.nat(120)).map((told) => ({
  ...told,
  deeds: told.deeds.map((each) => (each.what === 'throw' ? { ...each, what: 'fail' as const } : each)),
}))

/** Settling and its record may be slow but not fail: a store that drops them is told by nobody. */
const MAY_THROW =
  /^(ledger\.(open|hold|held|read)|books\.(durable|write:(task|hold-made|step|outcome|call).*)|caller\.\w+)$/
const MAY_WAIT = /^(ledger\.(hold|held|settle|charge)|books\.durable)$/

function worldOf({ deeds, delays, faultAt, seed, hedged }: Story) {
  let throwable = 0
  let isArmed = false
  let waits = 0
  const world: TestEngine = createTestEngine({
    ...configured(hedged ? HEDGED_TASKS : TASKS, CEILING),
    seed,
    atPort(port) {
      if (isArmed && MAY_THROW.test(port) && throwable++ === faultAt)
        throw new Error(`broken on purpose: ${port}`)
      const delayMs = delays[waits % delays.length] ?? 0
      if (!MAY_WAIT.test(port) || delayMs === 0) return undefined
      waits += 1
      return new Promise((resolve) => void world.system.after(delayMs, resolve))
    },
  })
  if (hedged) warmCapacity(world, { model: 'twin-model', firstTokenMs: 30 })
  let calls = 0
  for (const name of ['main', 'spare', 'claude']) {
    world
      .provider(name)
      .otherwise((request) =>
        scriptOf(deeds[calls++ % deeds.length] ?? { what: 'page', ms: 0, tokens: 0, usage: null }, request),
      )
  }
  return { world, arm: () => void (isArmed = true) }
}

function startVisit(world: TestEngine, visit: Visit, tasks: Readonly<Record<string, Task>>): RunningCall {
  const task = tasks[visit.to]
  const wire = visit.anthropic ? 'anthropic-messages' : 'openai-chat'
  const limit = visit.maxTokens === null ? {} : { max_tokens: visit.maxTokens }
  const call = world.start({
    ...(task === undefined ? { task: visit.to } : { taskId: task.id }),
    wire,
    body: { stream: visit.stream, ...limit },
  })
  call.caller.isSlow = visit.slow
  const { hangUpMs } = visit
  if (hangUpMs !== null) world.system.after(hangUpMs, () => call.caller.hangUp())
  if (visit.slow) for (let ms = 100; ms <= 3_000; ms += 100) world.system.after(ms, () => call.caller.drain())
  return call
}

// 7, 17: the bound on every overshoot is the error of estimate of the calls themselves.
/**
 * No account is above its limit by more than what providers said they read beyond the estimate, and no output
 * is.
 */
function checkLimits(world: TestEngine, accounts: readonly string[]): void {
  const settled = world.entries('hold-settled')
  for (const account of accounts) {
    const state = world.ledger.read(account)
    if (state === null) continue
    for (const resource of RESOURCES) {
      const over = settled
        .filter((entry) => entry.accounts.includes(account))
        .reduce((sum, { actual, attempt }) => sum + Math.max(0, actual[resource] - attempt.held[resource]), 0)
      if (resource === 'outputTokens' || resource === 'modelCalls') expect(over).toBe(0)
      expect(state.settled[resource] + state.held[resource]).toBeLessThanOrEqual(
        state.limits[resource] + over,
      )
    }
  }
}

interface Played {
  readonly world: TestEngine
  readonly calls: readonly RunningCall[]
  readonly opened: readonly Task[]
}

async function play({ world, arm }: ReturnType<typeof worldOf>, { visits }: Story): Promise<Played> {
  const { system } = world
  const parent = await world.open('parent')
  const child = await world.open('child', { parent })
  arm()
  const calls: RunningCall[] = []
  for (const visit of visits) {
    system.after(visit.startMs, () => void calls.push(startVisit(world, visit, { parent, child })))
  }
  for (;;) {
    await system.advance(0)
    checkLimits(world, [accountOf(parent.id), accountOf(child.id), CEILING_ACCOUNT])
    const nextMs = system.nextTimerMs()
    if (nextMs === null) break
    await system.advance(Math.max(0, nextMs - system.nowMs()))
  }
  expect(calls).toHaveLength(visits.length)
  return { world, calls, opened: [parent, child] }
}

function checkBooks(world: TestEngine, opened: readonly Task[]): void {
  const settled = world.entries('hold-settled')
  for (const account of [...opened.map(({ id }) => accountOf(id)), CEILING_ACCOUNT]) {
    const entries = settled.filter((entry) => entry.accounts.includes(account))
    for (const resource of RESOURCES) {
      const sum = entries.reduce((total, { actual }) => total + actual[resource], 0)
      expect(world.ledger.read(account)?.settled[resource] ?? 0).toBe(sum)
    }
  }
  const charged = (task: TaskId) =>
    settled
      .filter((entry) => entry.task === task)
      .reduce((sum, { attempt }) => sum + attempt.chargedNanoUsd, 0)
  for (const task of opened) expect(task.nanoUsd).toBe(charged(task.id))
  const made = world.entries('hold-made').map(({ id }) => id)
  expect(settled.map(({ id }) => id).sort()).toEqual(made.sort())
}

/** Every attempt that was settled is told by exactly one step. */
function checkSteps(world: TestEngine): void {
  const settled = world.attempts().map(({ id }) => id)
  const told = world.entries('step-ended').flatMap(({ attempts }) => attempts.map(({ id }) => id))
  expect(told.sort()).toEqual(settled.sort())
}

function checkNothingIsLeft(world: TestEngine, opened: readonly Task[]): void {
  for (const resource of RESOURCES) expect(world.ledger.heldTotal()[resource]).toBe(0)
  expect(world.engine.tasks.size).toBe(opened.length)
  for (const task of opened) expect(task.running).toBe(0)
  expect(world.engine.capacity.snapshot().map(({ inFlight }) => inFlight)).toEqual(
    world.engine.capacity.snapshot().map(() => 0),
  )
  for (const name of ['main', 'spare', 'claude']) expect(world.provider(name).openCalls).toBe(0)
}

const PROPER_ENDS: ReadonlySet<string> = new Set(['whole', 'stream', 'error'])

async function checkCallers(calls: readonly RunningCall[]): Promise<readonly Error[]> {
  const faults: Error[] = []
  for (const call of calls) {
    expect(call.isDone).toBe(true)
    const fault = await call.done
    if (fault !== null) faults.push(fault)
    const { caller } = call
    expect(caller.begins).toBeLessThanOrEqual(1)
    const isProper = caller.gone ? caller.ends <= 1 : caller.ends === 1 && PROPER_ENDS.has(caller.outcome)
    expect({ isProper, ends: caller.ends, outcome: caller.outcome }).toMatchObject({ isProper: true })
  }
  return faults
}

/** No task is sent more often than its contract allows, copies included. */
function checkAttempts(world: TestEngine, opened: readonly Task[]): number {
  const made = world.entries('hold-made')
  for (const task of opened) {
    const sent = made.filter((entry) => entry.task === task.id).length
    expect(sent).toBeLessThanOrEqual(attemptsMax(task))
    expect(task.attempts).toBe(sent)
  }
  return made.filter(({ attempt }) => attempt.purpose === 'hedge').length
}

test('budgets hold at every moment, the books add up, and every caller gets one proper end', async () => {
  let copies = 0
  await fc.assert(
    fc.asyncProperty(story(fc.constant(null)), async (told) => {
      const { world, calls, opened } = await play(worldOf(told), told)
      const faults = await checkCallers(calls)
      expect(faults.filter(({ message }) => message !== 'the provider port threw')).toEqual([])
      checkNothingIsLeft(world, opened)
      checkBooks(world, opened)
      checkSteps(world)
      copies += checkAttempts(world, opened)
    }),
    { numRuns: 150 },
  )
  expect(copies).toBeGreaterThan(20)
})

const PLAIN_DEED = { ms: 0, tokens: 0, usage: null } as const
const PLAIN_VISIT: Visit = {
  to: 'parent',
  stream: false,
  anthropic: false,
  maxTokens: null,
  startMs: 0,
  hangUpMs: null,
  slow: false,
}
/** The ledger throws when a watch's timer asks whether the budget has room for another attempt. */
const FAULT_IN_A_TIMER: Story = {
  deeds: [
    { what: 'broken', ...PLAIN_DEED },
    { what: 'stall', ...PLAIN_DEED },
    { what: 'answer', ...PLAIN_DEED },
  ],
  visits: [PLAIN_VISIT, PLAIN_VISIT, { ...PLAIN_VISIT, maxTokens: 1 }],
  delays: [2, 1, 4, 1],
  faultAt: 28,
  seed: 0,
  hedged: true,
}

// 5: abort at every await, here as a throw at any call of any port.
test('a throw at any call of any port leaks no hold, charges nothing twice and still tells the caller', async () => {
  await fc.assert(
    fc.asyncProperty(oneFault, async (told) => {
      const { world, calls, opened } = await play(worldOf(told), told)
      await checkCallers(calls)
      checkNothingIsLeft(world, opened)
      checkBooks(world, opened)
    }),
    { numRuns: 250, examples: [[FAULT_IN_A_TIMER]] },
  )
})

test('of any number of calls at once, exactly as many are served as there is room for', async () => {
  const served = fc.record({ room: fc.integer({ min: 1, max: 20 }), asked: fc.integer({ min: 1, max: 60 }) })
  await fc.assert(
    fc.asyncProperty(
      served,
      fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
      async ({ room, asked }, delays) => {
        const tasks = `
  support: { degrade: [], budget: { max_model_calls: ${room} }, retries: { max_attempts: 100 }, route: { default: small-model } }
`
        let waits = 0
        const world: TestEngine = createTestEngine({
          ...configured(tasks),
          atPort: (port) =>
            MAY_WAIT.test(port)
              ? new Promise(
                  (resolve) => void world.system.after(delays[waits++ % delays.length] ?? 0, resolve),
                )
              : undefined,
        })
        world.provider('main').otherwise(() => chatAnswer({ delayMs: 25 }))
        const { id: taskId } = await world.open('support')
        const running = Array.from({ length: asked }, () => world.start({ taskId }))
        const callers = await Promise.all(running.map((call) => world.finish(call)))
        expect(callers.filter(({ status }) => status === 200)).toHaveLength(Math.min(room, asked))
        expect(world.provider('main').requests).toHaveLength(Math.min(room, asked))
      },
    ),
    { numRuns: 60 },
  )
})
