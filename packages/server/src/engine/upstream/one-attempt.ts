// One attempt, for which a hold is in the books: sent, read, and settled, however it ends.

import { jsonBytes } from '../json-bytes.js'
import type { Deployment, ModelEntry, ProviderConfig, Wire } from '../../core/release/release.js'
import type { AnswerFacts, ProviderError, StreamScanner } from '../../wire/format.js'
import { decodeEmbeddingsRequest, encodeEmbeddingsAnswer } from '../../wire/embeddings.js'
import { embeddingsFormatOf, providerFormatOf } from '../../wire/formats.js'
import { stripLogprobs } from '../../wire/strip-logprobs.js'
import { scannerBetween } from '../../wire/translate-stream.js'
import type { Answer, HeldEnd, StreamedEnd } from '../answer/answer.js'
import { type HeldAttempt, settle } from '../call-model/settle.js'
import type { Provider, UpstreamRequest } from '../ports.js'
import { type Step, timeLeftMs } from '../step-context.js'
import { whenDone } from '../when-done.js'
import type { AttemptWatch } from './attempt-watch.js'
import { type WholeAnswer, collectWhole } from './collect-whole.js'
import {
  evidence,
  failedEvidence,
  refusedEvidence,
  streamEvidence,
  wholeEvidence,
} from './attempt-evidence.js'
import { type AttemptFailure, failureOf, httpFailure, withoutSecrets } from './attempt-failure.js'
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
  /** Set before it is sent; null: no other deployment or model could do better. */
  watch: AttemptWatch | null
}

export type AttemptEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }

export async function oneAttempt(step: Step, ask: AttemptAsk): Promise<AttemptEnd> {
  const { held } = ask
  try {
    const ending = ask.stream
      ? afterStream(step, ask, await stream(step, ask))
      : afterWhole(step, ask, await whole(step, ask))
    return ending instanceof Promise ? await ending : ending
  } catch (fault) {
    const isSettled = step.attempts.some(({ id }) => id === held.reservation.id)
    if (!isSettled)
      await settle(step, held, evidence({ end: 'fault', status: 0, ran: 'maybe', firstByteMs: null }))
    throw fault
  } finally {
    ask.watch?.over()
    // Settled, it is over already; what could not be settled must not keep its place.
    step.engine.capacity.giveBack(held.place)
  }
}

function upstreamRequest(step: Step, ask: AttemptAsk, leftMs: number): UpstreamRequest {
  return {
    wire: ask.wire,
    model: ask.held.deployment.model,
    body: ask.body,
    stream: ask.stream,
    headers: ask.wire === step.call.wire && ask.config.kind !== 'vertex' ? step.call.upstreamHeaders : {},
    headTimeoutMs: Math.min(ask.config.timeoutMs, leftMs),
    idleTimeoutMs: Math.min(ask.config.timeoutMs, leftMs),
  }
}

function whole(step: Step, ask: AttemptAsk): Promise<WholeAnswer> {
  const { system } = step.engine
  const leftMs = timeLeftMs(step)
  const request = upstreamRequest(step, ask, leftMs)
  return collectWhole({ provider: ask.provider, request, system, leftMs, watch: ask.watch })
}

function afterWhole(step: Step, ask: AttemptAsk, raw: WholeAnswer): AttemptEnd | Promise<AttemptEnd> {
  const { held } = ask
  const { status } = raw
  if (raw.kind === 'failed') {
    const failure = failureOf(ask, { end: endOf(raw.failure, status), status, detail: raw.detail })
    return whenDone(settle(step, held, failedEvidence(raw)), () => ({ kind: 'failed', failure }))
  }
  const { headers } = raw
  const read = status === 200 ? readWhole(step, ask, raw.body) : null
  if (read === null) {
    const failure = httpFailure(step, ask, raw)
    const settled = settle(step, held, refusedEvidence(raw, failure))
    return whenDone(settled, () => ({ kind: 'failed', failure }))
  }
  if (read.facts.failure) {
    // Paid for all the same.
    const failed = { ...wholeEvidence(read.facts, raw), end: 'invalid_body' }
    const failure = { ...failureOf(ask, { end: 'invalid_body', status }), error: read.facts.failure }
    return whenDone(settle(step, held, failed), () => ({ kind: 'failed', failure }))
  }
  if (ask.watch?.win() === false) {
    // It came in the same instant as the one that won, and has cost what it says.
    const failure = failureOf(ask, { end: 'hedge_lost', status })
    const lost = { ...wholeEvidence(read.facts, raw), end: failure.end }
    return whenDone(settle(step, held, lost), () => ({ kind: 'failed', failure }))
  }
  const answer = wholeAnswer(ask, { read, headers })
  const settled = settle(step, held, wholeEvidence(read.facts, raw))
  return whenDone(settled, () => ({ kind: 'answered', answer }))
}

function wholeAnswer(
  ask: AttemptAsk,
  from: { read: ReadAnswer; headers: Readonly<Record<string, string>> },
): Answer {
  const { model, deployment, reservation } = ask.held
  const { facts, body } = from.read
  const { shrunk } = reservation
  return { kind: 'whole', model, deployment, shrunk, facts: () => facts, body, headers: from.headers }
}

interface ReadAnswer {
  readonly facts: AnswerFacts
  readonly body: Uint8Array
}

/** The facts of an answer, and its bytes in the caller's format. null: not an answer at all. */
function readWhole(step: Step, ask: AttemptAsk, body: Uint8Array): ReadAnswer | null {
  const json = parseJson(body)
  const theirs = providerFormatOf(ask.wire)
  const facts = json === undefined ? null : theirs.readAnswer(json)
  if (facts === null) return null
  if (ask.wire === step.call.wire) {
    const mended = theirs.mendAnswer?.(json) ?? null
    const passed = mended === null ? body : jsonBytes(mended)
    return { facts, body: ask.stripLogprobs ? stripped(ask, passed) : passed }
  }
  if (step.call.wire === 'openai-embeddings') return readVectors(step, ask, { json, facts })
  const decoded = theirs.decodeAnswer(json)
  if (decoded === null) return null
  // Not every format gives its answers an id, or names the model. And where answers are found again by their
  // id it is ours: some servers number theirs from 1 to 999.
  const isKept = step.call.wire === 'openai-responses'
  const id = isKept || decoded.id === '' ? newAnswerId(step) : decoded.id
  const named = { ...decoded, id, model: decoded.model || ask.held.deployment.model }
  const answer = ask.stripLogprobs ? { ...named, logprobs: [] } : named
  const createdSeconds = Math.floor(step.startedMs / 1000)
  const encoded = step.format.encodeAnswer(answer, createdSeconds, step.request.json)
  return { facts, body: jsonBytes(encoded) }
}

/** As an answer is that nobody asked for log probabilities. */
function stripped({ wire }: AttemptAsk, body: Uint8Array): Uint8Array {
  return stripLogprobs(body, wire === 'openai-responses' ? '[]' : 'null')
}

/** Vectors in OpenAI's form. Tokens that the provider does not tell are shown as they were estimated. */
function readVectors(
  step: Step,
  ask: AttemptAsk,
  { json, facts }: { readonly json: unknown; readonly facts: AnswerFacts },
): ReadAnswer | null {
  const answer = embeddingsFormatOf(ask.wire)?.decodeEmbeddings(json) ?? null
  const request = decodeEmbeddingsRequest(step.request.json)
  if (answer === null || request.kind === 'invalid') return null
  const inputTokens = answer.inputTokens ?? ask.held.reservation.estimatedInput
  const encoded = encodeEmbeddingsAnswer({ ...answer, inputTokens }, request.value)
  return { facts, body: jsonBytes(encoded) }
}

function newAnswerId({ engine }: Step): string {
  return engine.system.newId('message')
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

interface Streamed {
  readonly pumped: PumpedStream
  readonly scanner: StreamScanner
}

async function stream(step: Step, ask: AttemptAsk): Promise<Streamed> {
  const { held } = ask
  const leftMs = timeLeftMs(step)
  const scanner = scannerBetween({
    from: ask.wire,
    to: step.call.wire,
    model: held.deployment.model,
    answerId: ask.wire === step.call.wire ? '' : newAnswerId(step),
    createdSeconds: Math.floor(step.startedMs / 1000),
    estimatedInputTokens: held.reservation.estimatedInput,
    request: step.request.json,
    keepUsage: step.request.view.includeUsage,
    keepLogprobs: !ask.stripLogprobs,
    collect: ask.collect,
  })
  const pumped = await pumpStream({
    provider: ask.provider,
    request: upstreamRequest(step, ask, leftMs),
    system: step.engine.system,
    scanner,
    caller: step.caller,
    leftMs,
    outputTokensMax: held.outputTokensMax,
    holdBack: ask.holdBack,
    keep: ask.keep,
    watch: ask.watch,
    begin() {
      step.scanner = scanner
      ask.begin(held.deployment, held.model)
    },
    generated: (frames, nowMs) => step.engine.capacity.generated(held.place, frames, nowMs),
  })
  // Held back, it has not begun.
  if (ask.watch?.hasLost !== true) step.scanner = scanner
  return { pumped, scanner }
}

function afterStream(step: Step, ask: AttemptAsk, from: Streamed): AttemptEnd | Promise<AttemptEnd> {
  const { fault, end } = from.pumped
  const failure =
    end.kind === 'not-a-stream' ? httpFailure(step, ask, { ...from.pumped, body: end.body }) : null
  const shown = streamEvidence(from.pumped, failure)
  return whenDone(settle(step, ask.held, shown), (): AttemptEnd => {
    if (fault !== null) throw fault.error
    return failure === null ? streamEnd(step, ask, from) : { kind: 'failed', failure }
  })
}

function streamEnd(step: Step, ask: AttemptAsk, from: Streamed): AttemptEnd {
  const { pumped, scanner } = from
  const { model, deployment } = ask.held
  const { end } = pumped
  const facts = () => factsOfStream(pumped)
  const error = pumped.facts.error === null ? null : withoutSecrets(step, ask, pumped.facts.error)
  if (pumped.committed) {
    const answer: Answer = {
      kind: 'streamed',
      model,
      deployment,
      shrunk: ask.held.reservation.shrunk,
      facts,
      scanner,
      kept: pumped.kept,
      end: endOfStream(end, error),
    }
    return { kind: 'answered', answer }
  }
  if (end.kind === 'complete' || (end.kind === 'cut' && pumped.facts.deltas > 0)) {
    return { kind: 'answered', answer: heldAnswer(ask, { pumped, scanner, facts, end }) }
  }
  const detail = end.kind === 'failed' ? { detail: error?.message ?? end.detail } : {}
  const failure = failureOf(ask, { end: failedEnd(pumped), status: pumped.status, error, ...detail })
  return { kind: 'failed', failure }
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

function endOfStream(end: PumpedStream['end'], error: ProviderError | null): StreamedEnd {
  switch (end.kind) {
    case 'failed':
      return { kind: 'failed', end: end.end, error }
    case 'not-a-stream':
      return { kind: 'failed', end: 'invalid_body', error }
    default:
      return end
  }
}

function failedEnd({ end }: PumpedStream): string {
  if (end.kind === 'failed') return end.end
  if (end.kind === 'caller-left') return 'caller_left'
  return end.kind === 'cut' && end.by === 'deadline' ? 'timeout' : 'broken_stream'
}
