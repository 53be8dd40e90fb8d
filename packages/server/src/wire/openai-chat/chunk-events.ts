// Chunks of a chat completion stream -> our events, for the first choice. Providers disagree on how they
// number tool calls: some leave the index out, some give every call index 0. A new id means a new call,
// whatever its number.

import { isObject } from '../../core/json.js'
import type { Citation } from '../../core/model/message.js'
import type { StreamEvent } from '../stream-event.js'
import { readOpenAiUsage } from '../usage.js'
import { decodeAnnotations } from './annotations.js'
import { finishReasonOf, textOrNull } from './answer.js'
import { reasoningOf } from './decode-messages.js'
import { decodeLogprobs } from './logprobs.js'

interface OpenCall {
  readonly wireIndex: number | null
  readonly id: string
  readonly block: number
}

export class ChunkEvents {
  private started = false
  private finished = false
  private refused = false
  private blocks = 0
  private block: 'text' | 'reasoning' | 'refusal' | 'call' | null = null
  private textChars = 0
  private runStart = 0
  private readonly calls: OpenCall[] = []

  /** Positions of citations count text. */
  wentBy(chars: number): void {
    if (this.block === 'text') this.textChars += chars
  }

  read(chunk: Record<string, unknown>): readonly StreamEvent[] {
    const events: StreamEvent[] = []
    const choice = firstChoice(chunk['choices'])
    if (!this.started && (choice !== null || typeof chunk['id'] === 'string')) {
      this.started = true
      events.push({
        kind: 'start',
        id: textOrNull(chunk['id']) ?? '',
        model: textOrNull(chunk['model']) ?? '',
        usage: null,
      })
    }
    if (choice !== null) this.readChoice(choice, events)
    const usage = readOpenAiUsage(chunk['usage'])
    if (usage !== null) events.push({ kind: 'usage', usage })
    return events
  }

  private readChoice(choice: Record<string, unknown>, events: StreamEvent[]): void {
    const delta = isObject(choice['delta']) ? choice['delta'] : {}
    const [reasoning] = reasoningOf(delta)
    if (reasoning?.kind === 'reasoning')
      this.emit({ kind: 'reasoning-delta', text: reasoning.text }, 'reasoning', events)
    this.readText(choice, delta, events)
    const refusal = textOrNull(delta['refusal'])
    if (refusal !== null) {
      this.refused = true
      this.emit({ kind: 'refusal-delta', text: refusal }, 'refusal', events)
    }
    const calls = Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : []
    for (const call of calls) if (isObject(call)) this.readCall(call, events)
    this.readFinish(choice, events)
  }

  private readText(
    choice: Record<string, unknown>,
    delta: Record<string, unknown>,
    events: StreamEvent[],
  ): void {
    const logprobs = isObject(choice['logprobs']) ? decodeLogprobs(choice['logprobs']) : []
    if (logprobs.length > 0) events.push({ kind: 'logprobs', logprobs })
    const text = textOrNull(delta['content'])
    if (text !== null) {
      if (this.block !== 'text') this.runStart = this.textChars
      this.textChars += text.length
      this.emit({ kind: 'text-delta', text }, 'text', events)
    }
    if (delta['annotations'] === undefined) return
    for (const citation of decodeAnnotations(delta['annotations'])) {
      events.push({ kind: 'citation', citation: this.inRun(citation) })
    }
  }

  /** Positions count in the whole message here, in the text block there. */
  private inRun(citation: Citation): Citation {
    const { span } = citation
    if (span === null) return citation
    return {
      ...citation,
      span: { start: Math.max(0, span.start - this.runStart), end: Math.max(0, span.end - this.runStart) },
    }
  }

  private emit(event: StreamEvent, block: 'text' | 'reasoning' | 'refusal', events: StreamEvent[]): void {
    if (this.block !== block) this.blocks += 1
    this.block = block
    events.push(event)
  }

  private readCall(call: Record<string, unknown>, events: StreamEvent[]): void {
    const named = isObject(call['function']) ? call['function'] : {}
    const wireIndex = typeof call['index'] === 'number' ? call['index'] : null
    const id = textOrNull(call['id'])
    let open = this.callOf(wireIndex, id)
    if (open === null) {
      open = { wireIndex, id: id ?? `call_${this.calls.length}`, block: this.blocks }
      this.calls.push(open)
      this.blocks += 1
      this.block = 'call'
      events.push({
        kind: 'tool-call-start',
        index: open.block,
        id: open.id,
        name: textOrNull(named['name']) ?? '',
      })
    }
    const args = named['arguments']
    const argumentsJson = isObject(args) ? JSON.stringify(args) : textOrNull(args)
    if (argumentsJson !== null) events.push({ kind: 'tool-call-delta', index: open.block, argumentsJson })
  }

  /** The call a delta goes on with, or null: it begins a new one. */
  private callOf(wireIndex: number | null, id: string | null): OpenCall | null {
    if (id !== null) return this.calls.find((call) => call.id === id) ?? null
    const numbered = this.calls.findLast((call) => call.wireIndex === wireIndex)
    return numbered ?? (wireIndex === null ? (this.calls.at(-1) ?? null) : null)
  }

  private readFinish(choice: Record<string, unknown>, events: StreamEvent[]): void {
    const raw = textOrNull(choice['finish_reason'])
    const reason = finishReasonOf(choice, this.refused ? 'refused' : null)
    if (this.finished || raw === null || reason === null) return
    this.finished = true
    events.push({ kind: 'finish', reason, raw, stopSequence: null })
  }
}

export function firstChoice(choices: unknown): Record<string, unknown> | null {
  if (!Array.isArray(choices)) return null
  const first: unknown = choices.find((choice: unknown) => isObject(choice) && (choice['index'] ?? 0) === 0)
  return isObject(first) ? first : null
}
