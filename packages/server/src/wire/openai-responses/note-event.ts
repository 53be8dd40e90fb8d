// Remembers what an event of a passing stream says, so that the stream can be finished in its place.

import { isObject } from '../../core/json.js'
import { textOf } from './decode-items.js'
import {
  type Grown,
  type PartKind,
  type StreamItem,
  type StreamItems,
  type StreamPart,
} from './stream-items.js'
import { jsonObjectOf, partOf } from './stream-items.js'

type Event = Record<string, unknown>

/** Events about one part: what kind it is, what happened to it. */
const PART_EVENTS: ReadonlyMap<unknown, readonly [PartKind, 'delta' | 'done']> = new Map([
  ['response.output_text.delta', ['output_text', 'delta']],
  ['response.output_text.done', ['output_text', 'done']],
  ['response.refusal.delta', ['refusal', 'delta']],
  ['response.refusal.done', ['refusal', 'done']],
  ['response.reasoning_summary_text.delta', ['summary_text', 'delta']],
  ['response.reasoning_summary_text.done', ['summary_text', 'done']],
  ['response.reasoning_text.delta', ['reasoning_text', 'delta']],
  ['response.reasoning_text.done', ['reasoning_text', 'done']],
] as const)

const KINDS: ReadonlyMap<unknown, PartKind> = new Map(
  (['output_text', 'refusal', 'summary_text', 'reasoning_text'] as const).map((kind) => [kind, kind]),
)

/** Returns what a delta made longer. */
export function noteEvent(stream: StreamItems, event: Event): Grown | null {
  const { sequence_number: sequence, output_index: at } = event
  stream.sequence = typeof sequence === 'number' ? sequence + 1 : stream.sequence + 1
  const index = typeof at === 'number' ? at : 0
  if (event['type'] === 'response.output_item.added') {
    stream.add(index, jsonObjectOf(event['item']))
    return null
  }
  const item = stream.items.get(index)
  if (item === undefined) return null
  const ofPart = PART_EVENTS.get(event['type'])
  if (ofPart === undefined) return noteItem(item, event)
  const part = partAt(item, ofPart[0], event)
  notePart(part, ofPart[1], event)
  return ofPart[1] === 'delta' ? part : null
}

function noteItem(item: StreamItem, event: Event): Grown | null {
  switch (event['type']) {
    case 'response.output_item.done':
      item.done = jsonObjectOf(event['item'])
      return null
    case 'response.function_call_arguments.delta':
      item.argumentsJson += textOf(event['delta'])
      return item
    case 'response.function_call_arguments.done':
      item.argumentsJson = textOf(event['arguments'])
      return null
    case 'response.content_part.added':
    case 'response.reasoning_summary_part.added': {
      const kind = isObject(event['part']) ? KINDS.get(event['part']['type']) : undefined
      if (kind !== undefined) partAt(item, kind, event)
      return null
    }
    case 'response.output_text.annotation.added':
      partAt(item, 'output_text', event).annotations.push(jsonObjectOf(event['annotation']))
      return null
    default:
      return null
  }
}

function partAt(item: StreamItem, kind: PartKind, event: Event): StreamPart {
  const index = event['content_index'] ?? event['summary_index']
  return partOf(item, kind, typeof index === 'number' ? index : 0)
}

function notePart(part: StreamPart, what: 'delta' | 'done', event: Event): void {
  if (what === 'delta') {
    part.text += textOf(event['delta'])
    if (Array.isArray(event['logprobs'])) part.logprobs.push(...event['logprobs'].map(jsonObjectOf))
    return
  }
  part.text = textOf(part.kind === 'refusal' ? event['refusal'] : event['text'])
}
