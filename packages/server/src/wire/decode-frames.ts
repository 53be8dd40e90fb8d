// What decoders of all formats share: frames to events, and silence after the end.

import type { StreamDecoder, StreamEvent } from './format.js'
import { SseSplitter, readFrame } from './sse.js'

const NOT_A_STREAM: StreamEvent = {
  kind: 'error',
  error: {
    type: 'invalid_stream',
    code: null,
    message: 'the provider sent something that is not a stream of its format',
  },
}

/**
 * `read` gives the events of one frame, or null when it is not a frame of the format. `wentBy` as of a
 * decoder.
 */
export function decodeFrames(
  read: (frame: { readonly event: string | null; readonly data: string }) => readonly StreamEvent[] | null,
  wentBy?: StreamDecoder['wentBy'],
): StreamDecoder {
  const splitter = new SseSplitter()
  let over = false
  function eventsOf(bytes: Buffer): readonly StreamEvent[] {
    const { event, data, foreign } = readFrame(bytes)
    if (data === null && !foreign) return []
    const events = foreign || data === null ? null : read({ event, data })
    return events ?? [NOT_A_STREAM]
  }
  return {
    ...(wentBy === undefined ? {} : { wentBy }),
    push(chunk) {
      const found: StreamEvent[] = []
      for (const frame of splitter.push(chunk)) {
        for (const event of over ? [] : eventsOf(frame)) {
          if (over) break
          found.push(event)
          over = event.kind === 'end' || event.kind === 'error'
        }
      }
      if (!splitter.overflowed || over) return found
      over = true
      return [...found, NOT_A_STREAM]
    },
  }
}
