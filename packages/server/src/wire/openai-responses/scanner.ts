// Scans a response stream for a caller who speaks the same format. The last event carries the usage and the
// whole response: it is kept back until the charge is safe. An upstream error does not pass: whoever reads
// `facts.error` sends the caller its own. What was said is remembered, because a stream that is cut must end
// with a response that repeats it.

import { isObject, type JsonObject } from '../../core/json.js'
import { asJsonObject, parseJson } from '../fields.js'
import { appendMember, membersOf, spliceMembers } from '../json-splice.js'
import { readErrorObject } from '../read-error.js'
import { FrameScanner } from '../scan-frames.js'
import { eventFrame } from '../sse.js'
import { stripLogprobs } from '../strip-logprobs.js'
import { decodeLogprobs } from './logprobs.js'
import { noteEvent } from './note-event.js'
import { plainDelta } from './plain-delta.js'
import { ResponseEvents } from './response-events.js'
import { type Grown, StreamItems, growBy, partOf } from './stream-items.js'

const SOME_LOGPROBS = '"logprobs":[{'

export class ResponsesScanner extends FrameScanner {
  /** As it was when it began; null before. */
  response: JsonObject | null = null
  readonly stream = new StreamItems()
  private readonly events = new ResponseEvents()
  private grown: Grown | null = null
  private last: Last | null = null
  /** How it was ended from here, before its own end. */
  cut: { readonly frames: string; readonly response: JsonObject } | null = null

  whole(): JsonObject | null {
    if (this.cut !== null) return this.cut.response
    const event = this.last === null ? null : parseJson(this.last.data)
    return isObject(event) && isObject(event['response']) ? asJsonObject(event['response']) : null
  }

  caughtUp(words: string, frames: number): void {
    this.stream.sequence += frames
    this.facts.deltas += frames
    if (this.grown !== null) growBy(this.grown, words)
  }

  protected take(frame: Buffer): Buffer | null {
    if (!this.options.collect && this.takePlain(frame)) return frame
    const fields = this.fieldsOf(frame)
    if (fields === null) return null
    if (fields.data === null || fields.data.trim() === '[DONE]') return frame
    const event = parseJson(fields.data)
    if (isObject(event) && typeof event['type'] === 'string') {
      return this.takeEvent(frame, { type: event['type'], data: fields.data, event })
    }
    // Not one of this format's events, though its error may still be readable.
    this.facts.error = readErrorObject(event)
    this.facts.malformed = this.facts.error === null
    return null
  }

  protected kept(extra: string | null): readonly (Buffer | null)[] {
    if (this.last === null || extra === null || !this.options.keepUsage) return [this.last?.frame ?? null]
    return [withExtra(this.last.type, Buffer.from(this.last.data), extra)]
  }

  private takePlain(frame: Buffer): boolean {
    const delta = plainDelta(frame.toString('latin1'))
    const item = delta === null ? undefined : this.stream.items.get(delta.outputIndex)
    if (delta === null || item === undefined) return false
    this.grown = delta.of === 'call' ? item : partOf(item, delta.of, delta.partIndex)
    growBy(this.grown, delta.text)
    this.stream.sequence = delta.sequence + 1
    this.facts.deltas += 1
    return true
  }

  private takeEvent(frame: Buffer, { type, data, event }: Whole): Buffer | null {
    const events = this.events.read(event)
    if (this.options.collect) this.facts.collect(events)
    for (const one of events) {
      if (one.kind === 'error') this.facts.error = one.error
      else if (one.kind === 'finish') this.facts.finishReason = one.reason
      else if (one.kind === 'usage') this.facts.usage = one.usage
      else if (one.kind === 'end') this.facts.ended = true
    }
    if (this.facts.error !== null) return null
    if (type.endsWith('.delta')) this.facts.deltas += 1
    if (this.options.collect && type === 'response.output_text.delta') {
      this.facts.addLogprobs(decodeLogprobs(event['logprobs']).map(({ logprob }) => logprob))
    }
    const strip = !this.options.keepLogprobs && data.includes(SOME_LOGPROBS)
    return strip ? this.passStripped(type, data) : this.passOn({ frame, type, data }, event)
  }

  private passStripped(type: string, given: string): Buffer | null {
    const data = stripLogprobs(Buffer.from(given), '[]').toString('utf8')
    const event = parseJson(data)
    return this.passOn(
      { frame: Buffer.from(eventFrame(type, data)), type, data },
      isObject(event) ? event : {},
    )
  }

  /** The last event waits. */
  private passOn(last: Last, event: Record<string, unknown>): Buffer | null {
    if (this.facts.ended) {
      this.last = { ...last, frame: Buffer.from(last.frame) }
      return null
    }
    if (isObject(event['response'])) this.response = asJsonObject(event['response'])
    this.grown = noteEvent(this.stream, event)
    return last.frame
  }
}

interface Last {
  readonly frame: Buffer
  readonly type: string
  readonly data: string
}

interface Whole {
  readonly type: string
  readonly data: string
  readonly event: Record<string, unknown>
}

/** Into the response, where a caller of this API looks for what belongs to it. */
function withExtra(type: string, json: Buffer, extra: string): Buffer {
  const members = membersOf(json)
  const found = members.findLast(({ key }) => key === 'response')
  if (found === undefined) return Buffer.from(eventFrame(type, json.toString('utf8')))
  const response = appendMember(json.subarray(found.valueStart, found.end), 'spillway', extra).toString(
    'utf8',
  )
  return Buffer.from(eventFrame(type, spliceMembers(json, members, { response }).toString('utf8')))
}
