// Events of a ConverseStream -> our events. Usage comes in the metadata, after the stop: only then is the
// stream over. The JSON tool's arguments come out as text; a call without arguments comes out with `{}`.

import { isObject } from '../../core/json.js'
import { textOf } from '../fields.js'
import type { StreamEvent } from '../stream-event.js'
import { isJsonTool } from '../json-tool.js'
import { readConverseUsage } from '../usage.js'
import { decodeCitation } from './citations.js'
import type { EventFrame } from './event-frames.js'
import { isNoTool } from './no-tool.js'
import { decodeStopReason, stopSequenceOf } from './stop-reason.js'

type Payload = Readonly<Record<string, unknown>>

interface OpenTool {
  readonly index: number
  readonly kind: 'call' | 'json' | 'none'
  seen: boolean
}

const CALLS_MAX = 1_000

export class ConverseEvents {
  /** `signs`: what the model thinks is followed by its signature. */
  constructor(private readonly signs = false) {}

  /** The answer is whole; what may still follow is its metadata. */
  stopped = false
  private started = false
  private told = false
  private calls = 0
  private jsonAnswers = 0
  private readonly tools = new Map<unknown, OpenTool>()
  private redacted: Buffer[] = []

  read(frame: EventFrame): readonly StreamEvent[] {
    if (frame.kind === 'error') return [frame]
    const { type, payload } = frame
    switch (type) {
      case 'messageStart':
        return this.start()
      case 'contentBlockStart':
        return this.startBlock(payload)
      case 'contentBlockDelta':
        return this.delta(payload['contentBlockIndex'], payload['delta'])
      case 'contentBlockStop':
        return this.stopBlock(payload['contentBlockIndex'])
      case 'messageStop':
        return this.stop(payload)
      case 'metadata':
        return this.metadata(payload)
      default:
        return []
    }
  }

  // Neither an id nor a model is in the stream.
  private start(): readonly StreamEvent[] {
    if (this.started) return []
    this.started = true
    return [{ kind: 'start', id: '', model: '', usage: null }]
  }

  private startBlock({ contentBlockIndex: index, start }: Payload): readonly StreamEvent[] {
    const use = isObject(start) && isObject(start['toolUse']) ? start['toolUse'] : null
    if (use === null || this.tools.size >= CALLS_MAX) return []
    const name = textOf(use['name'])
    const kind = isJsonTool(name) ? 'json' : isNoTool(name) ? 'none' : 'call'
    const tool: OpenTool = { index: typeof index === 'number' ? index : this.tools.size, kind, seen: false }
    this.tools.set(index, tool)
    if (kind === 'json') this.jsonAnswers += 1
    if (kind !== 'call') return []
    this.calls += 1
    return [{ kind: 'tool-call-start', index: tool.index, id: textOf(use['toolUseId']), name }]
  }

  private delta(index: unknown, delta: unknown): readonly StreamEvent[] {
    if (!isObject(delta)) return []
    const { text, toolUse, reasoningContent: reasoning, citation } = delta
    if (typeof text === 'string') return text === '' ? [] : [{ kind: 'text-delta', text }]
    if (isObject(toolUse)) return this.toolDelta(this.tools.get(index), textOf(toolUse['input']))
    if (isObject(reasoning)) return this.reasoning(reasoning)
    const cited = decodeCitation(citation)
    return cited === null ? [] : [{ kind: 'citation', citation: cited }]
  }

  private reasoning({ text, signature, redactedContent }: Payload): readonly StreamEvent[] {
    if (typeof redactedContent === 'string') this.redacted.push(Buffer.from(redactedContent, 'base64'))
    if (typeof text === 'string' && text !== '')
      return [{ kind: 'reasoning-delta', text, ...(this.signs ? { signed: true } : {}) }]
    const isSigned = typeof signature === 'string' && signature !== ''
    return isSigned ? [{ kind: 'reasoning-signature', signature }] : []
  }

  private toolDelta(tool: OpenTool | undefined, argumentsJson: string): readonly StreamEvent[] {
    if (tool === undefined || tool.kind === 'none' || argumentsJson === '') return []
    tool.seen = true
    // A second JSON answer would make the text two documents.
    if (tool.kind === 'json') return this.jsonAnswers > 1 ? [] : [{ kind: 'text-delta', text: argumentsJson }]
    return [{ kind: 'tool-call-delta', index: tool.index, argumentsJson }]
  }

  private stopBlock(index: unknown): readonly StreamEvent[] {
    if (this.redacted.length > 0) {
      const data = Buffer.concat(this.redacted).toString('base64')
      this.redacted = []
      return [{ kind: 'reasoning-redacted', data }]
    }
    const tool = this.tools.get(index)
    this.tools.delete(index)
    return tool === undefined || tool.seen ? [] : this.toolDelta(tool, '{}')
  }

  private stop({ stopReason, additionalModelResponseFields: fields }: Payload): readonly StreamEvent[] {
    if (this.stopped) return []
    this.stopped = true
    const raw = textOf(stopReason) || null
    const said = raw === null ? 'other' : decodeStopReason(raw)
    const reason = said === 'tool-calls' && this.calls === 0 ? 'stop' : said
    return [
      { kind: 'finish', reason, raw, stopSequence: stopSequenceOf(fields) },
      ...(this.told ? [{ kind: 'end' } as const] : []),
    ]
  }

  private metadata({ usage }: Payload): readonly StreamEvent[] {
    this.told = true
    const read = readConverseUsage(usage)
    return [
      ...(read === null ? [] : [{ kind: 'usage', usage: read } as const]),
      ...(this.stopped ? [{ kind: 'end' } as const] : []),
    ]
  }
}
