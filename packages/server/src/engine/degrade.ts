// Taking a rung of the ladder: what could be done is worked out, the pure `chooseRung` picks, and the rung
// is taken. Which code a caller is refused with when no rung is left follows from what gave out.

import type { ErrorCode } from '@spillway/protocol'
import { type LadderState, type LadderTrigger, chooseRung } from '../core/budget/ladder.js'
import type { LimitName } from '../core/budget/amounts.js'
import { retryAfterSeconds } from '../core/capacity/early-rejection.js'
import { chooseKept } from '../core/context/shorten.js'
import { smallerModel } from '../core/routing/smaller-model.js'
import { applyKept, describeMessages } from '../wire/conversation.js'
import { sizeHold } from './call-model/hold.js'
import { type Plan, planFor } from './call-model/plan.js'
import { lookUp } from './call-model/recall.js'
import type { Answer } from './answer/answer.js'
import type { RungName } from '../core/release/release.js'
import type { Decision } from '../core/task/records.js'
import { type Refusal, refused } from './refusal.js'
import { attemptsMax } from './task-registry.js'
import { type Step, decide, timeLeftMs } from './step-context.js'
import type { Made } from './step-end.js'
import type { AttemptFailure } from './upstream/attempt-failure.js'
import { modelNamed } from '../core/routing/route-models.js'

export type Trigger =
  | { readonly kind: 'budget' | 'ceiling'; readonly limit: LimitName; readonly partial?: PartialAnswer }
  | { readonly kind: 'upstream'; readonly end: string; readonly failures: readonly AttemptFailure[] }
  | { readonly kind: 'capacity'; readonly isShed: boolean; readonly waitMs: number }

/** What was generated before a limit cut it off, unseen by the caller. */
export type PartialAnswer = Extract<Answer, { kind: 'held' }>

export type Degraded =
  /** Go on, with a shorter request or a smaller model. */
  | { readonly kind: 'replan'; readonly plan: Plan }
  | { readonly kind: 'answer'; readonly answer: PartialAnswer; readonly route: 'degraded' }
  | Made
  | Refusal

interface Shortened {
  readonly request: Step['request']
  readonly decision: Decision
}

export function degrade(step: Step, plan: Plan, trigger: Trigger): Degraded {
  const { contract } = step.task
  const shorter = contract.degrade.includes('shorter_context') ? shorten(step, plan, trigger) : null
  const smaller = findSmaller(step, plan, trigger)
  const partial = 'partial' in trigger ? (trigger.partial ?? null) : null
  const cached = contract.degrade.includes('cached_answer') ? lookUp(step) : null
  const state: LadderState = {
    trigger: ladderTrigger(step, trigger),
    taken: [...step.degraded],
    shorter: shorter === null ? null : { fits: true },
    smaller,
    cached: cached === null ? null : { ageMs: cached.ageMs },
    partial: partial === null ? null : { outputTokens: partial.scanner.facts.deltas },
  }
  const choice = chooseRung(contract.degrade, state)
  if (choice.kind === 'refuse') {
    decide(step, { stage: 'plan', choice: 'refuse', reason: choice.reason, inputs: { ...state } })
    return refusalFor(step, trigger, choice.reason)
  }
  decide(step, { stage: 'plan', choice: `rung:${choice.rung}`, reason: choice.reason, inputs: { ...state } })
  step.degraded.push(choice.rung)
  step.route = 'degraded'
  return take(step, choice.rung, { plan, shorter, smaller, cached, partial })
}

/** What each rung would take; `chooseRung` only picks one whose way down is there. */
interface WaysDown {
  readonly plan: Plan
  readonly shorter: Shortened | null
  readonly smaller: LadderState['smaller']
  readonly cached: ReturnType<typeof lookUp>
  readonly partial: PartialAnswer | null
}

function take(step: Step, rung: RungName, { plan, shorter, smaller, cached, partial }: WaysDown): Degraded {
  switch (rung) {
    case 'shorter_context':
      if (shorter !== null) {
        step.request = shorter.request
        decide(step, shorter.decision)
      }
      return { kind: 'replan', plan: { ...plan, route: 'degraded' } }
    case 'smaller_model':
      return { kind: 'replan', plan: planFor(step, { model: smaller?.model ?? '', route: 'degraded' }) }
    case 'cached_answer':
      step.cache = 'exact'
      step.cacheAgeMs = cached?.ageMs ?? null
      return { kind: 'made', rung, cached: cached?.value ?? null }
    case 'partial_result':
      if (partial === null) throw new Error('a partial result without an answer')
      return { kind: 'answer', answer: partial, route: 'degraded' }
    case 'refine':
      return { kind: 'made', rung, cached: null }
  }
}

function ladderTrigger(step: Step, trigger: Trigger): LadderTrigger {
  if (timeLeftMs(step) <= 0) return { kind: 'deadline' }
  switch (trigger.kind) {
    case 'upstream':
      return { kind: 'upstream', end: trigger.end }
    case 'capacity':
      return { kind: 'capacity' }
    default:
      return { kind: trigger.kind, limit: trigger.limit }
  }
}

/**
 * The nearest smaller model that fits, or else the nearest. After a failure, the models that failed are out.
 */
function findSmaller(step: Step, plan: Plan, trigger: Trigger): LadderState['smaller'] {
  const { contract, release } = step.task
  const { route } = contract
  const current = plan.models[0]
  if (current === undefined || !contract.degrade.includes('smaller_model')) return null
  const isPossible = step.task.attempts < attemptsMax(step.task) && timeLeftMs(step) > 0
  const hasFailed = trigger.kind === 'upstream' || trigger.kind === 'capacity'
  const except = hasFailed ? plan.models.map(({ name }) => name) : []
  let nearest: string | null = null
  for (;;) {
    const model = smallerModel({ route, models: release.models, current: current.name, except })
    if (model === null) return nearest === null ? null : { model: nearest, fits: false }
    const sized = sizeHold(step, { model: modelNamed(release.models, model), request: step.request })
    if (isPossible && sized.kind === 'fits') return { model, fits: true }
    nearest ??= model
    except.push(model)
  }
}

/** Shares of the conversation to try, largest first: the first that fits drops the least. */
const SHARES = [0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]

function shorten(step: Step, plan: Plan, trigger: Trigger): Shortened | null {
  const model = plan.models[0]
  if (step.call.wire === 'openai-embeddings' || model === undefined) return null
  const messages = describeMessages(step.call.wire, step.request.json)
  const total = messages.reduce((sum, message) => sum + message.bytes, 0)
  const isWindow = trigger.kind === 'upstream'
  for (const share of isWindow ? SHARES.slice(3) : SHARES) {
    const kept = chooseKept(messages, Math.floor(total * share))
    if (kept.kind === 'cannot') return null
    const request = shortenedRequest(step, applyKept(step.call.wire, step.request.json, kept.actions))
    if (request === null) return null
    const sized = sizeHold(step, { model, request })
    if (sized.kind === 'fits') {
      const { droppedTurns, droppedMessages, blankedToolResults } = kept
      const inputs = {
        droppedTurns,
        droppedMessages,
        blankedToolResults,
        bytesBefore: total,
        bytesAfter: kept.bytes,
      }
      const reason = `${droppedTurns} oldest turns left out`
      return { request, decision: { stage: 'plan', choice: 'shortened', reason, inputs } }
    }
  }
  return null
}

function shortenedRequest(step: Step, messages: readonly unknown[]): Step['request'] | null {
  const body = step.format.patch(step.request.body, { messages })
  const json: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  const view = step.format.view(json)
  return view.kind === 'invalid' ? null : { body, json, view: view.value }
}

function refusalFor(step: Step, trigger: Trigger, reason: string): Refusal {
  const task = step.task.id
  switch (trigger.kind) {
    case 'budget':
      return refused(
        trigger.limit === 'latencyMs' ? 'deadline.exceeded' : 'budget.exhausted',
        capital(reason),
        { task },
      )
    case 'ceiling':
      return refused('ceiling.reached', capital(reason), { task })
    case 'capacity':
      return refused(trigger.isShed ? 'capacity.shed' : 'capacity.queue_timeout', capital(reason), {
        task,
        retryAfterSeconds: retryAfterSeconds(trigger.waitMs, step.engine.system.random()),
      })
    case 'upstream': {
      const attempts = trigger.failures.map(({ deployment, status, end, error }) => ({
        deployment: deployment.id,
        status,
        end,
        ...(error === null ? {} : { message: error.message }),
      }))
      const said = attempts.findLast(({ message }) => message !== undefined)?.message
      const message = said === undefined ? capital(reason) : `${capital(reason)} The provider said: ${said}`
      // When the provider told how long it will refuse, so do we.
      const restMs = trigger.failures.at(-1)?.retryAfterMs ?? null
      const wait =
        restMs === null ? {} : { retryAfterSeconds: retryAfterSeconds(restMs, step.engine.system.random()) }
      return refused(upstreamCode(step, trigger.end), message, { task, attempts, ...wait })
    }
  }
}

function upstreamCode(step: Step, end: string): ErrorCode {
  if (timeLeftMs(step) <= 0) return 'deadline.exceeded'
  return end === 'timeout' ? 'upstream.timeout' : 'upstream.failed'
}

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
