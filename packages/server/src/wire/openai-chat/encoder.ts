// Our events -> frames of a chat completion stream. One id, created and model in every chunk; the role only
// in the first; a call's id, type and name only in its first delta; usage in a chunk of its own, and null in
// all others, only when the caller asked.

import type { JsonObject } from '../../core/json.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import type { Citation } from '../../core/model/message.js'
import { unreachable } from '../../core/unreachable.js'
import type { StreamEncoder } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { dataFrame } from '../sse.js'
import { encodeOpenAiUsage } from '../usage.js'
import { encodeAnnotation } from './annotations.js'
import { encodeFinishReason } from './finish-reason.js'
import { encodeLogprobs } from './logprobs.js'

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
  // Characters of text so far, and before the text block that is being written.
  private textChars = 0
  private runStart = 0
  private inText = false
  // A chunk around its delta; made once, because only the delta changes from token to token.
  private head = ''
  private tail = ''

  constructor(private readonly options: EncoderOptions) {}

  encode(event: StreamEvent): string {
    if (this.over) return ''
    switch (event.kind) {
      case 'start':
        return this.started ? '' : this.start(event.id)
      case 'text-delta':
        return this.text(event.text)
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
      case 'logprobs':
        return this.begin() + this.chunk({}, null, encodeLogprobs(event.logprobs))
      case 'citation':
        return this.cite(event.citation)
      // This format has no place for them.
      case 'reasoning-signature':
      case 'reasoning-redacted':
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

  wentBy(chars: number): void {
    if (this.inText) this.textChars += chars
  }

  private start(id: string): string {
    this.started = true
    this.id = id
    const { createdSeconds: created, model } = this.options
    const identity = JSON.stringify({ id, object: 'chat.completion.chunk', created, model })
    this.head = `data: ${identity.slice(0, -1)},"choices":[{"index":0,"delta":`
    this.tail = `,"logprobs":null,"finish_reason":null}]${this.options.includeUsage ? ',"usage":null' : ''}}\n\n`
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
    const before = this.begin()
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

  private begin(): string {
    return this.started ? '' : this.start('')
  }

  private text(text: string): string {
    if (!this.inText) this.runStart = this.textChars
    this.inText = true
    this.textChars += text.length
    return `${this.begin()}${this.head}{"content":${JSON.stringify(text)}}${this.tail}`
  }

  private cite(citation: Citation): string {
    const annotation = encodeAnnotation(citation, { start: this.runStart, end: this.textChars })
    return annotation === null ? '' : this.begin() + this.chunk({ annotations: [annotation] }, null)
  }

  private delta(delta: JsonObject): string {
    this.inText = false
    return `${this.begin()}${this.head}${JSON.stringify(delta)}${this.tail}`
  }

  private chunk(delta: JsonObject, finishReason: string | null, logprobs: JsonObject | null = null): string {
    const choices = [{ index: 0, delta, logprobs, finish_reason: finishReason }]
    const usage = this.options.includeUsage ? { usage: null } : {}
    return dataFrame(JSON.stringify({ ...this.identity(), choices, ...usage }))
  }

  private identity(): JsonObject {
    const { createdSeconds: created, model } = this.options
    return { id: this.id, object: 'chat.completion.chunk', created, model }
  }
}
