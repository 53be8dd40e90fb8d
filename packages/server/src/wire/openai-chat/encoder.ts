// Our events -> frames of a chat completion stream. One id, created and model in every chunk; the role only
// in the first; a call's id, type and name only in its first delta; usage in a chunk of its own, and null in
// all others, only when the caller asked.

import type { JsonObject } from '../../core/json.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import { unreachable } from '../../core/unreachable.js'
import type { StreamEncoder, StreamEvent } from '../format.js'
import { dataFrame } from '../sse.js'
import { encodeOpenAiUsage } from '../usage.js'
import { encodeFinishReason } from './finish-reason.js'

interface EncoderOptions {
  readonly model: string
  readonly includeUsage: boolean
  readonly createdSeconds: number
}

export function encoder(options: EncoderOptions): StreamEncoder {
  return new OpenAiChatEncoder(options)
}

class OpenAiChatEncoder implements StreamEncoder {
  private id = ''
  private started = false
  private refused = false
  private over = false
  private usage: ReportedUsage | null = null
  // Position among the calls, by our block index.
  private readonly calls = new Map<number, number>()

  constructor(private readonly options: EncoderOptions) {}

  encode(event: StreamEvent): string {
    if (this.over) return ''
    switch (event.kind) {
      case 'start':
        return this.started ? '' : this.start(event.id)
      case 'text-delta':
        return this.delta({ content: event.text })
      case 'reasoning-delta':
        return this.delta({ reasoning_content: event.text })
      case 'refusal-delta':
        this.refused = true
        return this.delta({ refusal: event.text })
      case 'tool-call-start':
        return this.startCall(event)
      case 'tool-call-delta':
        return this.delta({
          tool_calls: [{ index: this.callIndex(event.index), function: { arguments: event.argumentsJson } }],
        })
      case 'finish':
        return this.finish(event)
      case 'usage':
        this.usage = event.usage
        return ''
      // This format has no place for them.
      case 'reasoning-signature':
      case 'reasoning-redacted':
      case 'citation':
      case 'logprobs':
        return ''
      case 'error':
        this.over = true
        return dataFrame(JSON.stringify({ error: { ...event.error, param: null } }))
      case 'end':
        return this.end()
      default:
        return unreachable(event)
    }
  }

  private start(id: string): string {
    this.started = true
    this.id = id
    return this.chunk({ role: 'assistant', content: '' }, null)
  }

  private startCall({ index, id, name }: Extract<StreamEvent, { kind: 'tool-call-start' }>): string {
    const call = { index: this.callIndex(index), id, type: 'function', function: { name, arguments: '' } }
    return this.delta({ tool_calls: [call] })
  }

  private callIndex(block: number): number {
    const known = this.calls.get(block) ?? this.calls.size
    this.calls.set(block, known)
    return known
  }

  private finish({ reason }: Extract<StreamEvent, { kind: 'finish' }>): string {
    const before = this.started ? '' : this.start('')
    const said = { calls: this.calls.size > 0, refusal: this.refused }
    return before + this.chunk({}, encodeFinishReason(reason, said))
  }

  private end(): string {
    this.over = true
    const usage = this.options.includeUsage && this.usage !== null ? this.usageChunk(this.usage) : ''
    return usage + dataFrame('[DONE]')
  }

  private usageChunk(usage: ReportedUsage): string {
    return dataFrame(
      JSON.stringify({ ...this.identity(), choices: [], usage: encodeOpenAiUsage(usage.tokens) }),
    )
  }

  private delta(delta: JsonObject): string {
    const before = this.started ? '' : this.start('')
    return before + this.chunk(delta, null)
  }

  private chunk(delta: JsonObject, finishReason: string | null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
    const usage = this.options.includeUsage ? { usage: null } : {}
    return dataFrame(JSON.stringify({ ...this.identity(), choices, ...usage }))
  }

  private identity(): JsonObject {
    const { createdSeconds: created, model } = this.options
    return { id: this.id, object: 'chat.completion.chunk', created, model }
  }
}
