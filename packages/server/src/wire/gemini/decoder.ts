// A generateContent stream (`alt=sse`) -> our events, until the body ends, its first error, or the first
// frame that is not its own.

import { decodeFrames } from '../decode-frames.js'
import { parseJson } from '../fields.js'
import type { StreamDecoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { isChunk, isForeignEnd } from './candidate.js'
import { ChunkEvents } from './chunk-events.js'
import { errorOf } from './errors.js'

export function decoder(): StreamDecoder {
  const events = new ChunkEvents()
  return decodeFrames(
    ({ data }): readonly StreamEvent[] | null => {
      if (isForeignEnd(data)) return []
      const chunk = parseJson(data)
      const error = errorOf(chunk)
      if (error !== null) return [{ kind: 'error', error }]
      return isChunk(chunk) ? events.read(chunk) : null
    },
    { atEnd: () => events.end() },
  )
}
