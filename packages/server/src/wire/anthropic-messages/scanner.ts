// Scans a Messages stream for a caller who speaks the same format. `message_delta` carries the usage and
// `message_stop` ends the stream: both are kept back until the charge is safe. An upstream error frame is not
// passed on: whoever reads `facts.error` sends the caller its own.

import { isObject } from '../../core/json.js'
import { parseJson } from '../fields.js'
import { appendMember } from '../json-splice.js'
import { readErrorObject } from '../read-error.js'
import { FrameScanner } from '../scan-frames.js'
import { eventFrame } from '../sse.js'
import { readAnthropicUsage } from '../usage.js'
import { MessageEvents } from './message-events.js'

const DELTA_EVENT = 'event: content_block_delta'

export class AnthropicScanner extends FrameScanner {
  started = false
  openBlock: number | null = null
  private readonly events = new MessageEvents()
  private deltaFrames: Buffer[] = []
  private stop: Buffer | null = null

  protected take(frame: Buffer): Buffer | null {
    if (!this.options.collect && this.deltaFrames.length === 0) {
      const text = frame.toString('latin1')
      if (isPlainDelta(text)) {
        if (!text.includes('"signature_delta"')) this.facts.deltas += 1
        return frame
      }
    }
    const fields = this.fieldsOf(frame)
    if (fields === null) return null
    if (fields.data === null) return frame
    const event = parseJson(fields.data)
    if (isObject(event) && typeof event['type'] === 'string') return this.takeEvent(frame, event)
    // Not one of this format's events, though its error may still be readable.
    this.facts.error = readErrorObject(event)
    this.facts.malformed = this.facts.error === null
    return null
  }

  protected kept(extra: string | null): readonly (Buffer | null)[] {
    const last = this.deltaFrames.at(-1)
    if (last === undefined || extra === null || !this.options.keepUsage)
      return [...this.deltaFrames, this.stop]
    return [...this.deltaFrames.slice(0, -1), withExtra(this.fieldsOf(last)?.data ?? '{}', extra), this.stop]
  }

  private takeEvent(frame: Buffer, event: Record<string, unknown>): Buffer | null {
    const events = this.events.read(event)
    if (this.options.collect) this.facts.collect(events)
    switch (event['type']) {
      case 'message_delta':
        return this.takeMessageDelta(frame, events)
      case 'message_stop':
        this.facts.ended = true
        this.stop = frame
        return null
      case 'error':
        this.facts.error = readErrorObject(event) ?? { type: null, code: null, message: 'no message' }
        return null
      case 'ping':
        return frame
      default:
        this.note(event)
        return this.afterKept(frame)
    }
  }

  private takeMessageDelta(frame: Buffer, events: ReturnType<MessageEvents['read']>): null {
    for (const event of events) if (event.kind === 'finish') this.facts.finishReason ??= event.reason
    this.facts.usage = readAnthropicUsage(this.events.usage)
    this.deltaFrames.push(frame)
    return null
  }

  private note(event: Record<string, unknown>): void {
    if (event['type'] === 'message_start') {
      this.started = true
      this.facts.startUsage = readAnthropicUsage(this.events.usage)
    } else if (event['type'] === 'content_block_start') {
      this.openBlock = typeof event['index'] === 'number' ? event['index'] : 0
    } else if (event['type'] === 'content_block_stop') this.openBlock = null
    else if (event['type'] === 'content_block_delta') {
      const signature = isObject(event['delta']) && event['delta']['type'] === 'signature_delta'
      if (!signature) this.facts.deltas += 1
    }
  }

  // Content after a `message_delta` shows that it was not the last: it may pass, before what follows it.
  private afterKept(frame: Buffer): Buffer {
    if (this.deltaFrames.length === 0) return frame
    const before = this.deltaFrames
    this.deltaFrames = []
    return Buffer.concat([...before, frame])
  }
}

function isPlainDelta(text: string): boolean {
  if (!text.startsWith(DELTA_EVENT)) return false
  const data = text.indexOf('\n', DELTA_EVENT.length) + 1
  const crlf = text.charCodeAt(DELTA_EVENT.length) === 0x0d
  const end = crlf ? '}\r\n\r\n' : '}\n\n'
  return (
    text.startsWith('data: {', data) &&
    text.endsWith(end) &&
    text.indexOf('\n', data) >= text.length - end.length + 1
  )
}

function withExtra(data: string, extra: string): Buffer {
  const json = appendMember(Buffer.from(data), 'spillway', extra).toString('utf8')
  return Buffer.from(eventFrame('message_delta', json))
}
