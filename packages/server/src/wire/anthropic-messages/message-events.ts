// Events of a Messages stream -> our events. The JSON tool's arguments come out as text; a call without
// arguments comes out with `{}`; usage is cumulative and complete whenever it is reported. Text blocks in a
// row are one text here: a citation comes when its block ends, with the span of it that the block was.

import { isObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'
import type { StreamEvent } from '../stream-event.js'
import { readErrorObject } from '../read-error.js'
import { withoutId } from '../reasoning-proof.js'
import { mergeAnthropicUsage, readAnthropicUsage } from '../usage.js'
import { explanationOf, textOf } from './answer.js'
import { isJsonTool } from '../json-tool.js'
import { decodeCitation } from './citations.js'
import { decodeStopReason } from './stop-reason.js'

interface OpenTool {
  readonly index: number
  readonly json: boolean
  readonly input: unknown
  seen: boolean
}

const NO_EVENTS: readonly StreamEvent[] = []

export class MessageEvents {
  /** What was said about usage so far, merged; as the provider wrote it. */
  usage: unknown = null
  private started = false
  private calls = 0
  private jsonAnswers = 0
  private readonly tools = new Map<unknown, OpenTool>()
  private textChars = 0
  private inText = false
  private blockStart = 0
  private citations: Citation[] = []

  /** Positions of citations count text. */
  wentBy(chars: number): void {
    if (this.inText) this.textChars += chars
  }

  read(event: Record<string, unknown>): readonly StreamEvent[] {
    switch (event['type']) {
      case 'message_start':
        return this.start(event['message'])
      case 'content_block_start':
        return this.startBlock(event['index'], event['content_block'])
      case 'content_block_delta':
        return this.delta(event['index'], event['delta'])
      case 'content_block_stop':
        return [...this.stopText(), ...this.stopTool(event['index'])]
      case 'message_delta':
        return this.finish(event)
      case 'message_stop':
        return [{ kind: 'end' }]
      case 'error': {
        const error = readErrorObject(event) ?? { type: null, code: null, message: 'no message' }
        return [{ kind: 'error', error }]
      }
      default:
        return []
    }
  }

  private start(message: unknown): readonly StreamEvent[] {
    if (this.started || !isObject(message)) return []
    this.started = true
    this.usage = message['usage']
    const usage = readAnthropicUsage(message['usage'])
    return [{ kind: 'start', id: textOf(message['id']), model: textOf(message['model']), usage }]
  }

  private startBlock(index: unknown, block: unknown): readonly StreamEvent[] {
    if (!isObject(block)) return []
    const { type } = block
    this.inText = type === 'text'
    if (this.inText) this.blockStart = this.textChars
    else this.textChars = 0
    if (type === 'tool_use') return this.startTool(index, block)
    if (type === 'redacted_thinking') {
      const { proof: data, ...named } = withoutId(textOf(block['data']))
      return [{ kind: 'reasoning-redacted', data, ...named }]
    }
    return this.delta(index, {
      type: `${textOf(type)}_delta`,
      text: block['text'],
      thinking: block['thinking'],
    })
  }

  private startTool(index: unknown, block: Record<string, unknown>): readonly StreamEvent[] {
    const name = textOf(block['name'])
    const tool = {
      index: typeof index === 'number' ? index : this.tools.size,
      json: isJsonTool(name),
      seen: false,
    }
    this.tools.set(index, { ...tool, input: block['input'] })
    if (tool.json) {
      this.jsonAnswers += 1
      return []
    }
    this.calls += 1
    return [{ kind: 'tool-call-start', index: tool.index, id: textOf(block['id']), name }]
  }

  private delta(index: unknown, delta: unknown): readonly StreamEvent[] {
    if (!isObject(delta)) return []
    switch (delta['type']) {
      case 'text_delta':
        return this.text(textOf(delta['text']))
      case 'thinking_delta': {
        const text = textOf(delta['thinking'])
        return text === '' ? [] : [{ kind: 'reasoning-delta', text, signed: true }]
      }
      case 'citations_delta':
        this.citations.push(...[decodeCitation(delta['citation'])].filter((one) => one !== null))
        return []
      case 'signature_delta': {
        const { proof: signature, ...named } = withoutId(textOf(delta['signature']))
        return [{ kind: 'reasoning-signature', signature, ...named }]
      }
      case 'input_json_delta':
        return this.toolDelta(this.tools.get(index), textOf(delta['partial_json']))
      default:
        return []
    }
  }

  private text(text: string): readonly StreamEvent[] {
    if (text === '') return []
    this.textChars += text.length
    return [{ kind: 'text-delta', text }]
  }

  private stopText(): readonly StreamEvent[] {
    if (this.citations.length === 0) return NO_EVENTS
    const span = { start: this.blockStart, end: this.textChars }
    const cited = this.citations.map(
      (citation) => ({ kind: 'citation', citation: { ...citation, span } }) as const,
    )
    this.citations = []
    return cited
  }

  private toolDelta(tool: OpenTool | undefined, argumentsJson: string): readonly StreamEvent[] {
    if (tool === undefined || argumentsJson === '') return []
    tool.seen = true
    // A second JSON answer would make the text two documents.
    if (tool.json) return this.jsonAnswers > 1 ? [] : [{ kind: 'text-delta', text: argumentsJson }]
    return [{ kind: 'tool-call-delta', index: tool.index, argumentsJson }]
  }

  private stopTool(index: unknown): readonly StreamEvent[] {
    const tool = this.tools.get(index)
    this.tools.delete(index)
    return tool === undefined || tool.seen ? [] : this.toolDelta(tool, JSON.stringify(tool.input ?? {}))
  }

  private finish(event: Record<string, unknown>): readonly StreamEvent[] {
    const delta = isObject(event['delta']) ? event['delta'] : {}
    const events: StreamEvent[] = []
    const raw = delta['stop_reason']
    if (typeof raw === 'string') {
      const said = decodeStopReason(raw)
      const reason = said === 'tool-calls' && this.calls === 0 && this.jsonAnswers > 0 ? 'stop' : said
      const refusal = reason === 'refusal' ? explanationOf(delta['stop_details']) : null
      if (refusal !== null) events.push({ kind: 'refusal-delta', text: refusal })
      events.push({ kind: 'finish', reason, raw, stopSequence: textOf(delta['stop_sequence']) || null })
    }
    this.usage = mergeAnthropicUsage(this.usage, event['usage'])
    const usage = readAnthropicUsage(this.usage)
    return usage === null ? events : [...events, { kind: 'usage', usage }]
  }
}
