// What scanners of all formats share: frames come in, each is passed on, changed, or kept back, until the
// stream has ended, broken or turned out to be something else. After that nothing passes any more.

import type { FinishReason } from '../core/model/message.js'
import type { ReportedUsage } from '../core/money/token-counts.js'
import type { AnswerFacts, ProviderError, ScannerOptions, StreamFacts, StreamScanner } from './format.js'
import type { StreamEvent } from './stream-event.js'
import { parseJson } from './fields.js'
import { readErrorObject } from './read-error.js'
import { type SseFrame, SseSplitter, asBuffer, readFrame } from './sse.js'

const DONE_LINE = /^data: ?\[DONE\]\r?\n?$/
const SHORTEST_DONE = 'data:[DONE]'.length
const LONGEST_DONE = 'data: [DONE]\r\n'.length

type ToolCall = { id: string; name: string; argumentsJson: string }

/** The facts while they grow. */
export class GrowingFacts implements StreamFacts {
  ended = false
  error: ProviderError | null = null
  deltas = 0
  finishReason: FinishReason | null = null
  text = ''
  malformed = false
  private readonly calls = new Map<number, ToolCall>()
  private logprobSum = 0
  private logprobCount = 0
  private lastUsage: ReportedUsage | null = null
  private firstUsage: ReportedUsage | null = null
  private unread: (() => void) | null = null

  get usage(): ReportedUsage | null {
    this.readNow()
    return this.lastUsage
  }

  set usage(usage: ReportedUsage | null) {
    this.unread = null
    this.lastUsage = usage
  }

  get startUsage(): ReportedUsage | null {
    this.readNow()
    return this.firstUsage
  }

  set startUsage(usage: ReportedUsage | null) {
    this.unread = null
    this.firstUsage = usage
  }

  /** There is newer usage: `read` sets it (or leaves it as it is) once somebody asks. */
  readLater(read: () => void): void {
    this.unread = read
  }

  private readNow(): void {
    const { unread } = this
    this.unread = null
    unread?.()
  }

  get toolCalls(): AnswerFacts['toolCalls'] {
    return [...this.calls.values()]
  }

  get meanTokenProbability(): number | null {
    return this.logprobCount === 0 ? null : Math.min(1, Math.exp(this.logprobSum / this.logprobCount))
  }

  addLogprobs(values: readonly number[]): void {
    for (const value of values) this.logprobSum += value
    this.logprobCount += values.length
  }

  collect(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.kind === 'text-delta') this.text += event.text
      else if (event.kind === 'tool-call-start') {
        this.calls.set(event.index, { id: event.id, name: event.name, argumentsJson: '' })
      } else if (event.kind === 'tool-call-delta') {
        const call = this.calls.get(event.index)
        if (call !== undefined) call.argumentsJson += event.argumentsJson
      }
    }
  }
}

export abstract class FrameScanner implements StreamScanner {
  readonly facts = new GrowingFacts()
  private readonly splitter = new SseSplitter()
  /** The body ended inside a frame. */
  protected cutShort = false
  private finished = false

  constructor(protected readonly options: ScannerOptions) {}

  push(chunk: Uint8Array): Uint8Array | null {
    const bytes = asBuffer(chunk)
    if (this.splitter.isOneFrame(bytes)) return this.pass(bytes)
    const frames = this.splitter.push(chunk)
    if (this.splitter.overflowed) this.facts.malformed = true
    const [first] = frames
    const passed =
      frames.length === 1 && first !== undefined
        ? this.pass(first)
        : together(frames.map((frame) => this.pass(frame)))
    const rest = this.splitter.restLength
    if (rest < SHORTEST_DONE || rest > LONGEST_DONE) return passed
    // Some servers leave out the blank line after their end marker; whoever waits for `ended` must not wait
    // for it.
    const done = DONE_LINE.test(this.splitter.rest().toString('latin1'))
    return done ? together([passed, this.pass(Buffer.from('data: [DONE]\n\n'))]) : passed
  }

  finish(extra: string | null): Uint8Array | null {
    if (this.finished) return null
    this.finished = true
    const last = this.takeRest()
    if (this.closed() && !this.facts.ended) return last
    return together([last, ...this.kept(extra)])
  }

  /** What of `frame` passes now. */
  protected abstract take(frame: Buffer): Buffer | null
  /** The frames kept back, for the end of the stream. */
  protected abstract kept(extra: string | null): readonly (Buffer | null)[]

  /** A frame's fields, or null when they say that this is no stream of models. */
  protected fieldsOf(frame: Buffer): SseFrame | null {
    const fields = readFrame(frame)
    if (!fields.foreign) return fields
    this.facts.malformed = true
    return null
  }

  private pass(frame: Buffer): Buffer | null {
    return this.closed() ? null : this.take(frame)
  }

  protected closed(): boolean {
    return this.facts.ended || this.facts.error !== null || this.facts.malformed
  }

  // A body may end without the last blank line. What is there counts when it is whole; half a frame is
  // dropped.
  private takeRest(): Buffer | null {
    const rest = this.splitter.rest()
    if (this.closed() || rest.toString('latin1').trim() === '') return null
    const { data, foreign } = readFrame(rest)
    if (foreign) {
      this.facts.error = readErrorObject(parseJson(rest.toString('utf8')))
      this.facts.malformed = true
      return null
    }
    const whole = data !== null && (data.trim() === '[DONE]' || parseJson(data) !== undefined)
    this.cutShort = !whole && data !== null
    return whole ? this.take(Buffer.concat([rest, Buffer.from('\n\n')])) : null
  }
}

function together(pieces: readonly (Buffer | null)[]): Buffer | null {
  const present = pieces.filter((piece) => piece !== null)
  return present.length > 1 ? Buffer.concat(present) : (present[0] ?? null)
}

/**
 * A scanner that reads one format and writes another hands the writing on to a scanner of the caller's
 * format.
 */
export interface RelayingScanner extends StreamScanner {
  readonly target: StreamScanner
}

/** The scanner that saw the frames the caller gets. */
export function callerSide(scanner: StreamScanner): StreamScanner {
  return 'target' in scanner ? (scanner as RelayingScanner).target : scanner
}
