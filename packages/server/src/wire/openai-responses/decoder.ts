// A response stream -> our events, until its last event, its first error, or the first frame that is not its
// own.

import { isObject } from '../../core/json.js'
import { decodeFrames } from '../decode-frames.js'
import { parseJson } from '../fields.js'
import type { StreamDecoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { readErrorObject } from '../read-error.js'
import { ResponseEvents } from './response-events.js'

export function decoder(): StreamDecoder {
  const events = new ResponseEvents()
  return decodeFrames(({ data }): readonly StreamEvent[] | null => {
    const event = parseJson(data)
    if (isObject(event) && typeof event['type'] === 'string') return events.read(event)
    const error = readErrorObject(event)
    return error === null ? null : [{ kind: 'error', error }]
  })
}
