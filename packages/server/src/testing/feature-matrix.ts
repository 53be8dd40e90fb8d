// Which feature goes through which pair of formats: derived by sending it through, for docs/wire-formats.md.

import { isDeepStrictEqual } from 'node:util'
import type { ModelRequest } from '../core/model/message.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import { answerOf, eventsOf } from '../wire/answer-events.js'
import type { ModelAnswer, ProviderFormat, WireFormat } from '../wire/format.js'
import { CALLER_WIRES, PROVIDER_WIRES, formatOf, providerFormatOf } from '../wire/formats.js'
import { dataFrame } from '../wire/sse.js'
import { scannerBetween } from '../wire/translate-stream.js'
import { ANSWER_FEATURES, type AnswerFeature } from './answer-features.js'
import { converseFrames } from './converse-frames.js'
import { FOREIGN_ANSWERS } from './foreign-answers.js'
import { ANY_MODEL, REQUEST_FEATURES, type RequestFeature } from './request-features.js'

/** Embeddings cross to no other format. */
const isChat = (wire: Wire): boolean => !wire.includes('embed')
const CALLERS = CALLER_WIRES.filter(isChat)
const PROVIDERS = PROVIDER_WIRES.filter(isChat)

/** Where a format is of several makers' models, one of them. */
const MODELS: Partial<Record<Wire, string>> = {
  'bedrock-converse': 'anthropic.claude-sonnet-4-5-20250929-v1:0',
}

export type Cell = 'yes' | 'hint' | 'no' | 'lost' | 'whole only' | '-'

/** Both tables of every caller, as Markdown. */
export function featureTables(): string {
  return CALLERS.map((caller) =>
    [
      `### Asked in ${caller}`,
      table('request', REQUEST_FEATURES, (feature, wire) => requestCell(feature, caller, wire)),
      `### Answered in ${caller}`,
      table('answer', ANSWER_FEATURES, (feature, wire) => answerCell(feature, caller, wire)),
    ].join('\n\n'),
  ).join('\n\n')
}

function table<T extends { readonly name: string }>(
  title: string,
  features: readonly T[],
  cell: (feature: T, wire: Wire) => Cell,
): string {
  const rows = features.map((feature) => [feature.name, ...PROVIDERS.map((wire) => cell(feature, wire))])
  const lines = [[title, ...PROVIDERS], PROVIDERS.concat(PROVIDERS[0] ?? []).map(() => '---'), ...rows]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

export function requestCell(feature: RequestFeature, caller: CallerWire, wire: Wire): Cell {
  const from = formatOf(caller)
  const asked = feature.requests.map((request) => saidBy(from, request)).find((one) => one !== null)
  const body = asked ?? feature.bodies?.[caller]
  if (body === undefined) return '-'
  if (caller === wire) {
    const own = from.withoutForeignProofs({ json: body, body: Buffer.from(JSON.stringify(body)) })
    return own === null ? 'yes' : 'hint'
  }
  const decoded = from.decodeRequest(body)
  if (decoded.kind === 'invalid') return 'no'
  const to = providerFormatOf(wire)
  const { model } = decoded.value
  const request = { ...decoded.value, model: model === ANY_MODEL ? (MODELS[wire] ?? model) : model }
  if (to.encodeRequest(request).kind === 'invalid') return 'no'
  return to.leavesOut(request).length + from.unsaid(body).length > 0 ? 'hint' : 'yes'
}

/** The caller's body that asks for exactly this; null when its format cannot. */
function saidBy(format: WireFormat, request: ModelRequest): unknown {
  const encoded = format.encodeRequest(request)
  if (encoded.kind === 'invalid') return null
  const decoded = format.decodeRequest(overJson(encoded.value))
  const again = decoded.kind === 'ok' ? { ...decoded.value, includeUsage: request.includeUsage } : null
  return isDeepStrictEqual(again, request) ? overJson(encoded.value) : null
}

export function answerCell(feature: AnswerFeature, caller: CallerWire, wire: Wire): Cell {
  const provider = providerFormatOf(wire)
  const body = answerBody(provider, feature)
  const decoded = body === null ? null : provider.decodeAnswer(body)
  if (decoded === null || !feature.isIn(decoded)) return '-'
  const to = formatOf(caller)
  const told = to.decodeAnswer(overJson(to.encodeAnswer(decoded, 1)))
  const whole = caller === wire || (told !== null && feature.isIn(told))
  if (!whole) return 'lost'
  const read = streamed(streamOf(provider, { body, answer: feature.answer, decoded }), provider, to)
  return read !== null && feature.isIn(read) ? 'yes' : 'whole only'
}

function answerBody(provider: ProviderFormat, { name, answer }: AnswerFeature): unknown {
  if (isSpoken(provider)) return overJson(provider.encodeAnswer(answer, 1))
  const bodies = FOREIGN_ANSWERS[provider.wire]
  if (bodies === undefined) throw new Error(`testing/foreign-answers.ts has no answers of ${provider.wire}`)
  return bodies[name] ?? null
}

interface Told {
  readonly body: unknown
  readonly answer: ModelAnswer
  readonly decoded: ModelAnswer
}

/** The same answer as the provider streams it. */
function streamOf(provider: ProviderFormat, { body, answer, decoded }: Told): Uint8Array {
  // A piece of Gemini's stream is an answer like any other.
  if (provider.wire === 'gemini') return Buffer.from(dataFrame(JSON.stringify(body)))
  if (!isSpoken(provider)) return converseFrames(eventsOf(decoded))
  const encoder = provider.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
  const frames = eventsOf(answer).map((event) => encoder.encode(event))
  return Buffer.from(frames.join(''))
}

function streamed(stream: Uint8Array, provider: ProviderFormat, to: WireFormat): ModelAnswer | null {
  const scanner = scannerBetween({
    from: provider.wire,
    to: to.wire,
    model: 'm',
    answerId: 'a',
    createdSeconds: 1,
    estimatedInputTokens: 0,
    keepUsage: true,
    keepLogprobs: true,
    collect: false,
  })
  const passed = scanner.push(stream) ?? []
  scanner.endOfBody?.()
  const bytes = [passed, scanner.finish(null) ?? []].map((piece) => Buffer.from(piece))
  return answerOf(to.decoder().push(Buffer.concat(bytes)))
}

function isSpoken(format: ProviderFormat): format is WireFormat {
  return 'encodeAnswer' in format
}

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
