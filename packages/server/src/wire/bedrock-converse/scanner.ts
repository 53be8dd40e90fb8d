// Reads a ConverseStream once, for its facts and for our events. No caller speaks this format, so no byte of
// it is ever passed on. It is over at its end, its first error, or the first frame that is damaged.

import { isObject } from '../../core/json.js'
import { NOT_A_STREAM } from '../decode-frames.js'
import type { ScannerOptions, StreamDecoder, StreamScanner } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { GrowingFacts } from '../scan-frames.js'
import { ConverseEvents } from './converse-events.js'
import { type EventFrame, EventFrames, insideOf } from './event-frames.js'
import { traitsOf } from './model-traits.js'

export class ConverseScanner implements StreamScanner {
  readonly facts = new GrowingFacts()
  private readonly frames = new EventFrames()
  private readonly events: ConverseEvents
  private fresh: StreamEvent[] = []

  constructor(private readonly options: Pick<ScannerOptions, 'collect' | 'model'>) {
    this.events = new ConverseEvents(traitsOf(options.model ?? '').claude)
  }

  push(chunk: Uint8Array): null {
    this.fresh = []
    for (const frame of this.frames.push(chunk)) {
      if (this.closed()) break
      if (generates(frame)) this.facts.deltas += 1
      for (const event of this.events.read(frame)) this.note(event)
    }
    if (this.frames.broken && !this.closed()) {
      this.facts.malformed = true
      this.fresh.push(NOT_A_STREAM)
    }
    if (this.options.collect) this.facts.collect(this.fresh)
    return null
  }

  insideOf(chunk: Uint8Array): ReturnType<typeof insideOf> {
    return this.closed() || this.frames.restLength > 0 ? null : insideOf(chunk)
  }

  finish(_extra: string | null): null {
    this.endOfBody()
    return null
  }

  /** After the stop only the usage is missing: the answer is whole without it. */
  endOfBody(): void {
    if (this.closed() || !this.events.stopped || this.frames.restLength > 0) return
    this.note({ kind: 'end' })
  }

  takeEvents(): readonly StreamEvent[] {
    const { fresh } = this
    this.fresh = []
    return fresh
  }

  private note(event: StreamEvent): void {
    this.fresh.push(event)
    if (event.kind === 'finish') this.facts.finishReason ??= event.reason
    else if (event.kind === 'usage') this.facts.usage = event.usage
    else if (event.kind === 'error') this.facts.error = event.error
    else if (event.kind === 'end') this.facts.ended = true
  }

  private closed(): boolean {
    return this.facts.ended || this.facts.error !== null || this.facts.malformed
  }
}

export function decoder(): StreamDecoder {
  const scanner = new ConverseScanner({ collect: false })
  return {
    push(chunk) {
      scanner.push(chunk)
      return scanner.takeEvents()
    },
    finish() {
      scanner.endOfBody()
      return scanner.takeEvents()
    },
  }
}

/** Signatures and citations are no output of their own. */
function generates(frame: EventFrame): boolean {
  if (frame.kind === 'error' || frame.type !== 'contentBlockDelta') return false
  const { delta } = frame.payload
  if (!isObject(delta)) return false
  const { reasoningContent: reasoning } = delta
  return isObject(reasoning) ? !('signature' in reasoning) : !('citation' in delta)
}
