// A scanner for a stream whose provider and caller speak different formats. Its facts come from the
// provider's frames; what it passes on goes through a scanner of the caller's format, which keeps back the
// final usage and the end marker exactly as it does for a stream of its own.

import { NO_TOKENS, type ReportedUsage } from '../core/money/token-counts.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import type { ScannerOptions, StreamDecoder, StreamEncoder, StreamFacts, StreamScanner } from './format.js'
import type { StreamEvent } from './stream-event.js'
import { formatOf, providerFormatOf } from './formats.js'
import { FrameShortcut } from './frame-shortcut.js'
import { PassedWords } from './passed-words.js'
import { GrowingFacts, type RelayingScanner } from './scan-frames.js'
import { asBuffer } from './sse.js'

export interface ScannerBetween extends ScannerOptions {
  /** The provider's format. */
  readonly from: Wire
  /** The caller's format. */
  readonly to: CallerWire
  /** The model's name as the caller sees it, when formats differ. */
  readonly model: string
  /** Of the answer: where answers are found again by it (responses), or the provider gives it none. */
  readonly answerId: string
  /** Seconds since 1970, for formats whose chunks carry a time. */
  readonly createdSeconds: number
  /**
   * Given to a caller whose format tells input tokens at the start, when the provider tells them at the end.
   */
  readonly estimatedInputTokens: number
  /** The caller's parsed body, for formats whose answers repeat it. */
  readonly request?: unknown
}

export function scannerBetween(options: ScannerBetween): StreamScanner {
  const { from, to } = options
  return from === to ? providerFormatOf(from).scanner(options) : new TranslatingScanner(options)
}

class TranslatingScanner implements RelayingScanner {
  readonly facts: StreamFacts
  private readonly caller: StreamScanner
  private readonly source: StreamScanner
  private readonly decoder: StreamDecoder
  private readonly encoder: StreamEncoder
  private readonly estimate: ReportedUsage
  private readonly shortcut = new FrameShortcut()
  /** The source's, where they may be counted up beside it; null: everything goes the long way. */
  private readonly counted: GrowingFacts | null
  /** For a caller's format that repeats them. */
  private readonly words: PassedWords | null
  /** What only the end of the body brought: it waits for `finish`. */
  private last: Uint8Array | null = null
  /** What the last frame said, when it was a delta. */
  private before: Delta | null = null

  constructor(private readonly options: ScannerBetween) {
    const { from, to, model, createdSeconds, keepUsage, collect, estimatedInputTokens, request } = options
    const noTotals = { input: null, output: null, total: null }
    this.estimate = { tokens: { ...NO_TOKENS, input: estimatedInputTokens }, providerTotals: noTotals }
    this.source = providerFormatOf(from).scanner({ keepUsage: true, keepLogprobs: true, collect, model })
    this.facts = this.source.facts
    this.decoder = decoderBeside(this.source, from)
    this.encoder = formatOf(to).encoder({ model, includeUsage: keepUsage, createdSeconds, request })
    this.caller = formatOf(to).scanner({ keepUsage, keepLogprobs: true, collect: false })
    const repeats = this.encoder.caughtUp !== undefined
    const follows = this.decoder.wentBy !== undefined && (repeats || this.encoder.wentBy !== undefined)
    this.counted = follows && !collect && this.facts instanceof GrowingFacts ? this.facts : null
    const keepsWords = repeats || this.source.wentBy !== undefined
    this.words = this.counted !== null && keepsWords ? new PassedWords() : null
  }

  /** Of the caller's format; it knows of everything that was passed on. */
  get target(): StreamScanner {
    this.catchUp()
    return this.caller
  }

  push(chunk: Uint8Array): Uint8Array | null {
    if (this.counted === null) return this.longWay(chunk)
    const bytes = asBuffer(chunk)
    const short = this.shortened(bytes)
    if (short === null) return this.longWay(bytes, this.counted)
    const { chars, start, end } = this.shortcut
    if (this.source.wentBy === undefined) this.counted.deltas += 1
    else this.source.wentBy(bytes, this.shortcut.bytes)
    this.decoder.wentBy?.(chars)
    this.encoder.wentBy?.(chars)
    this.keep(bytes, start, end)
    return short
  }

  private shortened(bytes: Buffer): Buffer | null {
    if (!this.shortcut.knows) return null
    if (this.source.insideOf === undefined) return this.shortcut.translate(bytes)
    const inside = this.source.insideOf(bytes)
    return inside === null ? null : this.shortcut.translate(bytes, inside)
  }

  private keep(frame: Buffer, start: number, end: number): void {
    if (this.words === null || this.words.push(frame, start, end)) return
    this.catchUp()
    if (this.words.push(frame, start, end)) return
    // Longer than what is kept at most.
    const words = JSON.parse(frame.toString('utf8', start - 1, end + 1)) as string
    this.tellWords(words, 1)
  }

  private catchUp(): void {
    const passed = this.words?.take() ?? null
    if (passed !== null) this.tellWords(passed.words, passed.frames)
  }

  private tellWords(words: string, frames: number): void {
    if (this.source.wentBy !== undefined) this.source.caughtUp?.(words, frames)
    this.encoder.caughtUp?.(words, frames)
    this.caller.caughtUp?.(words, frames)
  }

  endOfBody(): void {
    this.catchUp()
    this.source.endOfBody?.()
    if (this.facts.ended) this.last = this.encodedEnd()
  }

  finish(extra: string | null): Uint8Array | null {
    this.catchUp()
    this.source.finish(null)
    const last = this.last ?? (this.facts.ended ? this.encodedEnd() : null)
    const kept = this.caller.finish(extra)
    return last === null ? kept : Buffer.concat([last, kept ?? Buffer.alloc(0)])
  }

  private longWay(chunk: Uint8Array, counted: GrowingFacts | null = null): Uint8Array | null {
    const before = this.facts.deltas
    this.catchUp()
    this.shortcut.forget()
    this.source.push(chunk)
    const events = this.decoder.push(chunk)
    const frames = this.encoded(events)
    const only = onlyDelta(events)
    const passed = this.isMore(only, frames) ? this.told(only, frames) : this.passed(frames)
    this.before = only
    if (counted !== null && only !== null && this.mayRepeat(events, counted.deltas - before)) {
      this.learn(asBuffer(chunk), wordsOf(only), frames)
    }
    return passed
  }

  /** One frame that goes on where the last one stopped: the caller's scanner has nothing to learn from it. */
  private isMore(delta: Delta | null, frames: string): delta is Delta {
    const { before } = this
    if (delta === null || before === null || delta.kind !== before.kind) return false
    if (placeOf(delta) !== placeOf(before)) return false
    return frames !== '' && frames.indexOf('\n\n') === frames.length - 2
  }

  private told(delta: Delta, frames: string): Uint8Array {
    this.caller.caughtUp?.(wordsOf(delta), 1)
    return Buffer.from(frames)
  }

  /** Whether a frame like this one would say nothing but its words, and counts where the format has some. */
  private mayRepeat(events: readonly StreamEvent[], deltas: number): boolean {
    return this.source.countsIn !== undefined || (events.length === 1 && deltas === 1)
  }

  private learn(chunk: Buffer, words: string, target: string): void {
    if (this.source.countsIn !== undefined) {
      const counts = this.source.countsIn(chunk)
      if (counts !== null) this.shortcut.learn({ words, source: chunk, target, counts })
      return
    }
    if (this.source.insideOf === undefined) return this.shortcut.learn({ words, source: chunk, target })
    const inside = this.source.insideOf(chunk)
    if (inside === null) return
    const source = chunk.subarray(inside.start, inside.end)
    this.shortcut.learn({ words, source, target }, () => true)
  }

  private encodedEnd(): Uint8Array | null {
    return this.passed(this.encoded(this.decoder.finish?.() ?? []))
  }

  private passed(frames: string): Uint8Array | null {
    return frames === '' ? null : this.caller.push(Buffer.from(frames))
  }

  private encoded(events: readonly StreamEvent[]): string {
    let frames = ''
    for (const event of events) {
      const isWanted = event.kind !== 'logprobs' || this.options.keepLogprobs
      if (isWanted) frames += this.encoder.encode(this.completed(event))
    }
    return frames
  }

  /**
   * An answer has a name. And clients add up costs from the start of a message: a zero there would be
   * believed.
   */
  private completed(event: StreamEvent): StreamEvent {
    if (event.kind !== 'start') return event
    const { answerId, to } = this.options
    const isNamed = event.id !== '' && to !== 'openai-responses'
    return { ...event, id: isNamed ? event.id : answerId, usage: event.usage ?? this.estimate }
  }
}

type Delta = Extract<StreamEvent, { kind: 'text-delta' | 'reasoning-delta' | 'tool-call-delta' }>

/** The delta, when nothing else was said but what was used so far; null otherwise. */
function onlyDelta(events: readonly StreamEvent[]): Delta | null {
  let found: Delta | null = null
  for (const event of events) {
    if (event.kind === 'usage') continue
    if (found !== null || !isDelta(event)) return null
    found = event
  }
  return found
}

function isDelta(event: StreamEvent): event is Delta {
  return event.kind === 'text-delta' || event.kind === 'reasoning-delta' || event.kind === 'tool-call-delta'
}

function wordsOf(delta: Delta): string {
  return delta.kind === 'tool-call-delta' ? delta.argumentsJson : delta.text
}

function placeOf(delta: Delta): number | null {
  return delta.kind === 'tool-call-delta' ? delta.index : null
}

function decoderBeside(source: StreamScanner, from: Wire): StreamDecoder {
  if (source.takeEvents === undefined) return providerFormatOf(from).decoder()
  const take = (): readonly StreamEvent[] => source.takeEvents?.() ?? []
  // Where a frame is read in place, nothing of it counts positions; else its scanner is told.
  return source.insideOf === undefined && source.wentBy === undefined
    ? { push: take, finish: take }
    : { push: take, finish: take, wentBy: () => {} }
}
