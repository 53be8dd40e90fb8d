// Random but possible histories of the books: what an engine could have written, in an order it could have
// happened.

import { NO_TOKENS } from '../core/money/token-counts.js'
import { DEVICE_ENDS } from '@spillway/protocol'
import fc from 'fast-check'
import { NOTHING } from '../core/budget/amounts.js'
import type { AttemptRecord, Entry, HoldMade } from '../core/task/records.js'
import {
  HOSTED_DEPLOYMENT,
  OWN_DEPLOYMENT,
  START_MS,
  callRefused,
  holdMade,
  holdSettled,
  outcomeJudged,
  stepEnded,
  taskOpened,
} from './entries.js'

interface Move {
  readonly task: number
  readonly what:
    | 'open'
    | 'open-long'
    | 'hold'
    | 'settle'
    | 'settle-unpriced'
    | 'step'
    | 'device'
    | 'outcome'
    | 'refuse'
  readonly amount: number
}

const move: fc.Arbitrary<Move> = fc.record({
  task: fc.integer({ min: 1, max: 5 }),
  what: fc.constantFrom(
    'open',
    'open-long',
    'hold',
    'hold',
    'settle',
    'settle-unpriced',
    'step',
    'device',
    'outcome',
    'refuse',
  ),
  amount: fc.integer({ min: 0, max: 3_000_000 }),
})

interface TaskState {
  readonly id: string
  open: boolean
  readonly holds: HoldMade[]
  readonly unreported: AttemptRecord[]
  attempts: number
  steps: number
}

/** Of the last nothing is known but what its attempts say. */
const DEPLOYMENTS = [
  { deployment: HOSTED_DEPLOYMENT.deployment, provider: 'openai' },
  { deployment: OWN_DEPLOYMENT.deployment, provider: 'gpu-a' },
  { deployment: 'old/llama', provider: 'old' },
]

/** How an attempt ends, by its amount: mostly well. */
function endOf(amount: number): Pick<AttemptRecord, 'status' | 'end' | 'firstByteMs'> {
  if (amount % 7 === 1) return { status: 429, end: 'http_429', firstByteMs: amount % 100 }
  if (amount % 7 === 2) return { status: 0, end: 'timeout', firstByteMs: null }
  if (amount % 7 === 3) return { status: 200, end: 'caller_left', firstByteMs: amount % 100 }
  return { status: 200, end: 'ok', firstByteMs: amount % 500 }
}

function charge(hold: HoldMade, amount: number, priced: boolean): Entry & { readonly kind: 'hold-settled' } {
  const settled = holdSettled(hold, {
    actual: {
      ...NOTHING,
      modelCalls: 1,
      inputTokens: amount % 977,
      outputTokens: amount % 97,
      nanoUsd: amount,
    },
  })
  const { actual, attempt } = settled
  const nanoUsd = priced ? amount : null
  const { simulated } = hold
  const how = { ...endOf(amount), simulated, durationMs: 500 + (amount % 1_009), startedMs: hold.atMs }
  const money = { held: hold.amounts, nanoUsd, chargedNanoUsd: amount, ...cacheOf(amount, priced) }
  return { ...settled, actual, attempt: { ...attempt, ...how, ...money } }
}

/** What a provider's cache was good for: a third of the attempts use one. */
function cacheOf(
  amount: number,
  priced: boolean,
): Partial<Pick<AttemptRecord, 'tokens' | 'cacheSavedNanoUsd'>> {
  if (amount % 3 !== 0) return {}
  const tokens = { ...NO_TOKENS, input: 1, cacheRead: amount % 313, cacheWrite: 1 + (amount % 11) }
  return { tokens, ...(priced ? { cacheSavedNanoUsd: (amount % 1_000) - 300 } : {}) }
}

/** One possible entry, or none when the move makes no sense in this state. */
function play(state: TaskState, { what, amount }: Move, atMs: number): Entry | null {
  const { id } = state
  if (what === 'refuse') return callRefused({ atMs, contract: amount % 2 === 0 ? 'support_reply' : null })
  if (what === 'open' || what === 'open-long') {
    if (state.open) return null
    state.open = true
    return taskOpened(id, {
      atMs,
      deadlineMs: atMs + 6_000,
      oneStep: what === 'open',
      tenant: `t${amount % 3}`,
    })
  }
  if (!state.open) return null
  if (what === 'hold') {
    const number = ++state.attempts
    const hold = holdMade(id, `${id}_hold_${number}`, {
      atMs,
      tier: amount % 4 === 0 ? 'premium' : 'small',
      ...DEPLOYMENTS[amount % DEPLOYMENTS.length],
      stepNumber: state.steps + 1,
      simulated: amount % 11 === 0,
      amounts: {
        ...NOTHING,
        modelCalls: 1,
        inputTokens: 1000,
        outputTokens: 700,
        nanoUsd: 3_000_000 + amount,
      },
    })
    const made = { ...hold, attempt: { ...hold.attempt, number } }
    state.holds.push(made)
    return made
  }
  return playEnd(state, { what, amount }, atMs)
}

function playEnd(state: TaskState, { what, amount }: Omit<Move, 'task'>, atMs: number): Entry | null {
  const { id } = state
  if (what === 'settle' || what === 'settle-unpriced') {
    const hold = state.holds.splice(amount % Math.max(1, state.holds.length), 1)[0]
    if (hold === undefined) return null
    const settled = charge(hold, amount, what === 'settle')
    state.unreported.push(settled.attempt)
    return settled
  }
  if (what === 'step') {
    const attempts = state.unreported.splice(0)
    const number = ++state.steps
    const answer = amount % 5 === 0 ? null : (attempts.at(-1) ?? null)
    return stepEnded(id, attempts, {
      number,
      startedMs: atMs,
      model: answer?.model ?? null,
      deployment: answer?.deployment ?? null,
      tier: answer?.tier ?? null,
      otherNanoUsd: amount % 5,
      degraded: amount % 3 ? [] : ['refine'],
    })
  }
  if (what === 'device') return playDevice(state, amount, atMs)
  const success = amount % 3 > 0
  return outcomeJudged(id, {
    atMs,
    success,
    status: success ? 'succeeded' : 'failed',
    latencyMs: amount % 9_001,
  })
}

/** A call on the caller's own device. Some runners count tokens, and some charge for themselves. */
function playDevice(state: TaskState, amount: number, atMs: number): Entry {
  const end = DEVICE_ENDS[amount % DEVICE_ENDS.length] ?? 'answered'
  const counted = amount % 2 === 0 ? { input_tokens: amount % 83, output_tokens: amount % 31 } : {}
  return stepEnded(state.id, [], {
    number: ++state.steps,
    startedMs: atMs,
    durationMs: amount % 2_003,
    firstByteMs: amount % 3 === 0 ? null : amount % 97,
    route: 'on-device',
    model: end === 'answered' || end === 'escalated' ? 'on-device/browser' : null,
    deployment: 'on-device/browser',
    escalated: end === 'escalated',
    tier: null,
    cache: 'off',
    decisions: [{ stage: 'attempt', choice: 'on-device', reason: end, inputs: counted }],
    otherNanoUsd: amount % 7 === 0 ? amount % 11 : 0,
  })
}

/** Entries of up to five tasks, interleaved. */
export const randomStory: fc.Arbitrary<readonly Entry[]> = fc
  .array(move, { minLength: 1, maxLength: 60, size: 'max' })
  .map((moves) => {
    const states = new Map<number, TaskState>()
    return moves.flatMap((each, turn) => {
      const state = states.get(each.task) ?? {
        id: `task_${each.task}`,
        open: false,
        holds: [],
        unreported: [],
        attempts: 0,
        steps: 0,
      }
      states.set(each.task, state)
      // Some turns are minutes apart, so that stories cross the hours.
      const entry = play(state, each, START_MS + turn * 200_000)
      return entry === null ? [] : [entry]
    })
  })
