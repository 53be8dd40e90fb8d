// A ConverseStream -> our events, until its end, its first error, or the first frame that is damaged.

import { NOT_A_STREAM } from '../decode-frames.js'
import type { StreamDecoder, StreamEvent } from '../format.js'
import { ConverseEvents } from './converse-events.js'
import { EventFrames } from './event-frames.js'

export function decoder(): StreamDecoder {
  const frames = new EventFrames()
  const events = new ConverseEvents()
  let over = false
  function push(chunk: Uint8Array): readonly StreamEvent[] {
    const found: StreamEvent[] = []
    for (const event of frames.push(chunk).flatMap((frame) => events.read(frame))) {
      if (over) break
      found.push(event)
      over = event.kind === 'end' || event.kind === 'error'
    }
    if (!frames.broken || over) return found
    over = true
    return [...found, NOT_A_STREAM]
  }
  function finish(): readonly StreamEvent[] {
    if (over || !events.stopped || frames.restLength > 0) return []
    over = true
    return [{ kind: 'end' }]
  }
  return { push, finish }
}
