// ConverseStream bodies, framed as AWS frames them: for fake servers, and for round trips.

import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { JsonObject } from '../core/json.js'
import type { ReportedUsage } from '../core/money/token-counts.js'
import type { StreamEvent } from '../wire/stream-event.js'
import { STOP_REASONS, encodeCitation, encodeConverseUsage } from './converse-answer.js'

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text),
)

function framed(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }] as const)
  return Buffer.from(codec.encode({ headers: Object.fromEntries(typed), body: Buffer.from(body) }))
}

/** One event, its payload as given. */
export function eventFrame(type: string, payload: JsonObject | string): Buffer {
  return framed(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    typeof payload === 'string' ? payload : JSON.stringify(payload),
  )
}

/** A modelled error in the middle of a stream (`throttlingException`). */
export function exceptionFrame(type: string, payload: JsonObject): Buffer {
  return framed(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify(payload),
  )
}

/** An error of the framing's own, without a payload. */
export function errorFrame(code: string, message: string): Buffer {
  return framed({ ':error-code': code, ':error-message': message, ':message-type': 'error' }, '')
}

/** Our events as a ConverseStream. What this format has no word for (log probabilities) is left out. */
export function converseFrames(events: readonly StreamEvent[]): Buffer {
  const writer = new ConverseWriter()
  return Buffer.concat(events.flatMap((event) => writer.write(event)))
}

class ConverseWriter {
  private blocks = 0
  private open: 'text' | 'reasoning' | null = null
  private readonly calls = new Set<number>()
  private usage: ReportedUsage | null = null

  write(event: StreamEvent): readonly Buffer[] {
    switch (event.kind) {
      case 'start':
        return [eventFrame('messageStart', { role: 'assistant' })]
      case 'text-delta':
      case 'refusal-delta':
        return [...this.to('text'), this.delta({ text: event.text })]
      case 'reasoning-delta':
        return [...this.to('reasoning'), this.delta({ reasoningContent: { text: event.text } })]
      case 'reasoning-signature': {
        const { signature } = event
        return [...this.to('reasoning'), this.delta({ reasoningContent: { signature } }), ...this.close()]
      }
      case 'reasoning-redacted': {
        const begun = [...this.close(), ...this.to('reasoning')]
        const hidden = this.delta({ reasoningContent: { redactedContent: event.data } })
        return [...begun, hidden, ...this.close()]
      }
      case 'citation':
        return [...this.to('text'), this.delta({ citation: encodeCitation(event.citation) })]
      case 'tool-call-start':
        return [...this.close(), this.startCall(event)]
      case 'tool-call-delta':
        return [this.delta({ toolUse: { input: event.argumentsJson } }, event.index)]
      case 'logprobs':
        return []
      default:
        return this.writeEnd(event)
    }
  }

  private writeEnd(
    event: Extract<StreamEvent, { kind: 'finish' | 'usage' | 'error' | 'end' }>,
  ): readonly Buffer[] {
    switch (event.kind) {
      case 'finish': {
        const { raw, reason, stopSequence } = event
        const fields =
          stopSequence === null ? {} : { additionalModelResponseFields: { stop_sequence: stopSequence } }
        const stopReason = raw ?? STOP_REASONS[reason]
        return [...this.closeAll(), eventFrame('messageStop', { stopReason, ...fields })]
      }
      case 'usage':
        this.usage = event.usage
        return []
      case 'error': {
        const { type, message } = event.error
        return [exceptionFrame(type ?? 'internalServerException', { message })]
      }
      case 'end': {
        const usage = this.usage === null ? {} : { usage: encodeConverseUsage(this.usage) }
        return [eventFrame('metadata', { ...usage, metrics: { latencyMs: 551 } })]
      }
    }
  }

  // Text and reasoning have no start of their own. Every payload is padded, against guessing by length.
  private delta(delta: JsonObject, index = this.blocks): Buffer {
    return eventFrame('contentBlockDelta', { contentBlockIndex: index, delta, p: 'abcdefgh' })
  }

  private to(kind: 'text' | 'reasoning'): readonly Buffer[] {
    const closed = this.open === kind ? [] : this.close()
    this.open = kind
    return closed
  }

  private close(): readonly Buffer[] {
    if (this.open === null) return []
    this.open = null
    this.blocks += 1
    return [eventFrame('contentBlockStop', { contentBlockIndex: this.blocks - 1, p: 'abc' })]
  }

  private startCall({ index, id, name }: Extract<StreamEvent, { kind: 'tool-call-start' }>): Buffer {
    this.calls.add(index)
    this.blocks = Math.max(this.blocks, index + 1)
    const start = { toolUse: { toolUseId: id, name } }
    return eventFrame('contentBlockStart', { contentBlockIndex: index, start, p: 'abcd' })
  }

  private closeAll(): readonly Buffer[] {
    const calls = [...this.calls].map((index) => eventFrame('contentBlockStop', { contentBlockIndex: index }))
    this.calls.clear()
    return [...this.close(), ...calls]
  }
}
