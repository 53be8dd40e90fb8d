// What decoders of all formats share: frames to events, and silence after the end.

import type { StreamDecoder } from './format.js'
import type { StreamEvent } from './stream-event.js'
import { SseSplitter, readFrame } from './sse.js'

export const NOT_A_STREAM: StreamEvent = {
  kind: 'error',
  error: {
    type: 'invalid_stream',
    code: null,
    message: 'the provider sent something that is not a stream of its format',
  },
}

/** What a decoder has beside its frames. */
export interface Beside {
  /** The events of the end of the body, in a format without an end marker. */
  readonly atEnd?: () => readonly StreamEvent[]
  readonly wentBy?: StreamDecoder['wentBy']
}

/** `read` gives the events of one frame, or null when it is not a frame of the format. */
export function decodeFrames(
  read: (frame: { readonly event: string | null; readonly data: string }) => readonly StreamEvent[] | null,
  { atEnd, wentBy }: Beside = {},
): StreamDecoder {
  const splitter = new SseSplitter()
  let over = false
  function eventsOf(bytes: Buffer): readonly StreamEvent[] {
    const { event, data, foreign } = readFrame(bytes)
    if (data === null && !foreign) return []
    const events = foreign || data === null ? null : read({ event, data })
    return events ?? [NOT_A_STREAM]
  }
  function push(chunk: Uint8Array): readonly StreamEvent[] {
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
  }
  function finish(): readonly StreamEvent[] {
    // A body may end without its last blank line.
    const rest = push(BLANK_LINE)
    const last = over ? rest : [...rest, ...(atEnd?.() ?? [])]
    over = true
    return last
  }
  return { push, finish, ...(wentBy === undefined ? {} : { wentBy }) }
}

const BLANK_LINE = Buffer.from('\n\n')
