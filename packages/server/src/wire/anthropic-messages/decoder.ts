// A Messages stream -> our events, until its end marker, its first error, or the first frame that is not its
// own.

import { isObject } from '../../core/json.js'
import { decodeFrames } from '../decode-frames.js'
import { parseJson } from '../fields.js'
import type { StreamDecoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { readErrorObject } from '../read-error.js'
import { MessageEvents } from './message-events.js'

export function decoder(): StreamDecoder {
  const events = new MessageEvents()
  return decodeFrames(
    ({ data }): readonly StreamEvent[] | null => {
      const event = parseJson(data)
      if (isObject(event) && typeof event['type'] === 'string') return events.read(event)
      const error = readErrorObject(event)
      return error === null ? null : [{ kind: 'error', error }]
    },
    { wentBy: (chars) => events.wentBy(chars) },
  )
}
