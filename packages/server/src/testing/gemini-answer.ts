// A Gemini model's side of the conversation, for tests and fake servers: our answers -> bodies and frames of
// generateContent.

import { isObject, type JsonObject } from '../core/json.js'
import type { FinishReason, Part, TokenLogprob } from '../core/model/message.js'
import { type ReportedUsage, inputTotal } from '../core/money/token-counts.js'
import { asJsonObject, parseJson } from '../wire/fields.js'
import type { ModelAnswer, StreamEncoder } from '../wire/format.js'
import type { StreamEvent } from '../wire/stream-event.js'
import { ownSignature } from '../wire/gemini/signature.js'
import { dataFrame } from '../wire/sse.js'

const RAW = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  refusal: 'SAFETY',
  other: 'OTHER',
} as const satisfies Record<FinishReason, string>

export function encodeGeminiAnswer(answer: ModelAnswer): JsonObject {
  const refusal = answer.parts.find((part) => part.kind === 'refusal')
  return body(answer, {
    content: { role: 'model', parts: answer.parts.flatMap(encodePart) },
    finishReason: answer.rawFinishReason ?? RAW[answer.finishReason],
    ...(refusal === undefined ? {} : { finishMessage: refusal.text }),
    index: 0,
    ...(answer.logprobs === undefined ? {} : { logprobsResult: encodeLogprobs(answer.logprobs) }),
  })
}

/** What the API answers when it does not take a prompt. */
export function geminiBlockedAnswer(reason: string): JsonObject {
  return {
    promptFeedback: { blockReason: reason },
    usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 },
  }
}

/** `google.rpc.Status`, as every address of Google's answers. */
export function geminiError(code: number, status: string, message: string): JsonObject {
  return { error: { code, message, status } }
}

export function encodeGeminiUsage({ tokens }: ReportedUsage): JsonObject {
  const prompt = inputTotal(tokens)
  const candidates = tokens.output + tokens.audioOutput
  return {
    promptTokenCount: prompt,
    ...(tokens.cacheRead > 0 ? { cachedContentTokenCount: tokens.cacheRead } : {}),
    candidatesTokenCount: candidates,
    ...(tokens.reasoning > 0 ? { thoughtsTokenCount: tokens.reasoning } : {}),
    totalTokenCount: prompt + candidates + tokens.reasoning,
    ...(tokens.audioInput > 0 ? { promptTokensDetails: audio(tokens.audioInput) } : {}),
    ...(tokens.audioOutput > 0 ? { candidatesTokensDetails: audio(tokens.audioOutput) } : {}),
  }
}

function audio(tokenCount: number): readonly JsonObject[] {
  return [{ modality: 'AUDIO', tokenCount }]
}

function body(
  { id, model, usage }: Pick<ModelAnswer, 'id' | 'model' | 'usage'>,
  candidate: JsonObject | null,
): JsonObject {
  return {
    ...(candidate === null ? {} : { candidates: [candidate] }),
    ...(usage === null ? {} : { usageMetadata: encodeGeminiUsage(usage) }),
    modelVersion: model,
    responseId: id,
  }
}

function encodePart(part: Part): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return [{ text: part.text }]
    case 'reasoning': {
      const thought = part.text === '' ? { text: '' } : { text: part.text, thought: true }
      return [{ ...thought, ...signatureOf(part) }]
    }
    case 'tool-call':
      return [encodeCall(part)]
    default:
      return []
  }
}

type Call = Omit<Extract<Part, { kind: 'tool-call' }>, 'kind'>

function encodeCall({ id, name, argumentsJson, signature }: Call): JsonObject {
  const args = parseJson(argumentsJson)
  return {
    functionCall: { ...(id === '' ? {} : { id }), name, args: isObject(args) ? asJsonObject(args) : {} },
    ...signatureOf({ signature }),
  }
}

function signatureOf({ signature }: { readonly signature?: string | undefined }): JsonObject {
  const own = ownSignature(signature)
  return own === null ? {} : { thoughtSignature: own }
}

function encodeLogprobs(logprobs: readonly TokenLogprob[]): JsonObject {
  const one = (told: { readonly token: string; readonly logprob: number }) => ({
    token: told.token,
    logProbability: told.logprob,
  })
  return {
    chosenCandidates: logprobs.map(one),
    topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(one) })),
  }
}

/** Frames of `streamGenerateContent?alt=sse`. A call comes whole; the last frame has reason and usage. */
export function geminiEncoder(options: { readonly model: string }): StreamEncoder {
  return new GeminiEncoder(options.model)
}

class GeminiEncoder implements StreamEncoder {
  private id = ''
  private words: string | null = null
  private reason: string | null = null
  private usage: ReportedUsage | null = null
  private readonly calls = new Map<number, Call>()

  constructor(private readonly model: string) {}

  encode(event: StreamEvent): string {
    switch (event.kind) {
      case 'start':
        this.id = event.id
        return ''
      case 'text-delta':
        return this.piece({ text: event.text })
      case 'reasoning-delta':
        return this.piece({ text: event.text, thought: true })
      case 'reasoning-signature':
        return this.piece({ text: '', ...signatureOf(event) })
      case 'tool-call-start':
        this.calls.set(event.index, { ...event, argumentsJson: '' })
        return ''
      case 'tool-call-delta':
        return this.callDelta(event.index, event.argumentsJson)
      case 'refusal-delta':
        this.words = (this.words ?? '') + event.text
        return ''
      case 'finish':
        this.reason = event.raw ?? RAW[event.reason]
        return this.flush()
      case 'usage':
        this.usage = event.usage
        return ''
      case 'error':
        return dataFrame(
          JSON.stringify(geminiError(503, event.error.type ?? 'UNAVAILABLE', event.error.message)),
        )
      case 'end':
        return this.end()
      default:
        return ''
    }
  }

  private callDelta(index: number, json: string): string {
    const call = this.calls.get(index)
    if (call !== undefined) this.calls.set(index, { ...call, argumentsJson: call.argumentsJson + json })
    return ''
  }

  private end(): string {
    const words = this.words === null ? {} : { finishMessage: this.words }
    return this.frame({ content: { role: 'model' }, finishReason: this.reason ?? 'STOP', ...words, index: 0 })
  }

  private flush(): string {
    const parts = [...this.calls.values()].map(encodeCall)
    this.calls.clear()
    return parts.length === 0 ? '' : this.frame({ content: { role: 'model', parts }, index: 0 })
  }

  private piece(part: JsonObject): string {
    return this.flush() + this.frame({ content: { role: 'model', parts: [part] }, index: 0 })
  }

  private frame(candidate: JsonObject): string {
    return dataFrame(JSON.stringify(body({ id: this.id, model: this.model, usage: this.usage }, candidate)))
  }
}
