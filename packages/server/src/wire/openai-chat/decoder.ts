// A chat completion stream -> our events, until its end marker, its first error, or the first frame that is
// not its own.

import { isObject } from '../../core/json.js'
import { parseJson } from '../fields.js'
import type { StreamDecoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { decodeFrames } from '../decode-frames.js'
import { readErrorObject } from '../read-error.js'
import { ChunkEvents } from './chunk-events.js'

export function decoder(): StreamDecoder {
  const events = new ChunkEvents()
  return decodeFrames(
    ({ data }): readonly StreamEvent[] | null => {
      if (data.trim() === '[DONE]') return [{ kind: 'end' }]
      const chunk = parseJson(data)
      if (!isObject(chunk)) return null
      if (Array.isArray(chunk['choices'])) {
        const error = isObject(chunk['error']) ? readErrorObject(chunk) : null
        return error === null ? events.read(chunk) : [{ kind: 'error', error }]
      }
      const error = readErrorObject(chunk)
      return error === null ? null : [{ kind: 'error', error }]
    },
    { wentBy: (chars) => events.wentBy(chars) },
  )
}
