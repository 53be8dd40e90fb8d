// Our events -> frames of a response stream, numbered from 0. Items open one after the other, but calls may
// grow side by side, so they stay open until the end; a message or a thought ends where something else
// begins. Each item and part is finished by an event that repeats it whole, and the response by one that
// repeats everything.

import type { JsonObject } from '../../core/json.js'
import type { TokenLogprob } from '../../core/model/message.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import { unreachable } from '../../core/unreachable.js'
import type { StreamEncoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { encodeCitation } from './annotations.js'
import { errorEvent } from './errors.js'
import { callSignature } from './encode-items.js'
import { encodeLogprobs } from './logprobs.js'
import { type ResponseParts, echoOf, itemId, responseId, responseObject } from './response-object.js'
import { type Ending, endingOf } from './status.js'
import {
  type Grown,
  type PartKind,
  type StreamItem,
  StreamItems,
  type StreamPart,
  growBy,
} from './stream-items.js'

interface EncoderOptions {
  readonly model: string
  readonly createdSeconds: number
  readonly request?: unknown
}

type Cited = Extract<StreamEvent, { kind: 'citation' }>
type Finish = Extract<StreamEvent, { kind: 'finish' }>

export function encoder(options: EncoderOptions): StreamEncoder {
  return new ResponsesEncoder(options)
}

class ResponsesEncoder implements StreamEncoder {
  private id: string | null = null
  private over = false
  private readonly stream = new StreamItems()
  /** The message or the thought that is being written, and its last part. */
  private item: StreamItem | null = null
  private part: StreamPart | null = null
  private readonly calls = new Map<number, StreamItem>()
  /** What the last delta made longer. */
  private grown: Grown | null = null
  private waiting: readonly TokenLogprob[] = []
  /** Citations that came before their text. */
  private readonly early: Cited[] = []
  private refused = false
  private finish: Finish | null = null
  private usage: ReportedUsage | null = null

  private readonly echo: JsonObject

  constructor(private readonly options: EncoderOptions) {
    this.echo = echoOf(options.request)
  }

  encode(event: StreamEvent): string {
    if (this.over) return ''
    switch (event.kind) {
      case 'start':
        return this.begin(event.id)
      case 'text-delta':
        return this.said('output_text', event.text)
      case 'refusal-delta':
        this.refused = true
        return this.said('refusal', event.text)
      case 'reasoning-delta':
        return this.begin() + this.write('summary_text', event.text)
      case 'reasoning-signature':
        return this.begin() + this.sign(event.signature)
      case 'reasoning-redacted':
        return this.begin() + this.close() + this.hide(event.data)
      case 'citation':
        return this.annotate(event)
      case 'logprobs':
        this.waiting = [...this.waiting, ...event.logprobs]
        return ''
      case 'tool-call-start':
        return this.startCall(event)
      case 'tool-call-delta':
        return this.callDelta(event.index, event.argumentsJson)
      case 'finish':
        this.finish ??= event
        return this.begin()
      case 'usage':
        this.usage = event.usage
        return ''
      case 'error':
        this.over = true
        return errorEvent(this.stream.sequence, { ...event.error, param: null })
      case 'end':
        return this.end()
      default:
        return unreachable(event)
    }
  }

  caughtUp(words: string, frames: number): void {
    this.stream.sequence += frames
    if (this.grown !== null) growBy(this.grown, words)
  }

  private begin(id = ''): string {
    if (this.id !== null) return ''
    this.id = responseId(id)
    const response = this.response({ status: 'in_progress', incompleteReason: null, usage: null })
    return (
      this.stream.frame('response.created', { response }) +
      this.stream.frame('response.in_progress', { response })
    )
  }

  private said(kind: 'output_text' | 'refusal', text: string): string {
    const logprobs = kind === 'output_text' ? this.takeWaiting() : []
    return this.begin() + this.write(kind, text, logprobs)
  }

  private write(kind: PartKind, text: string, logprobs: readonly JsonObject[] = []): string {
    const type = kind === 'summary_text' ? 'reasoning' : 'message'
    let frames = ''
    let { item, part } = this
    if (item?.type !== type) {
      frames += this.close()
      const opened = this.openItem(type)
      item = opened.item
      frames += opened.frames
      part = null
    }
    if (part?.kind !== kind) {
      if (part !== null) frames += this.stream.closePart(item, part)
      const opened = this.stream.openPart(item, kind)
      part = opened.part
      frames += opened.frames
    }
    this.item = item
    this.part = part
    this.grown = part
    frames += this.stream.delta({ item, part }, text, logprobs)
    if (this.early.length === 0 || kind !== 'output_text') return frames
    return (
      frames +
      this.early
        .splice(0)
        .map((cited) => this.annotate(cited))
        .join('')
    )
  }

  private openItem(type: 'message' | 'reasoning') {
    const id = itemId(type, this.id ?? '', this.stream.items.size)
    return this.stream.open(type === 'message' ? { id, type, role: 'assistant' } : { id, type })
  }

  /** Ends the thought with what proves it. A proof of no words comes with an empty summary. */
  private sign(signature: string): string {
    if (this.item?.type === 'reasoning') {
      this.item.encrypted = signature
      return this.close()
    }
    const before = this.close()
    const { item, frames } = this.openItem('reasoning')
    item.encrypted = signature
    this.item = item
    return before + frames + this.stream.openPart(item, 'summary_text').frames + this.close()
  }

  private hide(encrypted: string): string {
    const { item, frames } = this.openItem('reasoning')
    item.encrypted = encrypted
    this.item = item
    return frames + this.close()
  }

  private annotate(event: Cited): string {
    const { item, part } = this
    if (item === null || part?.kind !== 'output_text') {
      this.early.push(event)
      return ''
    }
    const { citation } = event
    const annotation = encodeCitation(citation, part.text)
    part.annotations.push(annotation)
    return this.stream.frame('response.output_text.annotation.added', {
      item_id: item.id,
      output_index: item.index,
      content_index: part.index,
      annotation_index: part.annotations.length - 1,
      annotation,
    })
  }

  private startCall(event: Extract<StreamEvent, { kind: 'tool-call-start' }>): string {
    const { index, id, name, signature } = event
    if (this.calls.has(index)) return ''
    const before = this.begin() + this.close()
    const { item, frames } = this.stream.open({
      id: itemId('call', this.id ?? '', this.stream.items.size),
      type: 'function_call',
      call_id: id,
      name,
      ...callSignature(signature),
    })
    this.calls.set(index, item)
    return before + frames
  }

  private callDelta(index: number, delta: string): string {
    const item = this.calls.get(index)
    if (item === undefined || delta === '') return ''
    this.grown = item
    item.argumentsJson += delta
    const place = { item_id: item.id, output_index: item.index }
    return this.stream.frame('response.function_call_arguments.delta', { ...place, delta })
  }

  /** Ends the message or the thought that is being written. */
  private close(status: 'completed' | 'incomplete' = 'completed'): string {
    const { item, part } = this
    if (part?.kind === 'output_text') part.logprobs.push(...this.takeWaiting())
    this.item = null
    this.part = null
    return item === null ? '' : this.stream.close(item, status)
  }

  private takeWaiting(): readonly JsonObject[] {
    const logprobs = encodeLogprobs(this.waiting)
    this.waiting = []
    return logprobs
  }

  private end(): string {
    const ending = endingOf(this.finish?.reason ?? 'other', { refusal: this.refused })
    const open = this.item === null ? 'completed' : ending.status
    const before =
      this.begin() + this.close(open) + this.fillCalls(ending) + this.stream.closeAll(ending.status)
    this.over = true
    const response = this.response({ ...ending, usage: this.usage })
    return before + this.stream.frame(`response.${ending.status}`, { response })
  }

  /** A call without arguments is one with none, unless it was cut. */
  private fillCalls({ status }: Ending): string {
    const empty = [...this.calls].filter(([, item]) => item.argumentsJson === '')
    return status === 'incomplete' ? '' : empty.map(([index]) => this.callDelta(index, '{}')).join('')
  }

  private response(state: Pick<ResponseParts, 'status' | 'incompleteReason' | 'usage'>): JsonObject {
    const { model, createdSeconds } = this.options
    const output = this.stream.output()
    return responseObject({ id: this.id ?? '', createdSeconds, model, ...state, output, echo: this.echo })
  }
}
