// A row of the tasks, and what it says.

import type { Amounts } from '../../core/budget/amounts.js'
import type { ReleaseId, TaskId } from '../../core/ids.js'
import type { OutcomeJudged } from '../../core/task/records.js'
import type { TaskRow, TaskSummary } from '../../core/task/views.js'
import type { PackedCall } from './call-line.js'
import type { OpenedDetail } from './lines.js'
import type { PackedTerms } from './packed.js'
import { type OutcomeFacts, type PackedOutcome, unpackOutcome } from './packed-step.js'
import { DEGRADED, ESCALATED, HARM, ONE_STEP, SUCCESS, statusOf } from './task-codes.js'
import { type CallFacts, type UnpackedCall, unpackCall } from './unpack-call.js'

export interface AmountFields {
  readonly model_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly tool_calls: number
  readonly tool_ms: number
}

/** The columns of an outcome, in `tasks` (the last one) as in `outcomes` (those before it). */
export interface OutcomeFields {
  readonly status: number
  readonly ended_ms: number
  readonly verdict: number
  readonly latency_ms: number
  readonly price_nano: number | null
  readonly outcome: string
}

/** A row joined with its kind and its terms. */
export interface TaskFields extends AmountFields {
  readonly n: number
  readonly id: TaskId
  readonly contract: string
  readonly release: ReleaseId
  readonly tenant: string
  readonly shared: string
  readonly opened_ms: number
  readonly deadline_ms: number
  readonly parent: TaskId | null
  readonly session: string | null
  readonly external_id: string | null
  readonly opened: string | null
  readonly steps: number
  readonly attempts: number
  readonly cost_nano: number
  readonly unpriced: number
  readonly flags: number
  readonly last_step_ended_ms: number | null
  readonly status: number
  readonly ended_ms: number | null
  readonly verdict: number | null
  readonly latency_ms: number | null
  readonly price_nano: number | null
  readonly outcome: string | null
  readonly packed: string | null
  readonly call: string | null
}

/** Select from this what `TaskFields` has. */
export const TASK_FIELDS = 'tasks JOIN kinds USING (kind) LEFT JOIN terms USING (terms)'

export function amountsFrom(fields: AmountFields, nanoUsd: number): Amounts {
  return {
    modelCalls: fields.model_calls,
    inputTokens: fields.input_tokens,
    outputTokens: fields.output_tokens,
    toolCalls: fields.tool_calls,
    toolMs: fields.tool_ms,
    nanoUsd,
  }
}

export function outcomeFrom(id: TaskId, fields: OutcomeFields): OutcomeJudged {
  return unpackOutcome(outcomeFacts(id, fields), JSON.parse(fields.outcome) as PackedOutcome)
}

/** The parts of a task that is whole in its row; null when they are in the other tables. */
export function callFrom(fields: TaskFields): UnpackedCall | null {
  return fields.call === null ? null : unpackCall(callFacts(fields), JSON.parse(fields.call) as PackedCall)
}

/** Limits and attributes, as JSON. */
export function openedText({ opened, call, shared }: TaskFields): string {
  if (opened !== null) return opened
  const own = call === null ? null : (JSON.parse(call) as PackedCall)[0]
  return own === null ? shared : JSON.stringify(own)
}

/** The row of an ended task has every column of an outcome. */
export function lastOutcome(fields: TaskFields): OutcomeJudged | null {
  if (fields.call !== null) return callFrom(fields)?.outcome ?? null
  return fields.outcome === null ? null : outcomeFrom(fields.id, fields as TaskFields & OutcomeFields)
}

function outcomeFacts(id: TaskId, fields: Omit<OutcomeFields, 'outcome'>): OutcomeFacts {
  return {
    id,
    status: fields.status,
    endedMs: fields.ended_ms,
    verdict: fields.verdict,
    latencyMs: fields.latency_ms,
    priceNanoUsd: fields.price_nano,
  }
}

function callFacts(fields: TaskFields): CallFacts {
  return {
    ...outcomeFacts(fields.id, fields as TaskFields & OutcomeFields),
    openedMs: fields.opened_ms,
    modelCalls: fields.model_calls,
    inputTokens: fields.input_tokens,
    outputTokens: fields.output_tokens,
    nanoUsd: fields.cost_nano,
    flags: fields.flags,
    terms: fields.packed === null ? null : (JSON.parse(fields.packed) as PackedTerms),
  }
}

export function summaryFrom(fields: TaskFields): TaskSummary {
  return {
    opened: {
      kind: 'task-opened',
      id: fields.id,
      atMs: fields.opened_ms,
      contract: fields.contract,
      release: fields.release,
      tenant: fields.tenant,
      parent: fields.parent,
      session: fields.session,
      externalId: fields.external_id,
      ...(JSON.parse(openedText(fields)) as OpenedDetail),
      deadlineMs: fields.deadline_ms,
      oneStep: has(fields.flags, ONE_STEP),
    },
    status: statusOf(fields.status),
    spent: amountsFrom(fields, fields.cost_nano),
    unpricedCalls: fields.unpriced,
    attempts: fields.attempts,
    steps: fields.steps,
    outcome: lastOutcome(fields),
    degraded: has(fields.flags, DEGRADED),
    lastStepEndedMs: fields.last_step_ended_ms,
  }
}

export function rowFrom(fields: TaskFields): TaskRow {
  const { verdict } = fields
  return {
    id: fields.id,
    contract: fields.contract,
    tenant: fields.tenant,
    status: statusOf(fields.status),
    openedMs: fields.opened_ms,
    latencyMs: fields.latency_ms,
    success: verdict === null ? null : has(verdict, SUCCESS),
    harm: verdict === null ? null : has(verdict, HARM),
    nanoUsd: fields.cost_nano,
    unpricedCalls: fields.unpriced,
    steps: fields.steps,
    attempts: fields.attempts,
    degraded: has(fields.flags, DEGRADED),
    escalated: has(fields.flags, ESCALATED),
    session: fields.session,
    externalId: fields.external_id,
  }
}

function has(bits: number, bit: number): boolean {
  return (bits & bit) !== 0
}
