// An answer as the events of a stream, and back.

import type { Citation, Part, TokenLogprob } from '../core/model/message.js'
import type { ModelAnswer } from './format.js'
import type { StreamEvent } from './stream-event.js'

export function eventsOf(answer: ModelAnswer): readonly StreamEvent[] {
  const { id, model, usage, finishReason: reason, rawFinishReason: raw, stopSequence, logprobs = [] } = answer
  return [
    { kind: 'start', id, model, usage },
    ...(logprobs.length > 0 ? [{ kind: 'logprobs', logprobs } as const] : []),
    ...answer.parts.flatMap(partEvents),
    { kind: 'finish', reason, raw, stopSequence },
    ...(usage === null ? [] : [{ kind: 'usage', usage } as const]),
    { kind: 'end' },
  ]
}

function partEvents(part: Part, index: number): readonly StreamEvent[] {
  switch (part.kind) {
    case 'text': {
      const cited = (part.citations ?? []).map((citation) => ({ kind: 'citation', citation }) as const)
      return [{ kind: 'text-delta', text: part.text }, ...cited]
    }
    case 'refusal':
      return [{ kind: 'refusal-delta', text: part.text }]
    case 'reasoning': {
      const { text, signature, redacted, id } = part
      if (redacted !== undefined) return [{ kind: 'reasoning-redacted', data: redacted, ...named(id) }]
      if (signature === undefined) return [{ kind: 'reasoning-delta', text }]
      return [
        { kind: 'reasoning-delta', text, signed: true },
        { kind: 'reasoning-signature', signature, ...named(id) },
      ]
    }
    case 'tool-call': {
      const { id, name, argumentsJson, signature } = part
      return [
        { kind: 'tool-call-start', index, id, name, ...(signature === undefined ? {} : { signature }) },
        { kind: 'tool-call-delta', index, argumentsJson },
      ]
    }
    default:
      return []
  }
}

/** null: the stream never said how it ended. */
export function answerOf(events: readonly StreamEvent[]): ModelAnswer | null {
  const parts = new GrowingParts()
  const logprobs: TokenLogprob[] = []
  for (const event of events) {
    if (event.kind === 'logprobs') logprobs.push(...event.logprobs)
    else parts.add(event)
  }
  const start = events.find((event) => event.kind === 'start')
  const finish = events.find((event) => event.kind === 'finish')
  const usage = events.findLast((event) => event.kind === 'usage')
  if (finish === undefined) return null
  return {
    id: start?.id ?? '',
    model: start?.model ?? '',
    parts: parts.all,
    finishReason: finish.reason,
    rawFinishReason: finish.raw,
    stopSequence: finish.stopSequence,
    usage: usage?.usage ?? null,
    ...(logprobs.length > 0 ? { logprobs } : {}),
  }
}

class GrowingParts {
  readonly all: Part[] = []
  // Where each call is, by its block's index.
  private readonly calls = new Map<number, number>()

  add(event: StreamEvent): void {
    switch (event.kind) {
      case 'text-delta':
        return this.append({ kind: 'text', text: event.text })
      case 'refusal-delta':
        return this.append({ kind: 'refusal', text: event.text })
      case 'reasoning-delta':
        return this.append({ kind: 'reasoning', text: event.text })
      case 'reasoning-signature':
        return this.sign(event)
      case 'reasoning-redacted':
        this.all.push({ kind: 'reasoning', text: '', redacted: event.data, ...named(event.id) })
        return
      case 'citation':
        return this.cite(event.citation)
      case 'tool-call-start': {
        const { index, id, name, signature } = event
        this.calls.set(index, this.all.length)
        const signed = signature === undefined ? {} : { signature }
        this.all.push({ kind: 'tool-call', id, name, argumentsJson: '', ...signed })
        return
      }
      case 'tool-call-delta':
        return this.argue(event.index, event.argumentsJson)
      default:
    }
  }

  private append(part: Extract<Part, { kind: 'text' | 'refusal' | 'reasoning' }>): void {
    const last = this.all.at(-1)
    const goesOn = last?.kind === part.kind && !('signature' in last) && !('redacted' in last)
    if (goesOn) this.all[this.all.length - 1] = { ...last, text: last.text + part.text }
    else this.all.push(part)
  }

  private sign({ signature, id }: Extract<StreamEvent, { kind: 'reasoning-signature' }>): void {
    const last = this.all.at(-1)
    const proof = { signature, ...named(id) }
    if (last?.kind === 'reasoning') this.all[this.all.length - 1] = { ...last, ...proof }
    else this.all.push({ kind: 'reasoning', text: '', ...proof })
  }

  private cite(citation: Citation): void {
    const at = this.all.findLastIndex((part) => part.kind === 'text')
    const part = this.all[at]
    if (part?.kind === 'text') this.all[at] = { ...part, citations: [...(part.citations ?? []), citation] }
  }

  private argue(index: number, argumentsJson: string): void {
    const at = this.calls.get(index) ?? -1
    const call = this.all[at]
    if (call?.kind === 'tool-call')
      this.all[at] = { ...call, argumentsJson: call.argumentsJson + argumentsJson }
  }
}

function named(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id }
}
