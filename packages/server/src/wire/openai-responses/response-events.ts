// Events of a response stream -> our events. What was said in full by an event that ends an item, and never
// in deltas before, is said then: not every server that imitates this API sends all events.

import { isObject } from '../../core/json.js'
import type { Part } from '../../core/model/message.js'
import type { StreamEvent } from '../stream-event.js'
import { readErrorObject } from '../read-error.js'
import { readResponsesUsage } from '../usage.js'
import { decodeAnnotation } from './annotations.js'
import { SUMMARY_GAP, decodeOutputItem, textOf } from './decode-items.js'
import { decodeLogprobs } from './logprobs.js'
import { finishReasonOf, rawReasonOf } from './status.js'

interface Seen {
  /** The item said something in deltas. */
  deltas: boolean
  /** Which of its two kinds of text a thought is told in. */
  thoughts: 'summary' | 'content' | null
  /** What proves the thought comes when the item is done: it says so when it is added. */
  signed: boolean
  started: boolean
}

type Event = Record<string, unknown>

export class ResponseEvents {
  private started = false
  private calls = false
  private refused = false
  private anything = false
  private readonly items = new Map<unknown, Seen>()

  read(event: Event): readonly StreamEvent[] {
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        return this.start(event['response'])
      case 'response.output_item.added':
        return this.startItem(event['output_index'], event['item'])
      case 'response.output_text.delta':
        return this.text(event)
      case 'response.output_text.annotation.added':
        return annotation(event['annotation'])
      case 'response.refusal.delta':
        return this.refusal(event)
      case 'response.function_call_arguments.delta':
        return this.callDelta(event['output_index'], textOf(event['delta']))
      case 'response.function_call_arguments.done':
        return this.wholeCall(event['output_index'], textOf(event['arguments']))
      case 'response.reasoning_summary_part.added':
        return this.summaryGap(event)
      case 'response.reasoning_summary_text.delta':
        return this.thought(event, 'summary')
      case 'response.reasoning_text.delta':
        return this.thought(event, 'content')
      case 'response.output_item.done':
        return this.finishItem(event['output_index'], event['item'])
      case 'response.completed':
      case 'response.incomplete':
        return this.finish(event['response'])
      case 'response.failed':
      case 'error':
        return [{ kind: 'error', error: errorOf(event) }]
      default:
        return []
    }
  }

  private start(response: unknown): readonly StreamEvent[] {
    if (this.started || !isObject(response)) return []
    this.started = true
    return [{ kind: 'start', id: textOf(response['id']), model: textOf(response['model']), usage: null }]
  }

  private seen(index: unknown): Seen {
    this.anything = true
    const known = this.items.get(index)
    if (known !== undefined) return known
    const seen: Seen = { deltas: false, thoughts: null, signed: false, started: false }
    this.items.set(index, seen)
    return seen
  }

  private startItem(index: unknown, item: unknown): readonly StreamEvent[] {
    if (!isObject(item)) return []
    if (item['type'] === 'reasoning') this.seen(index).signed = textOf(item['encrypted_content']) !== ''
    if (item['type'] !== 'function_call') return []
    const seen = this.seen(index)
    if (seen.started) return []
    seen.started = true
    this.calls = true
    const id = textOf(item['call_id']) || textOf(item['id'])
    const signature = textOf(item['thought_signature'])
    const call = {
      kind: 'tool-call-start',
      index: positionOf(index),
      id,
      name: textOf(item['name']),
    } as const
    return [signature === '' ? call : { ...call, signature }]
  }

  private text(event: Event): readonly StreamEvent[] {
    const text = textOf(event['delta'])
    if (text === '') return []
    this.seen(event['output_index']).deltas = true
    const logprobs = decodeLogprobs(event['logprobs'])
    const said: StreamEvent = { kind: 'text-delta', text }
    return logprobs.length > 0 ? [{ kind: 'logprobs', logprobs }, said] : [said]
  }

  private refusal(event: Event): readonly StreamEvent[] {
    const text = textOf(event['delta'])
    if (text === '') return []
    this.seen(event['output_index']).deltas = true
    this.refused = true
    return [{ kind: 'refusal-delta', text }]
  }

  private callDelta(index: unknown, argumentsJson: string): readonly StreamEvent[] {
    const seen = this.seen(index)
    if (!seen.started || argumentsJson === '') return []
    seen.deltas = true
    return [{ kind: 'tool-call-delta', index: positionOf(index), argumentsJson }]
  }

  private wholeCall(index: unknown, argumentsJson: string): readonly StreamEvent[] {
    return this.seen(index).deltas ? [] : this.callDelta(index, argumentsJson)
  }

  private thought(event: Event, kind: 'summary' | 'content'): readonly StreamEvent[] {
    const text = textOf(event['delta'])
    const seen = this.seen(event['output_index'])
    seen.thoughts ??= kind
    if (text === '' || seen.thoughts !== kind) return []
    seen.deltas = true
    return [thoughtDelta(text, seen)]
  }

  private summaryGap(event: Event): readonly StreamEvent[] {
    const seen = this.seen(event['output_index'])
    const again = seen.thoughts === 'summary' && seen.deltas
    return again ? [thoughtDelta(SUMMARY_GAP, seen)] : []
  }

  private finishItem(index: unknown, item: unknown): readonly StreamEvent[] {
    if (!isObject(item)) return []
    const started = this.startItem(index, item)
    const { deltas } = this.seen(index)
    this.items.delete(index)
    const parts = decodeOutputItem(item) ?? []
    return [...started, ...parts.flatMap((part) => this.finishPart(index, part, deltas))]
  }

  private finishPart(index: unknown, part: Part, deltas: boolean): readonly StreamEvent[] {
    if (part.kind === 'reasoning') {
      const { text, signature, redacted, id } = part
      const named = id === undefined ? {} : { id }
      if (redacted !== undefined && !deltas) return [{ kind: 'reasoning-redacted', data: redacted, ...named }]
      const proof = signature ?? redacted
      return [
        ...(deltas || text === '' ? [] : [{ kind: 'reasoning-delta', text } as const]),
        ...(proof === undefined
          ? []
          : [{ kind: 'reasoning-signature', signature: proof, ...named } as const]),
      ]
    }
    if (deltas) return []
    if (part.kind === 'text') return part.text === '' ? [] : [{ kind: 'text-delta', text: part.text }]
    if (part.kind === 'refusal') {
      this.refused = true
      return part.text === '' ? [] : [{ kind: 'refusal-delta', text: part.text }]
    }
    if (part.kind !== 'tool-call' || part.argumentsJson === '') return []
    return [{ kind: 'tool-call-delta', index: positionOf(index), argumentsJson: part.argumentsJson }]
  }

  private finish(response: unknown): readonly StreamEvent[] {
    const whole = isObject(response) ? response : {}
    const said = this.anything ? [] : [...this.start(response), ...this.wholeOutput(whole['output'])]
    const reason = finishReasonOf(whole, { calls: this.calls, refusal: this.refused }) ?? 'other'
    const usage = readResponsesUsage(whole['usage'])
    return [
      ...said,
      { kind: 'finish', reason, raw: rawReasonOf(whole), stopSequence: null },
      ...(usage === null ? [] : [{ kind: 'usage', usage } as const]),
      { kind: 'end' },
    ]
  }

  private wholeOutput(output: unknown): readonly StreamEvent[] {
    if (!Array.isArray(output)) return []
    return output.flatMap((item: unknown, index) => this.finishItem(index, item))
  }
}

function errorOf(event: Event) {
  const response = isObject(event['response']) ? event['response'] : event
  const flat = { code: event['code'], message: event['message'] }
  const found = readErrorObject(isObject(response['error']) ? response : { error: flat })
  return found ?? { type: null, code: null, message: 'no message' }
}

function thoughtDelta(text: string, { signed }: Seen): StreamEvent {
  return { kind: 'reasoning-delta', text, ...(signed ? { signed } : {}) }
}

function annotation(value: unknown): readonly StreamEvent[] {
  const citation = decodeAnnotation(value)
  return citation === null ? [] : [{ kind: 'citation', citation }]
}

function positionOf(index: unknown): number {
  return typeof index === 'number' ? index : 0
}
