// Scans a ConverseStream for its facts. No caller speaks this format, so no byte of it is ever passed on.

import { isObject } from '../../core/json.js'
import type { ScannerOptions, StreamEvent, StreamScanner } from '../format.js'
import { GrowingFacts } from '../scan-frames.js'
import { ConverseEvents } from './converse-events.js'
import { type EventFrame, EventFrames } from './event-frames.js'

export class ConverseScanner implements StreamScanner {
  readonly facts = new GrowingFacts()
  private readonly frames = new EventFrames()
  private readonly events = new ConverseEvents()

  constructor(private readonly options: Pick<ScannerOptions, 'collect'>) {}

  push(chunk: Uint8Array): null {
    for (const frame of this.frames.push(chunk)) {
      if (this.closed()) return null
      if (generates(frame)) this.facts.deltas += 1
      const events = this.events.read(frame)
      if (this.options.collect) this.facts.collect(events)
      for (const event of events) this.note(event)
    }
    if (this.frames.broken && !this.closed()) this.facts.malformed = true
    return null
  }

  finish(_extra: string | null): null {
    this.bodyEnded()
    return null
  }

  /** After the stop only the usage is missing: the answer is whole without it. */
  bodyEnded(): void {
    if (!this.closed() && this.events.stopped && this.frames.restLength === 0) this.facts.ended = true
  }

  private note(event: StreamEvent): void {
    if (event.kind === 'finish') this.facts.finishReason ??= event.reason
    else if (event.kind === 'usage') this.facts.usage = event.usage
    else if (event.kind === 'error') this.facts.error = event.error
    else if (event.kind === 'end') this.facts.ended = true
  }

  private closed(): boolean {
    return this.facts.ended || this.facts.error !== null || this.facts.malformed
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
