// What every wire format can do: the face of this room. One module per format implements it; all are pure.
// Same wire in and out: `view`, `patch`, `readAnswer` and a scanner, and the bytes pass through.
// Different wires: decode with the caller's format, encode with the provider's, and back for the answer.
// A format that no caller speaks needs the provider's half only.

import type { JsonObject } from '../core/json.js'
import type { FinishReason, ModelRequest, Part, TokenLogprob } from '../core/model/message.js'
import type { ReportedUsage } from '../core/money/token-counts.js'
import type { Parsed } from '../core/parsed.js'
import type { CallerPlaces } from './caller-place.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import type { ProviderError, StreamEvent } from './stream-event.js'

export type { ProviderError } from './stream-event.js'

/** What the stages need to know of a request, whatever its format. */
export interface RequestView {
  readonly model: string
  readonly stream: boolean
  /** The caller's own limit on output tokens, or null. */
  readonly maxOutputTokens: number | null
  /** OpenAI chat: `stream_options.include_usage`. Elsewhere always true. */
  readonly includeUsage: boolean
  readonly wantsLogprobs: boolean
  /** Answers asked for at once (`n`). Each may be `maxOutputTokens` long. Default 1. */
  readonly choices: number
  readonly hasTools: boolean
  readonly hasImages: boolean
  /** JSON Schema the answer must follow, or null. `{}` for "any JSON object". */
  readonly jsonSchema: JsonObject | null
  /** `prompt_cache_key`, when given. */
  readonly cacheKey: string | null
  readonly user: string | null
  /**
   * UTF-8 bytes of everything the model reads: messages, system, tools, schema; data of images and documents
   * left out.
   */
  readonly promptBytes: number
  readonly imageCount: number
  /** Of documents that are no text, as far as their length tells. */
  readonly documentPages: number
}

/** Edits of a same-wire body, spliced into the original bytes: every other byte stays as it was. */
export interface RequestChanges {
  readonly model?: string
  /** Sets the limit under the name the body already uses, else under `maxTokensKey`. */
  readonly maxOutputTokens?: number
  readonly maxTokensKey?: 'max_tokens' | 'max_completion_tokens'
  /** OpenAI: asks for the final usage chunk. */
  readonly includeUsage?: true
  /** OpenAI: asks for log probabilities. */
  readonly logprobs?: true
  readonly stream?: boolean
  /** OpenAI responses: the provider keeps nothing; what is kept is kept here. */
  readonly store?: false
  /** OpenAI responses: asks for what the model thought, encrypted, so that it can be shown again. */
  readonly encryptedThoughts?: true
  /** OpenAI: prompts that begin alike are kept together. */
  readonly promptCacheKey?: string
  /** Replaces the whole conversation (`messages`): for `shorter_context`. */
  readonly messages?: readonly unknown[]
}

/** What the stages need to know of a whole answer. */
export interface AnswerFacts {
  /** The model tried and failed to answer (Gemini: a call that is none): paid for, but no answer. */
  readonly failure?: ProviderError | null
  readonly id: string | null
  /** Text of the first choice, all text parts joined. */
  readonly text: string
  readonly finishReason: FinishReason | null
  readonly usage: ReportedUsage | null
  readonly toolCalls: readonly {
    readonly id: string
    readonly name: string
    readonly argumentsJson: string
  }[]
  /** exp(mean(logprob)) over the answer's tokens, 0..1, or null when the answer has none. */
  readonly meanTokenProbability: number | null
  readonly refusal: string | null
}

/** An answer as our types: for crossing formats. */
export interface ModelAnswer {
  readonly id: string
  readonly model: string
  readonly parts: readonly Part[]
  readonly finishReason: FinishReason
  /** The provider's own word for the finish reason. */
  readonly rawFinishReason: string | null
  readonly stopSequence: string | null
  readonly usage: ReportedUsage | null
  /** Of the answer's text, where the format has them and they were asked for. */
  readonly logprobs?: readonly TokenLogprob[]
}

/** Reads a provider's stream without rebuilding it: which bytes may pass, and what was in them. */
export interface StreamScanner {
  /**
   * Takes the next bytes as they arrive, split anywhere. Returns the bytes to pass on now: whole frames only,
   * with what the caller did not ask for taken out (usage chunk, logprobs). The frames from the finish on
   * that may still be spliced (final usage chunk, end marker) are kept back until `finish`.
   */
  push(chunk: Uint8Array): Uint8Array | null
  /**
   * Call when the body ended. Returns the frames kept back, with `extra` (JSON text) spliced into the final
   * usage chunk as `"spillway"` when there is one and the caller asked for usage.
   */
  finish(extra: string | null): Uint8Array | null
  /**
   * The provider's body ended: a format without an end marker in band learns it here. Before `finish`, which
   * only a stream that ended well sees.
   */
  endOfBody?(): void
  /**
   * Our events for what the last `push` or `endOfBody` brought, once: where reading is dear, a translation
   * asks for these and does not read the same bytes again.
   */
  takeEvents?(): readonly StreamEvent[]
  /** What has been seen so far; cheap to read at any time. */
  readonly facts: StreamFacts
  /**
   * Beside `takeEvents`, for frames that are no server-sent events: between which bytes of `chunk` a frame
   * says what it says, when it is one undamaged frame and nothing of another is left. null: it is not.
   */
  insideOf?(chunk: Uint8Array): Inside | null
  /**
   * Beside `takeEvents` and `wentBy`: which numbers of `chunk` may be others when the rest comes again, as it
   * is one frame that was just read. null: it may mean something else when it comes again.
   */
  countsIn?(chunk: Uint8Array): readonly Inside[] | null
  /**
   * One more frame like the last went by, with other words (so many bytes of UTF-8) and other counts. Its
   * words are told later (`caughtUp`), before anything else is asked.
   */
  wentBy?(frame: Uint8Array, bytes: number): void
  /** As of the encoder. */
  caughtUp?(words: string, frames: number): void
  /** The answer as one body, once the stream has ended, where its last frame tells it (OpenAI responses). */
  whole?(): JsonObject | null
}

/** Of a chunk of bytes. */
export interface Inside {
  readonly start: number
  readonly end: number
}

export interface StreamFacts {
  /** The end marker was seen, or, in a format without one, the body ended where a stream may end. */
  readonly ended: boolean
  readonly error: ProviderError | null
  /** Frames that carried generated content: close to the number of tokens. */
  readonly deltas: number
  readonly finishReason: FinishReason | null
  readonly usage: ReportedUsage | null
  /**
   * What was said of the input before anything was generated (Anthropic), or of everything so far (Gemini):
   * for estimates of streams that broke.
   */
  readonly startUsage?: ReportedUsage | null
  /** Collected only when asked for (`collect`), else empty/null. */
  readonly text: string
  readonly toolCalls: AnswerFacts['toolCalls']
  readonly meanTokenProbability: number | null
  /** A frame that is not of this format was seen (HTML, garbage JSON). */
  readonly malformed: boolean
}

export interface ScannerOptions {
  /** Pass the usage chunk on to the caller. */
  readonly keepUsage: boolean
  readonly keepLogprobs: boolean
  /** Collect text, tool calls and log probabilities: costs a parse per frame. */
  readonly collect: boolean
  /** The provider's name for the model, where what its stream means depends on it (Bedrock). */
  readonly model?: string
}

/** Encodes our stream events as frames of a format. Stateful: one per stream. */
export interface StreamEncoder {
  /** Frames for this event, possibly none. */
  encode(event: StreamEvent): string
  /**
   * One more delta like the last event's went by it, of so many characters. For encoders whose frame of such
   * a delta depends on nothing but its words: then only these are exchanged (`frame-shortcut.ts`). Absent:
   * every event is encoded.
   */
  wentBy?(chars: number): void
  /**
   * The same for encoders that also number their frames (`sequence_number`) and have to repeat the words in
   * the end: so many deltas went by, with these words together. Told before anything else is asked.
   */
  caughtUp?(words: string, frames: number): void
}

export interface StreamDecoder {
  push(chunk: Uint8Array): readonly StreamEvent[]
  /** The stream ended well, by its scanner's facts: the events that waited for that, or for more bytes. */
  finish?(): readonly StreamEvent[]
  /** As of the encoder. Absent: every frame is decoded. */
  wentBy?(chars: number): void
}

/** An error as `http/` sends it: the format only gives it its shape. */
export interface ErrorBody {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly hint: string
  readonly taskId: string | null
  readonly requestId: string
  /** Upstream attempts that failed, without secrets. */
  readonly attempts?: readonly {
    readonly deployment: string
    readonly status: number
    readonly end: string
    readonly message?: string
  }[]
  readonly problems?: readonly { readonly at: string; readonly message: string }[]
}

/** A format as a provider speaks it: requests go out, answers come back. */
export interface ProviderFormat {
  readonly wire: Wire
  /** Problems name the field that this format cannot express. */
  encodeRequest(request: ModelRequest): Parsed<JsonObject>
  /** Places in `request` that this format has no word for and may leave out: hints, in our types' names. */
  leavesOut(request: ModelRequest): readonly string[]
  /** null: not an answer of this format (HTML, an error object, garbage). */
  readAnswer(body: unknown): AnswerFacts | null
  decodeAnswer(body: unknown): ModelAnswer | null
  /**
   * An answer as strict clients of this format need it, where servers that imitate it are looser. null, or no
   * such function: as it is.
   */
  mendAnswer?(body: unknown): JsonObject | null
  scanner(options: ScannerOptions): StreamScanner
  decoder(): StreamDecoder
  readError(status: number, body: string): ProviderError
}

/** A format as callers speak it too. */
export interface WireFormat extends ProviderFormat {
  readonly wire: CallerWire
  view(body: unknown): Parsed<RequestView>
  patch(body: Uint8Array, changes: RequestChanges): Uint8Array
  /**
   * Same wire: the conversation (as of `RequestChanges.messages`) without what other providers proved their
   * thoughts with, which this format's own provider refuses. null: there is nothing of the kind.
   */
  withoutForeignProofs(request: {
    readonly json: unknown
    readonly body: Uint8Array
  }): readonly unknown[] | null
  decodeRequest(body: unknown): Parsed<ModelRequest>
  /** Where in `body` the fields and parts of the decoded request stand: for problems that name them. */
  places(body: unknown): CallerPlaces
  /** Places in `body` of hints that our types do not hold: no other format is told of them. */
  unsaid(body: unknown): readonly string[]
  /**
   * `createdSeconds`: since 1970, for formats whose answers carry a time. `request`: the caller's parsed
   * body, for formats whose answers repeat it; what it leaves out is answered with the format's defaults.
   */
  encodeAnswer(answer: ModelAnswer, createdSeconds: number, request?: unknown): JsonObject
  encoder(options: {
    readonly model: string
    readonly includeUsage: boolean
    readonly createdSeconds: number
    /** As for `encodeAnswer`. */
    readonly request?: unknown
  }): StreamEncoder
  /**
   * Frames that end a stream early but properly: finish reason "length", usage if known, end marker. A format
   * whose scanner knows the `whole` answer knows the cut one from then on, and says the same when asked
   * again.
   */
  cutFrames(scanner: StreamScanner): string
  encodeError(error: ErrorBody): JsonObject
  /**
   * The frame that says in band that the stream broke. No end marker follows. `scanner`: of what was sent
   * before it, for formats that number their frames.
   */
  errorFrame(error: ErrorBody, scanner?: StreamScanner | null): string
}
