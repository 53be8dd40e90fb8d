// A scanner for a stream whose provider and caller speak different formats. Its facts come from the
// provider's frames; what it passes on goes through a scanner of the caller's format, which keeps back the
// final usage and the end marker exactly as it does for a stream of its own.

import { NO_TOKENS, type ReportedUsage } from '../core/money/token-counts.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import type {
  ScannerOptions,
  StreamDecoder,
  StreamEncoder,
  StreamEvent,
  StreamFacts,
  StreamScanner,
} from './format.js'
import { formatOf, providerFormatOf } from './formats.js'
import { FrameShortcut } from './frame-shortcut.js'
import { GrowingFacts, type RelayingScanner } from './scan-frames.js'
import { asBuffer } from './sse.js'

export interface ScannerBetween extends ScannerOptions {
  /** The provider's format. */
  readonly from: Wire
  /** The caller's format. */
  readonly to: CallerWire
  /** The model's name as the caller sees it, when formats differ. */
  readonly model: string
  /** Seconds since 1970, for formats whose chunks carry a time. */
  readonly createdSeconds: number
  /**
   * Given to a caller whose format tells input tokens at the start, when the provider tells them at the end.
   */
  readonly estimatedInputTokens: number
}

export function scannerBetween(options: ScannerBetween): StreamScanner {
  const { from, to } = options
  return from === to ? providerFormatOf(from).scanner(options) : new TranslatingScanner(options)
}

class TranslatingScanner implements RelayingScanner {
  readonly facts: StreamFacts
  readonly target: StreamScanner
  private readonly source: StreamScanner
  private readonly decoder: StreamDecoder
  private readonly encoder: StreamEncoder
  private readonly estimate: ReportedUsage
  private readonly keepLogprobs: boolean
  private readonly shortcut = new FrameShortcut()
  /** The source's, where they may be counted up beside it; null: everything goes the long way. */
  private readonly counted: GrowingFacts | null

  constructor(options: ScannerBetween) {
    const { from, to, model, createdSeconds, keepUsage, collect, estimatedInputTokens } = options
    this.keepLogprobs = options.keepLogprobs
    const noTotals = { input: null, output: null, total: null }
    this.estimate = { tokens: { ...NO_TOKENS, input: estimatedInputTokens }, providerTotals: noTotals }
    this.source = providerFormatOf(from).scanner({ keepUsage: true, keepLogprobs: true, collect })
    this.facts = this.source.facts
    this.decoder = providerFormatOf(from).decoder()
    this.encoder = formatOf(to).encoder({ model, includeUsage: keepUsage, createdSeconds })
    this.target = formatOf(to).scanner({ keepUsage, keepLogprobs: true, collect: false })
    const follows = this.decoder.wentBy !== undefined && this.encoder.wentBy !== undefined
    this.counted = follows && !collect && this.facts instanceof GrowingFacts ? this.facts : null
  }

  push(chunk: Uint8Array): Uint8Array | null {
    if (this.counted === null) return this.longWay(chunk)
    const bytes = asBuffer(chunk)
    const short = this.shortcut.translate(bytes)
    if (short === null) return this.longWay(bytes, this.counted)
    this.counted.deltas += 1
    this.decoder.wentBy?.(this.shortcut.chars)
    this.encoder.wentBy?.(this.shortcut.chars)
    return short
  }

  finish(extra: string | null): Uint8Array | null {
    this.source.finish(null)
    // A body may end without its last blank line.
    const last = this.facts.ended ? this.translate(BLANK_LINE) : null
    const kept = this.target.finish(extra)
    return last === null ? kept : Buffer.concat([last, kept ?? Buffer.alloc(0)])
  }

  private longWay(chunk: Uint8Array, counted: GrowingFacts | null = null): Uint8Array | null {
    const before = this.facts.deltas
    this.shortcut.forget()
    this.source.push(chunk)
    const events = this.decoder.push(chunk)
    const frames = this.encoded(events)
    const passed = frames === '' ? null : this.target.push(Buffer.from(frames))
    const [only] = events
    if (counted !== null && events.length === 1 && only !== undefined && counted.deltas === before + 1) {
      const words = wordsOf(only)
      if (words !== null) this.shortcut.learn({ words, source: asBuffer(chunk), target: frames })
    }
    return passed
  }

  private translate(chunk: Uint8Array): Uint8Array | null {
    const frames = this.encoded(this.decoder.push(chunk))
    return frames === '' ? null : this.target.push(Buffer.from(frames))
  }

  private encoded(events: readonly StreamEvent[]): string {
    let frames = ''
    for (const event of events) {
      if (event.kind !== 'logprobs' || this.keepLogprobs) frames += this.encoder.encode(this.withUsage(event))
    }
    return frames
  }

  /** Clients add up costs from the start of a message: a zero there would be believed. */
  private withUsage(event: StreamEvent): StreamEvent {
    return event.kind === 'start' && event.usage === null ? { ...event, usage: this.estimate } : event
  }
}

/** null: not a delta. */
function wordsOf(event: StreamEvent): string | null {
  if (event.kind === 'text-delta' || event.kind === 'reasoning-delta') return event.text
  return event.kind === 'tool-call-delta' ? event.argumentsJson : null
}

const BLANK_LINE = Buffer.from('\n\n')
