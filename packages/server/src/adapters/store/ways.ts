// How calls went, in words. Most calls of a contract go one of a few ways (the same choices, the same
// verdicts), so the words for it are kept and used again.

import type { Decision, OutcomeJudged, StepEnded } from '../../core/task/records.js'
import { sameTexts } from './call.js'
import { bit } from './packed.js'
import { packDecision } from './packed-step.js'

/** Kept for each contract. Where calls go more ways than that, keeping their words does not pay. */
const WAYS_MAX = 8

/** Parts of the line of a done call: see `call-line.ts`. */
interface WayTexts {
  readonly name: string
  /** From the route to the decisions. */
  readonly course: string
  readonly finish: string
  /** From the source to the evidence. */
  readonly judged: string
  readonly rules: string
}

type Course = Pick<StepEnded, 'name' | 'route' | 'cache' | 'degraded' | 'streamed' | 'unknownRules'>
type Ending = Pick<StepEnded, 'decisions' | 'finishReason'> &
  Pick<OutcomeJudged, 'source' | 'reasons' | 'rules'>

interface Way extends Course, Ending {
  readonly texts: WayTexts
}

export class Ways {
  readonly #ways = new Map<string, Way[]>()

  textsOf(contract: string, step: StepEnded, outcome: OutcomeJudged): WayTexts {
    if (!mayRecur(step, outcome)) return inWords(step, outcome)
    const ways = this.#ways.get(contract)
    if (ways !== undefined) for (const way of ways) if (isSameWay(way, step, outcome)) return way.texts
    const way = newWay(step, outcome)
    if (ways === undefined || ways.length >= WAYS_MAX) this.#ways.set(contract, [way])
    else ways.push(way)
    return way.texts
  }
}

/** Ages, scores and measurements are hardly the same twice. */
function mayRecur({ cacheAgeMs, decisions }: StepEnded, { score, evidence }: OutcomeJudged): boolean {
  if (cacheAgeMs !== null || score !== null || evidence.length > 0) return false
  for (const { inputs } of decisions) if (inputs !== undefined) return false
  return true
}

function isSameWay(way: Way, step: StepEnded, outcome: OutcomeJudged): boolean {
  return (
    way.name === step.name &&
    way.route === step.route &&
    way.cache === step.cache &&
    way.streamed === step.streamed &&
    way.finishReason === step.finishReason &&
    way.source === outcome.source &&
    sameTexts(way.degraded, step.degraded) &&
    sameTexts(way.unknownRules, step.unknownRules) &&
    sameTexts(way.reasons, outcome.reasons) &&
    sameDecisions(way.decisions, step.decisions) &&
    sameRules(way.rules, outcome.rules)
  )
}

function sameDecisions(a: readonly Decision[], b: readonly Decision[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const { stage, choice, reason } = a[i] as Decision
    const other = b[i] as Decision
    if (stage !== other.stage || choice !== other.choice || reason !== other.reason) return false
  }
  return true
}

function sameRules(a: OutcomeJudged['rules'], b: OutcomeJudged['rules']): boolean {
  if (a === undefined || b === undefined) return a === b
  let count = 0
  for (const rule in a) {
    if (a[rule] !== b[rule]) return false
    count++
  }
  for (const _ in b) count--
  return count === 0
}

function newWay(step: StepEnded, outcome: OutcomeJudged): Way {
  const { name, route, cache, degraded, streamed, unknownRules, decisions, finishReason } = step
  const { source, reasons, rules } = outcome
  const course: Course = { name, route, cache, degraded, streamed, unknownRules }
  return {
    ...course,
    decisions,
    finishReason,
    source,
    reasons,
    ...(rules ? { rules } : {}),
    texts: inWords(step, outcome),
  }
}

function inWords(step: StepEnded, outcome: OutcomeJudged): WayTexts {
  const { route, cache, cacheAgeMs, degraded, streamed, unknownRules, decisions } = step
  const course = [
    route,
    cache,
    cacheAgeMs,
    degraded,
    bit(streamed),
    unknownRules,
    decisions.map(packDecision),
  ]
  const { source, reasons, score, evidence, rules } = outcome
  return {
    name: JSON.stringify(step.name),
    course: membersOf(course),
    finish: JSON.stringify(step.finishReason),
    judged: membersOf([source, reasons, score, evidence]),
    rules: JSON.stringify(rules ?? null),
  }
}

/** A list as JSON, without its brackets. */
function membersOf(list: readonly unknown[]): string {
  return JSON.stringify(list).slice(1, -1)
}
