// Reads a generateContent stream for its facts. No caller speaks this format, so no bytes pass.

import { isObject } from '../../core/json.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import { NOT_A_STREAM } from '../decode-frames.js'
import { parseJson } from '../fields.js'
import type { Inside } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { FrameScanner } from '../scan-frames.js'
import { asBuffer, readFrame } from '../sse.js'
import { readGeminiUsage } from '../usage.js'
import { firstCandidate, isChunk, isForeignEnd } from './candidate.js'
import { ChunkEvents } from './chunk-events.js'
import { countsIn } from './counts.js'
import { errorOf } from './errors.js'
import { confidenceLogprobs } from './logprobs.js'

/** A frame carries as many tokens as were ready. English has about four bytes a token: this counts low. */
const BYTES_PER_TOKEN = 12

export class GeminiScanner extends FrameScanner {
  private readonly events = new ChunkEvents()
  private over = false
  private failed = false
  private fresh: StreamEvent[] = []
  /** The last frame that was not read. */
  private unread = Buffer.alloc(0)
  private unreadLength = 0
  private readonly readUnread = (): void => {
    const { data } = readFrame(this.unread.subarray(0, this.unreadLength))
    const chunk = data === null ? null : parseJson(data)
    const usage = isObject(chunk) ? readGeminiUsage(chunk['usageMetadata']) : null
    if (usage !== null) this.told(usage)
  }

  override push(chunk: Uint8Array): null {
    super.push(chunk)
    this.tellFailure()
    return null
  }

  endOfBody(): void {
    if (this.over) return
    this.over = true
    super.finish(null)
    this.tellFailure()
    if (this.closed() || this.cutShort || !this.events.mayEnd) return
    const events = this.events.end()
    const failure = events.find((event) => event.kind === 'error')
    this.facts.error = failure?.error ?? null
    this.facts.ended = failure === undefined
    if (failure === undefined) this.note(events)
    else this.tellFailure()
  }

  override finish(_extra: string | null): null {
    this.endOfBody()
    return null
  }

  protected take(frame: Buffer): null {
    const fields = this.fieldsOf(frame)
    if (fields === null || fields.data === null || isForeignEnd(fields.data)) return null
    const chunk = parseJson(fields.data)
    this.facts.error = errorOf(chunk)
    if (this.facts.error !== null) return null
    if (!isChunk(chunk)) {
      this.facts.malformed = true
      return null
    }
    const events = this.events.read(chunk)
    this.note(events)
    this.facts.deltas += tokensSeen(events)
    const candidate = firstCandidate(chunk)
    if (!this.options.collect || candidate === null) return null
    this.facts.collect(events)
    this.facts.addLogprobs(confidenceLogprobs(candidate))
    return null
  }

  protected kept(): readonly null[] {
    return []
  }

  countsIn(chunk: Uint8Array): readonly Inside[] | null {
    return countsIn(asBuffer(chunk))
  }

  wentBy(frame: Uint8Array, bytes: number): void {
    this.facts.deltas += Math.ceil(bytes / BYTES_PER_TOKEN)
    if (frame.length > this.unread.length) this.unread = Buffer.allocUnsafeSlow(frame.length * 2)
    this.unread.set(frame)
    this.unreadLength = frame.length
    this.facts.readLater(this.readUnread)
  }

  caughtUp(words: string): void {
    this.events.caughtUp(words)
    const { usage } = this.facts
    if (usage === null) return
    // Only the last one counts, whoever asks for these when.
    if (this.fresh.at(-1)?.kind === 'usage') this.fresh.pop()
    this.fresh.push({ kind: 'usage', usage })
  }

  takeEvents(): readonly StreamEvent[] {
    const { fresh } = this
    this.fresh = []
    return fresh
  }

  private tellFailure(): void {
    const { error, malformed } = this.facts
    if (this.failed || (error === null && !malformed)) return
    this.failed = true
    this.fresh.push(error === null ? NOT_A_STREAM : { kind: 'error', error })
  }

  private note(events: readonly StreamEvent[]): void {
    for (const event of events) this.fresh.push(event)
    for (const event of events) {
      if (event.kind === 'finish') this.facts.finishReason = event.reason
      if (event.kind === 'usage') this.told(event.usage)
    }
  }

  /** Every report is of everything so far. */
  private told(usage: ReportedUsage): void {
    this.facts.usage = usage
    this.facts.startUsage = usage
  }
}

function tokensSeen(events: readonly StreamEvent[]): number {
  const bytes = events.reduce((sum, event) => {
    if (event.kind === 'text-delta' || event.kind === 'reasoning-delta')
      return sum + Buffer.byteLength(event.text)
    return event.kind === 'tool-call-delta' ? sum + Buffer.byteLength(event.argumentsJson) : sum
  }, 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}
