// What Spillway says about an answer: the headers every answer has, and the `spillway` member where there is
// one.

import {
  type DecisionJson,
  type DeviceEnd,
  RESPONSE_HEADERS,
  type RouteFacts,
  type SpillwayMember,
  TIERS,
  type TaskBalance,
} from '@spillway/protocol'
import { isRecord } from './spillway-error.js'

/**
 * Who answered, how it was chosen and what it cost. Facts that a proxy took away are missing, never made up.
 */
export interface AnswerFacts extends Partial<RouteFacts> {
  readonly task_id: string | null
  readonly request_id: string | null
  /** Cost of this step; null when unknown, or not known yet as in the middle of a stream. */
  readonly cost_usd: number | null
  /** Where the task's budget stands after this step; null when the answer does not say. */
  readonly task: TaskBalance | null
  readonly decisions: readonly DecisionJson[]
  /**
   * For a call that was tried on the device first: `answered` when this is the device's answer, otherwise why
   * the server was asked. Absent for all other calls.
   */
  readonly on_device?: DeviceEnd
}

const CACHE_STATES = ['exact', 'semantic', 'miss', 'off'] as const

/** The text of each header, by the name the fact has in JSON; absent ones are left out. */
function headerTexts(headers: Headers) {
  const text = (name: keyof typeof RESPONSE_HEADERS) => headers.get(RESPONSE_HEADERS[name]) ?? undefined
  return { text, number: (name: 'costUsd' | 'attempts') => numberOf(text(name)) }
}

function numberOf(text: string | undefined): number | undefined {
  const number = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}

export function factsOfHeaders(headers: Headers): AnswerFacts {
  const { text, number } = headerTexts(headers)
  const facts = {
    step_id: text('stepId'),
    release: text('release'),
    model: text('model'),
    deployment: text('deployment'),
    tier: TIERS.find((tier) => tier === text('tier')),
    route: text('route'),
    cache: CACHE_STATES.find((state) => state === text('cache')),
    attempts: number('attempts'),
  }
  return {
    ...withoutUndefined(facts),
    degraded: (text('degraded') ?? '')
      .split(',')
      .map((rung) => rung.trim())
      .filter((rung) => rung !== ''),
    simulated: text('simulated') === 'true',
    task_id: text('taskId') ?? null,
    request_id: text('requestId') ?? null,
    cost_usd: number('costUsd') ?? null,
    task: null,
    decisions: [],
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Present<T>
}

/** The `spillway` member of a body or of a stream's event, when it has one. */
export function memberOf(body: unknown): SpillwayMember | null {
  if (!isRecord(body) || !isRecord(body['spillway'])) return null
  const member = body['spillway']
  // Our own server wrote it; `task` and `decisions` are what callers walk into, so these are looked at.
  return isRecord(member['task']) && Array.isArray(member['decisions'])
    ? (member as unknown as SpillwayMember)
    : null
}

export function factsOf(headers: Headers, body: unknown): AnswerFacts {
  const facts = factsOfHeaders(headers)
  const member = memberOf(body)
  return member === null ? facts : { ...facts, ...member }
}
