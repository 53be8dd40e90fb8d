// Splits a byte stream into the frames of `application/vnd.amazon.eventstream`, whatever the chunks it
// arrives in: a prelude with two lengths and its checksum, headers, a payload of JSON, a checksum over all.
// https://smithy.io/2.0/aws/amazon-eventstream.html

import { EventStreamCodec } from '@smithy/eventstream-codec'
import { isObject } from '../../core/json.js'
import { parseJson, textOf } from '../fields.js'
import type { ProviderError } from '../format.js'
import { readErrorObject } from '../read-error.js'
import { asBuffer } from '../sse.js'
import { crc32 } from './crc32.js'

/** The largest message that the format allows. What says that it is longer is no frame. */
export const EVENT_BYTES_MAX = 16 * 1024 * 1024

const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
const SMALLEST_BYTES = 16
const SMALLEST_BUFFER = 1024
const NO_BYTES = Buffer.alloc(0)

export type EventFrame =
  | { readonly kind: 'event'; readonly type: string; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly kind: 'error'; readonly error: ProviderError }

export class EventFrames {
  /** A frame was damaged, too large, or no frame at all. Nothing is read any more. */
  broken = false
  // The frame that is not whole yet is buffer[0, length); `needed` bytes must be there to go on with it.
  private buffer: Buffer = NO_BYTES
  private length = 0
  private needed = PRELUDE_BYTES

  /** Bytes after the last whole frame. */
  get restLength(): number {
    return this.length
  }

  push(chunk: Uint8Array): readonly EventFrame[] {
    if (this.broken || chunk.length === 0) return []
    if (this.length === 0) return this.cut(asBuffer(chunk))
    this.append(chunk)
    return this.length < this.needed ? [] : this.cut(this.buffer.subarray(0, this.length))
  }

  private cut(bytes: Buffer): readonly EventFrame[] {
    const frames: EventFrame[] = []
    let start = 0
    this.needed = PRELUDE_BYTES
    while (bytes.length - start >= PRELUDE_BYTES) {
      const size = bytes.readUInt32BE(start)
      const isFrame = size >= SMALLEST_BYTES && size <= EVENT_BYTES_MAX
      if (isFrame && bytes.length - start < size) {
        this.needed = size
        break
      }
      const frame = isFrame ? readFrame(bytes.subarray(start, start + size)) : null
      if (frame === null) return this.broke(frames)
      frames.push(frame)
      start += size
    }
    this.keep(bytes.subarray(start))
    return frames
  }

  private broke(frames: readonly EventFrame[]): readonly EventFrame[] {
    this.broken = true
    this.keep(NO_BYTES)
    return frames
  }

  // Copied, because whoever pushes may use its memory again.
  private keep(rest: Buffer): void {
    if (rest.length > 0 && rest.length === this.length) return
    this.length = rest.length
    this.buffer = NO_BYTES
    if (rest.length === 0) return
    this.buffer = Buffer.allocUnsafe(Math.max(SMALLEST_BUFFER, rest.length * 2))
    rest.copy(this.buffer)
  }

  private append(chunk: Uint8Array): void {
    const length = this.length + chunk.length
    if (length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(length * 2)
      this.buffer.copy(larger, 0, 0, this.length)
      this.buffer = larger
    }
    this.buffer.set(chunk, this.length)
    this.length = length
  }
}

/** Headers and payload, when `chunk` is one whole frame and its checksum is right; null otherwise. */
export function insideOf(chunk: Uint8Array): { readonly start: number; readonly end: number } | null {
  const bytes = asBuffer(chunk)
  const { length } = bytes
  if (length < SMALLEST_BYTES || bytes.readUInt32BE(0) !== length) return null
  const end = length - CHECKSUM_BYTES
  // Over the prelude and its own checksum as well.
  if (crc32(bytes, end) !== bytes.readUInt32BE(end)) return null
  return { start: PRELUDE_BYTES, end }
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : asBuffer(bytes).toString('utf8')),
  (text) => Buffer.from(text),
)

type Headers = ReturnType<EventStreamCodec['decode']>['headers']

/** null: damaged, or not an event of this format. */
function readFrame(bytes: Buffer): EventFrame | null {
  const message = decoded(bytes)
  if (message === null) return null
  const { headers } = message
  const text = asBuffer(message.body).toString('utf8')
  switch (header(headers, ':message-type')) {
    case 'event': {
      const payload = text === '' ? {} : parseJson(text)
      return isObject(payload) ? { kind: 'event', type: header(headers, ':event-type'), payload } : null
    }
    case 'exception':
      return failure(header(headers, ':exception-type'), messageOf(parseJson(text)))
    case 'error':
      return failure(header(headers, ':error-code'), header(headers, ':error-message'))
    default:
      return null
  }
}

function decoded(bytes: Buffer): ReturnType<EventStreamCodec['decode']> | null {
  try {
    return codec.decode(bytes)
  } catch {
    return null
  }
}

function header(headers: Headers, name: string): string {
  const found = Object.hasOwn(headers, name) ? headers[name] : undefined
  return textOf(found?.value)
}

/** `modelStreamErrorException` has the model's own words beside Bedrock's. */
function messageOf(payload: unknown): string {
  if (!isObject(payload)) return ''
  const said = textOf(payload['message'])
  const original = textOf(payload['originalMessage'])
  return original === '' || said.includes(original) ? said : `${said} (${original})`.trim()
}

function failure(type: string, message: string): EventFrame {
  const none = { type: null, code: null, message: 'no message' }
  return { kind: 'error', error: readErrorObject({ error: { type, message } }) ?? none }
}
