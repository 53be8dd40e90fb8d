// Pieces of a streamed answer -> our events. Each piece is a whole answer of its own that goes on where the
// last one stopped. A finish reason is no end: older models send `STOP` with every piece, so the last one
// counts, and only when nothing was said after it.

import type { ReportedUsage } from '../../core/money/token-counts.js'
import type { StreamEvent } from '../stream-event.js'
import { readGeminiUsage } from '../usage.js'
import {
  type AnswerPart,
  type Fields,
  callId,
  endingOf,
  firstCandidate,
  partsOf,
  wordOf,
} from './candidate.js'
import { readCitations } from './citations.js'
import { type Ending, decodeFinishReason, failureOf } from './finish-reason.js'
import { readLogprobs } from './logprobs.js'

export class ChunkEvents {
  private id: string | null = null
  private started = false
  private blocks = 0
  private block: AnswerPart['kind'] | null = null
  private calls = 0
  private text = ''
  private readonly cited = new Set<string>()
  private ending: (Ending & { readonly blocked: boolean }) | null = null

  /** The body may end here. */
  get mayEnd(): boolean {
    return this.ending !== null
  }

  read(chunk: Fields): readonly StreamEvent[] {
    const events: StreamEvent[] = []
    const usage = readGeminiUsage(chunk['usageMetadata'])
    if (!this.started) {
      this.started = true
      this.id = wordOf(chunk['responseId'])
      const model = wordOf(chunk['modelVersion']) ?? ''
      events.push({ kind: 'start', id: this.id ?? '', model, usage: inputOnly(usage) })
    }
    const candidate = firstCandidate(chunk)
    if (candidate !== null) this.readCandidate(candidate, events)
    const ending = endingOf(chunk, candidate)
    if (ending !== null) this.ending = { ...ending, blocked: candidate === null }
    if (usage !== null) events.push({ kind: 'usage', usage })
    return events
  }

  /** Words of pieces that were like the last one. Positions of citations count text. */
  caughtUp(words: string): void {
    if (this.block === 'text') this.text += words
  }

  /** What a whole stream ends with. */
  end(): readonly StreamEvent[] {
    if (this.ending === null) return []
    const { raw, words, blocked } = this.ending
    const error = failureOf(this.ending)
    if (error !== null) return [{ kind: 'error', error }]
    const reason = decodeFinishReason(raw, { calls: this.calls > 0, blocked })
    return [
      ...(reason === 'refusal' && words !== null ? [{ kind: 'refusal-delta', text: words } as const] : []),
      { kind: 'finish', reason, raw, stopSequence: null },
      { kind: 'end' },
    ]
  }

  private readCandidate(candidate: Fields, events: StreamEvent[]): void {
    const logprobs = readLogprobs(candidate['logprobsResult'])
    if (logprobs.length > 0) events.push({ kind: 'logprobs', logprobs })
    for (const part of partsOf(candidate)) {
      if (part === null) continue
      if (part.kind === 'call' || part.text !== '') this.ending = null
      if (part.kind === 'call') this.readCall(part, events)
      else this.readWords(part, events)
    }
    this.readSources(candidate, events)
  }

  private readWords(
    { kind, text, signature }: Extract<AnswerPart, { kind: 'text' | 'thought' }>,
    events: StreamEvent[],
  ): void {
    if (text !== '') {
      if (this.block !== kind) this.blocks += 1
      this.block = kind
      if (kind === 'text') this.text += text
      events.push({ kind: kind === 'text' ? 'text-delta' : 'reasoning-delta', text })
    }
    if (signature !== null) events.push({ kind: 'reasoning-signature', signature })
  }

  private readCall(call: Extract<AnswerPart, { kind: 'call' }>, events: StreamEvent[]): void {
    const { id, name, argumentsJson, signature } = call
    const index = this.blocks
    events.push(
      {
        kind: 'tool-call-start',
        index,
        id: id ?? callId(this.id, this.calls),
        name,
        ...(signature === null ? {} : { signature }),
      },
      { kind: 'tool-call-delta', index, argumentsJson },
    )
    this.calls += 1
    this.blocks += 1
    this.block = 'call'
  }

  /** Sources are told again with every later piece, or once with the last. */
  private readSources(candidate: Fields, events: StreamEvent[]): void {
    for (const { citation } of readCitations(candidate, () => this.text)) {
      const key = JSON.stringify(citation)
      if (this.cited.has(key)) continue
      this.cited.add(key)
      events.push({ kind: 'citation', citation })
    }
  }
}

function inputOnly(usage: ReportedUsage | null): ReportedUsage | null {
  if (usage === null) return null
  const tokens = { ...usage.tokens, output: 0, reasoning: 0, audioOutput: 0 }
  return { tokens, providerTotals: { input: usage.providerTotals.input, output: null, total: null } }
}
