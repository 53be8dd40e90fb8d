// The output of a response while it streams: what the encoder has written so far, or the scanner has seen
// pass. From it come the events that finish what is still open, and the whole response at the end.

import { isObject, type JsonObject } from '../../core/json.js'
import { asJsonObject } from '../fields.js'
import { eventFrame } from '../sse.js'
import { textOf } from './decode-items.js'

export type PartKind = 'output_text' | 'refusal' | 'summary_text' | 'reasoning_text'

export interface StreamPart {
  readonly kind: PartKind
  readonly index: number
  text: string
  readonly annotations: JsonObject[]
  readonly logprobs: JsonObject[]
  open: boolean
  /** What its deltas repeat: the frame up to the number, and from there up to the text. */
  around?: readonly [string, string]
}

export interface StreamItem {
  readonly index: number
  readonly type: string
  readonly id: string
  /** As it was added, without what grows. */
  readonly head: JsonObject
  readonly parts: Map<string, StreamPart>
  argumentsJson: string
  encrypted: string | null
  /** As it was finished, by whoever writes the stream. */
  done: JsonObject | null
}

/** What a delta makes longer: a part by its text, a call by its arguments. */
export type Grown = StreamPart | StreamItem

export function growBy(grown: Grown, words: string): void {
  if ('text' in grown) grown.text += words
  else grown.argumentsJson += words
}

/** Where text goes. */
export interface Written {
  readonly item: StreamItem
  readonly part: StreamPart
}

type Status = 'completed' | 'incomplete'

/** Names of events, fields of their frames. */
const PART_NAMES = {
  output_text: { text: 'output_text', part: 'content_part', index: 'content_index', whole: 'text' },
  refusal: { text: 'refusal', part: 'content_part', index: 'content_index', whole: 'refusal' },
  summary_text: {
    text: 'reasoning_summary_text',
    part: 'reasoning_summary_part',
    index: 'summary_index',
    whole: 'text',
  },
  reasoning_text: { text: 'reasoning_text', part: 'content_part', index: 'content_index', whole: 'text' },
} as const

export class StreamItems {
  /** Of the next frame. */
  sequence = 0
  readonly items = new Map<number, StreamItem>()

  frame(type: string, fields: JsonObject): string {
    const numbered = { type, sequence_number: this.sequence, ...fields }
    this.sequence += 1
    return eventFrame(type, JSON.stringify(numbered))
  }

  add(index: number, head: JsonObject): StreamItem {
    const item: StreamItem = {
      index,
      type: textOf(head['type']),
      id: textOf(head['id']),
      head,
      parts: new Map(),
      argumentsJson: textOf(head['arguments']),
      encrypted: null,
      done: null,
    }
    this.items.set(index, item)
    return item
  }

  open(head: JsonObject): { readonly item: StreamItem; readonly frames: string } {
    const item = this.add(this.items.size, head)
    const frames = this.frame('response.output_item.added', {
      output_index: item.index,
      item: itemJson(item, 'in_progress'),
    })
    return { item, frames }
  }

  openPart(item: StreamItem, kind: PartKind): { readonly part: StreamPart; readonly frames: string } {
    const part = partOf(item, kind, item.parts.size)
    const fields = { ...placeOf(item, part), part: partJson(part) }
    return { part, frames: this.frame(`response.${PART_NAMES[kind].part}.added`, fields) }
  }

  delta({ item, part }: Written, delta: string, logprobs: readonly JsonObject[]): string {
    part.text += delta
    if (logprobs.length > 0) part.logprobs.push(...logprobs)
    const [before, between] = (part.around ??= aroundDelta(item, part))
    const more = part.kind === 'output_text' ? `,"logprobs":${JSON.stringify(logprobs)}` : ''
    const number = this.sequence
    this.sequence += 1
    return `${before}${number}${between}${JSON.stringify(delta)}${more}}\n\n`
  }

  closePart(item: StreamItem, part: StreamPart): string {
    if (!part.open) return ''
    part.open = false
    const names = PART_NAMES[part.kind]
    const place = placeOf(item, part)
    const more = part.kind === 'output_text' ? { logprobs: part.logprobs } : {}
    return (
      this.frame(`response.${names.text}.done`, { ...place, [names.whole]: part.text, ...more }) +
      this.frame(`response.${names.part}.done`, { ...place, part: partJson(part) })
    )
  }

  close(item: StreamItem, status: Status): string {
    if (item.done !== null) return ''
    let frames = ''
    for (const part of item.parts.values()) frames += this.closePart(item, part)
    if (item.type === 'function_call') {
      frames += this.frame('response.function_call_arguments.done', {
        item_id: item.id,
        output_index: item.index,
        name: textOf(item.head['name']),
        arguments: item.argumentsJson,
      })
    }
    item.done = itemJson(item, status)
    return frames + this.frame('response.output_item.done', { output_index: item.index, item: item.done })
  }

  /** Finishes what is open. Only what was written last can have been cut. */
  closeAll(status: Status): string {
    const items = this.inOrder()
    const last = items.at(-1)
    return items.map((item) => this.close(item, item === last ? status : 'completed')).join('')
  }

  output(): readonly JsonObject[] {
    return this.inOrder().map((item) => item.done ?? itemJson(item, 'incomplete'))
  }

  private inOrder(): readonly StreamItem[] {
    return [...this.items.values()].toSorted((one, other) => one.index - other.index)
  }
}

/** The part at `index`, begun when it is not there yet. */
export function partOf(item: StreamItem, kind: PartKind, index: number): StreamPart {
  const key = `${PART_NAMES[kind].index}:${index}`
  const known = item.parts.get(key)
  if (known !== undefined) return known
  const part: StreamPart = { kind, index, text: '', annotations: [], logprobs: [], open: true }
  item.parts.set(key, part)
  return part
}

function placeOf(item: StreamItem, part: StreamPart): JsonObject {
  return { item_id: item.id, output_index: item.index, [PART_NAMES[part.kind].index]: part.index }
}

function aroundDelta(item: StreamItem, part: StreamPart): readonly [string, string] {
  const type = `response.${PART_NAMES[part.kind].text}.delta`
  const place = JSON.stringify(placeOf(item, part)).slice(1, -1)
  return [`event: ${type}\ndata: {"type":"${type}","sequence_number":`, `,${place},"delta":`]
}

function partJson({ kind, text, annotations, logprobs }: StreamPart): JsonObject {
  if (kind === 'refusal') return { type: kind, refusal: text }
  return kind === 'output_text' ? { type: kind, text, annotations, logprobs } : { type: kind, text }
}

function itemJson(item: StreamItem, status: Status | 'in_progress'): JsonObject {
  const parts = [...item.parts.values()]
  switch (item.type) {
    case 'message':
      return { ...item.head, status, content: parts.map(partJson) }
    case 'function_call':
      return { ...item.head, status, arguments: item.argumentsJson }
    case 'reasoning': {
      const thoughts = parts.filter(({ kind }) => kind === 'reasoning_text').map(partJson)
      return {
        ...item.head,
        summary: parts.filter(({ kind }) => kind === 'summary_text').map(partJson),
        ...(thoughts.length > 0 ? { content: thoughts } : {}),
        ...(item.encrypted === null ? {} : { encrypted_content: item.encrypted }),
      }
    }
    default:
      return item.head
  }
}

export function jsonObjectOf(value: unknown): JsonObject {
  return isObject(value) ? asJsonObject(value) : {}
}
