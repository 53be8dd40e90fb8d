// What clients send to the control API, checked at the door: unknown JSON in, one of our types or all its
// problems out.

import { BREAKER_ACTIONS, type SteerRequest } from './capacity.js'
import {
  type NumberRange,
  type Read,
  flag,
  instant,
  json,
  list,
  map,
  number,
  object,
  oneOf,
  optional,
  parseWith,
  required,
  text,
} from './field-reader.js'
import { REQUEST_HEADERS } from './headers.js'
import { NANO_USD_MAX, usdFromNano } from './money.js'
import type { Parsed } from './parsed.js'
import {
  type BudgetRequest,
  DEVICE_ENDS,
  OUTCOME_STATUSES,
  type PermitRequest,
  type OpenTaskRequest,
  type OutcomeRequest,
  REPORTED_STEP_KINDS,
  type ReportedDeviceCall,
  type ReportedStep,
} from './tasks.js'

/** Bounds of what a request may carry. Sizes are bytes of JSON text in UTF-8. */
export const REQUEST_LIMITS = {
  nameLengthMax: 200,
  reasonLengthMax: 2_000,
  attributeKeysMax: 64,
  attributesBytesMax: 8_192,
  evidenceItemsMax: 100,
  evidenceBytesMax: 65_536,
  stepValueBytesMax: 16_384,
  outputBytesMax: 262_144,
  steerReasonLengthMax: 500,
  /** A forgotten pin must end by itself. */
  steerSecondsMax: 86_400,
  /** A review by people may take a month, not a year. */
  durationMsMax: 31 * 86_400_000,
} as const

const name = text(REQUEST_LIMITS.nameLengthMax)
const stepValue = json(REQUEST_LIMITS.stepValueBytesMax)
const money: NumberRange = { min: 0, max: usdFromNano(NANO_USD_MAX) }
const count = number({ above: 0, whole: true, max: Number.MAX_SAFE_INTEGER })
const tokens = number({ min: 0, whole: true, max: Number.MAX_SAFE_INTEGER })
const duration = number({ above: 0, max: REQUEST_LIMITS.durationMsMax })

const attributes = map({
  keysMax: REQUEST_LIMITS.attributeKeysMax,
  keyLengthMax: REQUEST_LIMITS.nameLengthMax,
  bytesMax: REQUEST_LIMITS.attributesBytesMax,
})

const budget: Read<BudgetRequest> = object<BudgetRequest>({
  max_model_calls: optional(count),
  max_input_tokens: optional(count),
  max_output_tokens: optional(count),
  max_tool_calls: optional(count),
  max_tool_ms: optional(duration),
  max_latency_ms: optional(duration),
  max_cost_usd: optional(number({ above: 0, max: usdFromNano(NANO_USD_MAX) })),
})

const openTask: Read<OpenTaskRequest> = object<OpenTaskRequest>({
  contract: required(name),
  attributes: optional(attributes),
  session: optional(name),
  budget: optional(budget),
  external_id: optional(name),
  parent: optional(name),
})

const onDevice: Read<ReportedDeviceCall> = object<ReportedDeviceCall>({
  model: required(name),
  end: required(oneOf(DEVICE_ENDS)),
  input_tokens: optional(tokens),
  output_tokens: optional(tokens),
  confidence: optional(number({ min: 0, max: 1 })),
  first_byte_ms: optional(number({ min: 0, max: REQUEST_LIMITS.durationMsMax })),
  streamed: optional(flag()),
  finish_reason: optional(name),
})

const reportedStep: Read<ReportedStep> = object<ReportedStep>({
  kind: required(oneOf(REPORTED_STEP_KINDS)),
  name: required(name),
  started_at: required(instant()),
  duration_ms: required(number({ min: 0, max: REQUEST_LIMITS.durationMsMax })),
  cost_usd: optional(number(money)),
  input: optional(stepValue),
  output: optional(stepValue),
  error: optional(stepValue),
  on_device: optional(onDevice),
  permit: optional(name),
})

const permit: Read<PermitRequest> = object<PermitRequest>({ dependency: required(name) })

const outcome: Read<OutcomeRequest> = object<OutcomeRequest>({
  status: required(oneOf(OUTCOME_STATUSES)),
  output: optional(json(REQUEST_LIMITS.outputBytesMax)),
  evidence: optional(
    list({ itemsMax: REQUEST_LIMITS.evidenceItemsMax, bytesMax: REQUEST_LIMITS.evidenceBytesMax }),
  ),
  score: optional(number({})),
  reason: optional(text(REQUEST_LIMITS.reasonLengthMax)),
})

const steer: Read<SteerRequest> = object<SteerRequest>({
  action: required(oneOf(BREAKER_ACTIONS)),
  for_seconds: optional(number({ above: 0, whole: true, max: REQUEST_LIMITS.steerSecondsMax })),
  reason: required(text(REQUEST_LIMITS.steerReasonLengthMax)),
})

/** Body of `POST /v1/capacity/deployments/{id}`. */
export function parseSteer(body: unknown): Parsed<SteerRequest> {
  const read = parseWith(steer, body, 'body')
  if (read.kind === 'invalid') return read
  const { action, for_seconds: seconds } = read.value
  if ((action === 'auto') === (seconds === undefined)) return read
  const message =
    action === 'auto' ? 'has no meaning with auto' : `is missing: say for how long, at most 86400`
  return { kind: 'invalid', problems: [{ at: 'for_seconds', message }] }
}

/** Body of `POST /v1/tasks`. Problems belong under `request.invalid`. */
export function parseOpenTask(body: unknown): Parsed<OpenTaskRequest> {
  return parseWith(openTask, body, 'body')
}

/** Body of `POST /v1/tasks/{id}/permits`. */
export function parsePermit(body: unknown): Parsed<PermitRequest> {
  return parseWith(permit, body, 'body')
}

/** Body of `POST /v1/tasks/{id}/steps`. `Date.parse` reads the `started_at` of what this accepts. */
export function parseReportedStep(body: unknown): Parsed<ReportedStep> {
  const parsed = parseWith(reportedStep, body, 'body')
  if (parsed.kind === 'invalid' || (parsed.value.kind === 'model') === (parsed.value.on_device !== undefined))
    return parsed
  // Models behind Spillway are called through it: what they cost is measured there, not told.
  const message =
    parsed.value.kind === 'model'
      ? 'is missing: only model calls on a device are reported'
      : 'needs kind model'
  return { kind: 'invalid', problems: [{ at: 'on_device', message }] }
}

/** Body of `POST /v1/tasks/{id}/outcome`. */
export function parseOutcome(body: unknown): Parsed<OutcomeRequest> {
  return parseWith(outcome, body, 'body')
}

/** Value of the `x-spillway-attributes` header: a JSON object of facts. Problems name the header. */
export function parseAttributes(headerText: string): Parsed<Readonly<Record<string, unknown>>> {
  const at = REQUEST_HEADERS.attributes
  let value: unknown
  try {
    value = JSON.parse(headerText)
  } catch {
    // The parser's own message quotes the text, which may be personal.
    return {
      kind: 'invalid',
      problems: [{ at, message: 'is not JSON; send an object such as {"plan":"pro"}' }],
    }
  }
  return parseWith(attributes, value, at)
}
