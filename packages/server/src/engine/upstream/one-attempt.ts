// One attempt: written down as a hold, sent, read, and settled, however it ends.

import type { Deployment, ModelEntry, ProviderConfig, Wire } from '../../core/release/release.js'
import type { AnswerFacts, StreamScanner } from '../../wire/format.js'
import { formatOf } from '../../wire/formats.js'
import { stripLogprobs } from '../../wire/strip-logprobs.js'
import { scannerBetween } from '../../wire/translate-stream.js'
import type { Answer, HeldEnd, StreamedEnd } from '../answer/answer.js'
import { type HeldAttempt, settle } from '../call-model/settle.js'
import { record } from '../engine.js'
import type { Provider, UpstreamRequest } from '../ports.js'
import { type Step, timeLeftMs } from '../step-context.js'
import { collectWhole } from './collect-whole.js'
import { evidence, failedEvidence, notStreamEnd, streamEvidence } from './attempt-evidence.js'
import { type AttemptFailure, failureOf, httpFailure } from './attempt-failure.js'
import { type PumpedStream, endOf, pumpStream } from './pump-stream.js'

export interface AttemptAsk {
  readonly held: HeldAttempt
  readonly provider: Provider
  readonly config: ProviderConfig
  readonly wire: Wire
  readonly body: Uint8Array
  readonly stream: boolean
  readonly holdBack: boolean
  readonly keep: boolean
  readonly collect: boolean
  /** We asked for log probabilities and the caller did not. */
  readonly stripLogprobs: boolean
  /** Sends the response head at the commit of a stream. */
  readonly begin: (deployment: Deployment, model: ModelEntry) => void
}

export type AttemptEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }

export async function oneAttempt(step: Step, ask: AttemptAsk): Promise<AttemptEnd> {
  const { held } = ask
  writeHold(step, held)
  try {
    return ask.stream ? await streamed(step, ask) : await whole(step, ask)
  } catch (fault) {
    const isSettled = step.attempts.some(({ id }) => id === held.reservation.id)
    if (!isSettled)
      await settle(step, held, evidence({ end: 'fault', status: 0, ran: 'maybe', firstByteMs: null }))
    throw fault
  }
}

function writeHold(step: Step, held: HeldAttempt): void {
  record(step.engine, {
    kind: 'hold-made',
    id: held.reservation.hold,
    atMs: held.startedMs,
    task: step.task.id,
    step: step.id,
    stepNumber: step.number,
    accounts: held.reservation.accounts,
    amounts: held.reservation.amounts,
    attempt: { id: held.reservation.id, number: held.number, purpose: held.purpose },
    model: held.model.name,
    deployment: held.deployment.id,
    provider: held.deployment.provider,
    tier: held.model.tier,
    priceBook: held.deployment.price?.book ?? null,
    simulated: held.simulated,
  })
}

function upstreamRequest(step: Step, ask: AttemptAsk): UpstreamRequest {
  const leftMs = timeLeftMs(step)
  return {
    wire: ask.wire,
    model: ask.held.deployment.model,
    body: ask.body,
    stream: ask.stream,
    headers: ask.wire === step.call.wire ? step.call.upstreamHeaders : {},
    headTimeoutMs: Math.min(ask.config.timeoutMs, leftMs),
    idleTimeoutMs: Math.min(ask.config.timeoutMs, leftMs),
  }
}

async function whole(step: Step, ask: AttemptAsk): Promise<AttemptEnd> {
  const { held, provider } = ask
  const { system } = step.engine
  const request = upstreamRequest(step, ask)
  const raw = await collectWhole({ provider, request, system, leftMs: timeLeftMs(step) })
  if (raw.kind === 'failed') {
    await settle(step, held, failedEvidence(raw))
    return {
      kind: 'failed',
      failure: failureOf(ask, { end: endOf(raw.failure, raw.status), status: raw.status }),
    }
  }
  const read = raw.status === 200 ? readWhole(step, ask, raw.body) : null
  if (read === null) {
    const end = raw.status === 200 ? 'invalid_body' : `http_${raw.status}`
    await settle(step, held, evidence({ end, status: raw.status, ran: 'no', firstByteMs: raw.firstByteMs }))
    return { kind: 'failed', failure: httpFailure(step, ask, { ...raw, end }) }
  }
  await settle(step, held, {
    end: 'ok',
    status: 200,
    firstByteMs: raw.firstByteMs,
    reported: read.facts.usage,
    deltas: 0,
    textBytes: Buffer.byteLength(read.facts.text),
    streamed: false,
    ran: 'yes',
  })
  const { model, deployment } = held
  const facts = () => read.facts
  const { shrunk } = held.reservation
  return {
    kind: 'answered',
    answer: { kind: 'whole', model, deployment, shrunk, facts, body: read.body, headers: raw.headers },
  }
}

/** The facts of an answer, and its bytes in the caller's format. null: not an answer at all. */
function readWhole(
  step: Step,
  ask: AttemptAsk,
  body: Uint8Array,
): { facts: AnswerFacts; body: Uint8Array } | null {
  const json = parseJson(body)
  const theirs = formatOf(ask.wire)
  const facts = json === undefined ? null : theirs.readAnswer(json)
  if (facts === null) return null
  if (ask.wire === step.call.wire) return { facts, body: ask.stripLogprobs ? stripLogprobs(body) : body }
  const answer = theirs.decodeAnswer(json)
  if (answer === null) return null
  return {
    facts,
    body: Buffer.from(JSON.stringify(step.format.encodeAnswer(answer, Math.floor(step.startedMs / 1000)))),
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

async function streamed(step: Step, ask: AttemptAsk): Promise<AttemptEnd> {
  const { held } = ask
  const scanner = scannerBetween({
    from: ask.wire,
    to: step.call.wire,
    model: held.deployment.model,
    createdSeconds: Math.floor(step.startedMs / 1000),
    estimatedInputTokens: held.reservation.estimatedInput,
    keepUsage: step.request.view.includeUsage,
    keepLogprobs: !ask.stripLogprobs,
    collect: ask.collect,
  })
  const pumped = await pumpStream({
    provider: ask.provider,
    request: upstreamRequest(step, ask),
    system: step.engine.system,
    scanner,
    caller: step.caller,
    leftMs: timeLeftMs(step),
    outputTokensMax: held.outputTokensMax,
    holdBack: ask.holdBack,
    keep: ask.keep,
    begin: () => ask.begin(held.deployment, held.model),
  })
  await settle(step, held, streamEvidence(pumped))
  if (pumped.fault !== null) throw pumped.fault.error
  return streamEnd(step, ask, { pumped, scanner })
}

function streamEnd(
  step: Step,
  ask: AttemptAsk,
  from: { pumped: PumpedStream; scanner: StreamScanner },
): AttemptEnd {
  const { pumped, scanner } = from
  const { model, deployment } = ask.held
  const { end } = pumped
  if (end.kind === 'not-a-stream') {
    const raw = {
      status: pumped.status,
      headers: pumped.headers,
      body: end.body,
      end: notStreamEnd(pumped.status),
    }
    return { kind: 'failed', failure: httpFailure(step, ask, raw) }
  }
  const facts = () => factsOfStream(pumped)
  if (pumped.committed) {
    const answer: Answer = {
      kind: 'streamed',
      model,
      deployment,
      shrunk: ask.held.reservation.shrunk,
      facts,
      scanner,
      kept: pumped.kept,
      end: endOfStream(end),
    }
    return { kind: 'answered', answer }
  }
  if (end.kind === 'complete' || (end.kind === 'cut' && pumped.facts.deltas > 0)) {
    return { kind: 'answered', answer: heldAnswer(ask, { pumped, scanner, facts, end }) }
  }
  const failure = failureOf(ask, { end: failedEnd(pumped), status: pumped.status })
  return { kind: 'failed', failure: { ...failure, error: pumped.facts.error } }
}

function heldAnswer(
  ask: AttemptAsk,
  from: { pumped: PumpedStream; scanner: StreamScanner; facts: () => AnswerFacts; end: HeldEnd },
): Answer {
  const { model, deployment } = ask.held
  const { facts, scanner, end } = from
  const { shrunk } = ask.held.reservation
  return { kind: 'held', model, deployment, shrunk, facts, frames: from.pumped.held, scanner, end }
}

/** Text and tool calls are there only when the plan said to collect them. */
function factsOfStream({ facts }: PumpedStream): AnswerFacts {
  const { text, finishReason, usage, toolCalls, meanTokenProbability } = facts
  return { id: null, text, finishReason, usage, toolCalls, meanTokenProbability, refusal: null }
}

function endOfStream(end: PumpedStream['end']): StreamedEnd {
  switch (end.kind) {
    case 'failed':
      return { kind: 'failed', end: end.end }
    case 'not-a-stream':
      return { kind: 'failed', end: 'invalid_body' }
    default:
      return end
  }
}

function failedEnd({ end }: PumpedStream): string {
  if (end.kind === 'failed') return end.end
  if (end.kind === 'caller-left') return 'caller_left'
  return end.kind === 'cut' && end.by === 'deadline' ? 'timeout' : 'broken_stream'
}
