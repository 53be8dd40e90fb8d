// Our events -> frames of a Messages stream: message_start once and first, blocks one after the other with
// rising index, then message_delta with the final usage, then message_stop. Blocks cannot be interleaved
// here. The first open call streams; calls that begin meanwhile wait whole behind it. Reasoning is passed on
// only with its signature: without, a client that sends it back would be refused. So it waits for it, unless
// it is known that one comes.

import { NO_TOKENS, type ReportedUsage } from '../../core/money/token-counts.js'
import type { JsonObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'
import { unreachable } from '../../core/unreachable.js'
import type { StreamEncoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { withId } from '../reasoning-proof.js'
import { eventFrame } from '../sse.js'
import { encodeAnthropicUsage } from '../usage.js'
import { encodeCitation } from './citations.js'
import { errorTypeOf } from './errors.js'
import { encodeStopReason } from './stop-reason.js'

type Block = { readonly kind: 'text' | 'thinking' } | { readonly kind: 'call'; readonly index: number }
type Finish = Extract<StreamEvent, { kind: 'finish' }>

const DELTA_START = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
const TEXT_DELTA = ',"delta":{"type":"text_delta","text":'
const JSON_DELTA = ',"delta":{"type":"input_json_delta","partial_json":'

interface WaitingCall {
  readonly id: string
  readonly name: string
  argumentsJson: string
}

export function encoder(options: { readonly model: string }): StreamEncoder {
  return new AnthropicEncoder(options.model)
}

class AnthropicEncoder implements StreamEncoder {
  private started = false
  private over = false
  private blocks = 0
  private open: Block | null = null
  private readonly waiting = new Map<number, WaitingCall>()
  private reasoning = ''
  private called = false
  private deltas = 0
  private finish: Finish | null = null
  private usage: ReportedUsage | null = null

  constructor(private readonly model: string) {}

  encode(event: StreamEvent): string {
    if (this.over) return ''
    switch (event.kind) {
      case 'start':
        return this.started ? '' : this.start(event.id, event.usage)
      case 'text-delta':
      case 'refusal-delta':
        return this.text(event.text)
      case 'reasoning-delta':
        return this.reason(event.text, event.signed === true)
      case 'reasoning-signature':
        return this.sign(withId(event.signature, event.id))
      case 'reasoning-redacted':
        return this.redacted(withId(event.data, event.id))
      case 'citation':
        return this.cite(event.citation)
      // This format has no place for them.
      case 'logprobs':
        return ''
      case 'tool-call-start':
        return this.startCall(event)
      case 'tool-call-delta':
        return this.callDelta(event.index, event.argumentsJson)
      case 'finish':
        this.finish ??= event
        return this.begin() + this.close()
      case 'usage':
        this.usage = event.usage
        return ''
      case 'error':
        this.over = true
        return this.error(event.error.type, event.error.message)
      case 'end':
        return this.end()
      default:
        return unreachable(event)
    }
  }

  wentBy(): void {
    this.deltas += 1
  }

  private start(id: string, usage: ReportedUsage | null): string {
    this.started = true
    const message = {
      id: id === '' ? 'msg_unknown' : id,
      type: 'message',
      role: 'assistant',
      model: this.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: encodeAnthropicUsage(usage?.tokens ?? NO_TOKENS),
    }
    return frame('message_start', { message })
  }

  private begin(): string {
    return this.started ? '' : this.start('', null)
  }

  private text(text: string): string {
    // The usual case, once per token: nothing to open or to close.
    if (this.open?.kind === 'text') return this.textDelta(text)
    this.reasoning = ''
    const before = this.begin() + this.close()
    return before + this.openBlock({ kind: 'text' }, { type: 'text', text: '' }) + this.textDelta(text)
  }

  private textDelta(text: string): string {
    this.deltas += 1
    return `${DELTA_START}${this.blocks}${TEXT_DELTA}${JSON.stringify(text)}}}\n\n`
  }

  private reason(text: string, signed: boolean): string {
    if (!signed) {
      this.reasoning += text
      return ''
    }
    return this.openThinking() + this.delta({ type: 'thinking_delta', thinking: text })
  }

  private openThinking(): string {
    if (this.open?.kind === 'thinking') return ''
    const before = this.begin() + this.close()
    return before + this.openBlock({ kind: 'thinking' }, { type: 'thinking', thinking: '', signature: '' })
  }

  private sign(signature: string): string {
    const thinking = this.reasoning
    this.reasoning = ''
    const opened = this.openThinking()
    const told = thinking === '' ? '' : this.delta({ type: 'thinking_delta', thinking })
    return opened + told + this.delta({ type: 'signature_delta', signature }) + this.close()
  }

  private cite(citation: Citation): string {
    const encoded = this.open?.kind === 'text' ? encodeCitation(citation) : null
    return encoded === null ? '' : this.delta({ type: 'citations_delta', citation: encoded })
  }

  private redacted(data: string): string {
    const before = this.begin() + this.close()
    return (
      before + this.openBlock({ kind: 'thinking' }, { type: 'redacted_thinking', data }) + this.closeOne()
    )
  }

  private startCall({ index, id, name }: Extract<StreamEvent, { kind: 'tool-call-start' }>): string {
    this.called = true
    this.reasoning = ''
    if (this.open?.kind === 'call') {
      this.waiting.set(index, { id, name, argumentsJson: '' })
      return ''
    }
    return this.begin() + this.close() + this.openCall(index, { id, name })
  }

  private openCall(index: number, { id, name }: { id: string; name: string }): string {
    return this.openBlock({ kind: 'call', index }, { type: 'tool_use', id, name, input: {} })
  }

  private callDelta(index: number, argumentsJson: string): string {
    if (this.open?.kind === 'call' && this.open.index === index) {
      this.deltas += 1
      return `${DELTA_START}${this.blocks}${JSON_DELTA}${JSON.stringify(argumentsJson)}}}\n\n`
    }
    const call = this.waiting.get(index)
    if (call !== undefined) call.argumentsJson += argumentsJson
    return ''
  }

  private openBlock(block: Block, content: JsonObject): string {
    this.open = block
    return frame('content_block_start', { index: this.blocks, content_block: content })
  }

  private delta(delta: JsonObject): string {
    this.deltas += 1
    return frame('content_block_delta', { index: this.blocks, delta })
  }

  private closeOne(): string {
    if (this.open === null) return ''
    this.open = null
    this.blocks += 1
    return frame('content_block_stop', { index: this.blocks - 1 })
  }

  /** Ends the open block, and writes out the calls that waited for it. */
  private close(): string {
    let frames = this.closeOne()
    for (const [index, call] of this.waiting) {
      frames += this.openCall(index, call)
      if (call.argumentsJson !== '')
        frames += this.delta({ type: 'input_json_delta', partial_json: call.argumentsJson })
      frames += this.closeOne()
    }
    this.waiting.clear()
    return frames
  }

  private end(): string {
    const before = this.begin() + this.close()
    this.over = true
    const { reason = 'other', raw = null, stopSequence = null } = this.finish ?? {}
    const said = { calls: this.called, stopSequence, rawFinishReason: raw }
    const stopReason = encodeStopReason(reason, said)
    // The format demands a number: where the provider gave none, the deltas come closest to it.
    const usage =
      this.usage === null ? { output_tokens: this.deltas } : encodeAnthropicUsage(this.usage.tokens)
    const delta = { stop_reason: stopReason, stop_sequence: stopSequence }
    return before + frame('message_delta', { delta, usage }) + frame('message_stop', {})
  }

  private error(type: string | null, message: string): string {
    return eventFrame('error', JSON.stringify({ type: 'error', error: { type: errorTypeOf(type), message } }))
  }
}

export function frame(type: string, fields: JsonObject): string {
  return eventFrame(type, JSON.stringify({ type, ...fields }))
}
