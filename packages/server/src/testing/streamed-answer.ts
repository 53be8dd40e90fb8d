// An answer as the events of a stream, and back.

import type { Citation, Part, TokenLogprob } from '../core/model/message.js'
import type { ModelAnswer, StreamEvent } from '../wire/format.js'

export function eventsOf(answer: ModelAnswer): readonly StreamEvent[] {
  const { id, model, usage, finishReason: reason, rawFinishReason: raw, stopSequence, logprobs = [] } = answer
  return [
    { kind: 'start', id, model, usage: null },
    ...answer.parts.flatMap(partEvents),
    ...(logprobs.length > 0 ? [{ kind: 'logprobs', logprobs } as const] : []),
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
      if (part.redacted !== undefined) return [{ kind: 'reasoning-redacted', data: part.redacted }]
      const { text, signature } = part
      const signed = signature === undefined ? [] : [{ kind: 'reasoning-signature', signature } as const]
      return [{ kind: 'reasoning-delta', text }, ...signed]
    }
    case 'tool-call': {
      const { id, name, argumentsJson } = part
      return [
        { kind: 'tool-call-start', index, id, name },
        { kind: 'tool-call-delta', index, argumentsJson },
      ]
    }
    default:
      return []
  }
}

interface Growing {
  readonly parts: Part[]
  readonly calls: Map<number, number>
  readonly logprobs: TokenLogprob[]
}

export function answerOf(events: readonly StreamEvent[]): ModelAnswer {
  const into: Growing = { parts: [], calls: new Map(), logprobs: [] }
  for (const event of events) grow(into, event)
  const start = events.find((event) => event.kind === 'start')
  const finish = events.find((event) => event.kind === 'finish')
  const usage = events.findLast((event) => event.kind === 'usage')
  return {
    id: start?.id ?? '',
    model: start?.model ?? '',
    parts: into.parts,
    finishReason: finish?.reason ?? 'other',
    rawFinishReason: finish?.raw ?? null,
    stopSequence: finish?.stopSequence ?? null,
    usage: usage?.usage ?? null,
    ...(into.logprobs.length > 0 ? { logprobs: into.logprobs } : {}),
  }
}

function grow({ parts, calls, logprobs }: Growing, event: StreamEvent): void {
  const last = parts.at(-1)
  const at = parts.length - 1
  if (event.kind === 'text-delta') {
    if (last?.kind === 'text') parts[at] = { ...last, text: last.text + event.text }
    else parts.push({ kind: 'text', text: event.text })
  } else if (event.kind === 'citation') cite(parts, event.citation)
  else if (event.kind === 'reasoning-delta') {
    if (last?.kind === 'reasoning' && last.signature === undefined)
      parts[at] = { ...last, text: last.text + event.text }
    else parts.push({ kind: 'reasoning', text: event.text })
  } else if (event.kind === 'reasoning-signature') {
    if (last?.kind === 'reasoning') parts[at] = { ...last, signature: event.signature }
    else parts.push({ kind: 'reasoning', text: '', signature: event.signature })
  } else if (event.kind === 'reasoning-redacted')
    parts.push({ kind: 'reasoning', text: '', redacted: event.data })
  else if (event.kind === 'refusal-delta') {
    if (last?.kind === 'refusal') parts[at] = { ...last, text: last.text + event.text }
    else parts.push({ kind: 'refusal', text: event.text })
  } else if (event.kind === 'tool-call-start') {
    calls.set(event.index, parts.length)
    parts.push({ kind: 'tool-call', id: event.id, name: event.name, argumentsJson: '' })
  } else if (event.kind === 'tool-call-delta') {
    const where = calls.get(event.index) ?? -1
    const call = parts[where]
    if (call?.kind === 'tool-call')
      parts[where] = { ...call, argumentsJson: call.argumentsJson + event.argumentsJson }
  } else if (event.kind === 'logprobs') logprobs.push(...event.logprobs)
}

function cite(parts: Part[], citation: Citation): void {
  const at = parts.findLastIndex((part) => part.kind === 'text')
  const part = parts[at]
  if (part?.kind === 'text') parts[at] = { ...part, citations: [...(part.citations ?? []), citation] }
}
