// Scans a chat completion stream for a caller who speaks the same format. Usage may come in a chunk of its
// own, in the last content chunk, in the finish chunk or in every chunk: the last one stands, and a caller
// who asked gets it once, in a chunk of its own, right before [DONE].

import { isObject, type JsonObject } from '../../core/json.js'
import { parseJson } from '../fields.js'
import { appendMember, spliceObject } from '../json-splice.js'
import { readErrorObject } from '../read-error.js'
import { FrameScanner } from '../scan-frames.js'
import { dataFrame } from '../sse.js'
import { stripLogprobs } from '../strip-logprobs.js'
import { readOpenAiUsage } from '../usage.js'
import { finishReasonOf, textOrNull } from './answer.js'
import { ChunkEvents, firstChoice } from './chunk-events.js'
import { tokenLogprobs } from './logprobs.js'
import { LooseToolCalls } from './loose-tool-calls.js'
import { DeltaSkeleton, fromLatin1 } from './delta-skeleton.js'
import { plainFrame } from './plain-frame.js'

const DONE = Buffer.from('data: [DONE]\n\n')
const NO_CHOICES = /"choices": ?\[\]/

type Chunk = Record<string, unknown>

/** Where the usage that counts was seen. */
type UsageChunk =
  | { readonly kind: 'own'; readonly data: string }
  | { readonly kind: 'inline'; readonly chunk: Chunk }

export class OpenAiChatScanner extends FrameScanner {
  private readonly events = new ChunkEvents()
  private readonly texts = new DeltaSkeleton('content')
  private readonly pieces = new DeltaSkeleton('arguments')
  private readonly toolCalls = new LooseToolCalls()
  private usageChunk: UsageChunk | null = null
  private done: Buffer | null = null
  private firstFrame: Buffer | null = null
  private refused = false

  get keepUsage(): boolean {
    return this.options.keepUsage
  }

  /** What every chunk of this stream repeats: id, model, created. */
  identity(): JsonObject {
    const data = this.firstFrame === null ? null : this.fieldsOf(this.firstFrame)?.data
    return identityOf(typeof data === 'string' ? parseJson(data) : null)
  }

  protected take(frame: Buffer): Buffer | null {
    const latin1 = frame.toString('latin1')
    const text = this.texts.textOf(latin1)
    if (text !== null) {
      this.facts.deltas += 1
      if (this.options.collect) this.facts.text += fromLatin1(text)
      return frame
    }
    if (this.isKnownPiece(latin1)) {
      this.facts.deltas += 1
      return frame
    }
    const plain = plainFrame(latin1, this.options.keepLogprobs)
    if (plain === 'look' || (plain === 'delta' && this.toolCalls.concerns(latin1))) return this.look(frame)
    // Azure tells of its filters before the answer, in a chunk without choices, id or model: whoever reads
    // the first choice of every chunk would stumble.
    if (plain === 'empty' && NO_CHOICES.test(latin1)) return null
    if (plain === 'delta') this.texts.learn(latin1)
    if (this.options.collect) return this.look(frame)
    if (plain === 'delta') {
      this.pieces.learn(latin1)
      this.facts.deltas += 1
    }
    this.firstFrame ??= Buffer.from(frame)
    return frame
  }

  /** Arguments of a call that needs no mending, and that nobody collects. */
  private isKnownPiece(latin1: string): boolean {
    return !this.toolCalls.isRenumbered && this.pieces.textOf(latin1) !== null
  }

  protected kept(extra: string | null): readonly (Buffer | null)[] {
    return [this.options.keepUsage ? usageFrame(this.usageChunk, extra) : null, this.done]
  }

  private look(frame: Buffer): Buffer | null {
    const fields = this.fieldsOf(frame)
    if (fields === null) return null
    if (fields.data === null) return frame
    if (fields.data.trim() === '[DONE]') {
      this.facts.ended = true
      this.done = DONE
      return null
    }
    const chunk = parseJson(fields.data)
    const error = isObject(chunk) && isError(chunk, fields.event) ? readErrorObject(chunk) : null
    if (error !== null) this.facts.error = error
    else if (!isObject(chunk) || !Array.isArray(chunk['choices'])) this.facts.malformed = true
    else return this.takeMended(frame, { data: fields.data, chunk, choices: chunk['choices'] })
    return null
  }

  private takeMended(frame: Buffer, whole: Whole): Buffer | null {
    const chunk = whole.data.includes('"tool_calls"') ? this.toolCalls.mend(whole.chunk) : null
    if (chunk === null) return this.takeChunk(frame, whole)
    const data = JSON.stringify(chunk)
    return this.takeChunk(Buffer.from(dataFrame(data)), { data, chunk, choices: whole.choices })
  }

  private takeChunk(frame: Buffer, { data, chunk, choices }: Whole): Buffer | null {
    this.firstFrame ??= Buffer.from(frame)
    if (this.options.collect) this.facts.collect(this.events.read(chunk))
    const hasUsage = isObject(chunk['usage'])
    if (hasUsage) this.facts.usage = readOpenAiUsage(chunk['usage'])
    if (hasUsage && choices.length === 0) {
      this.usageChunk = { kind: 'own', data }
      return null
    }
    if (hasUsage) this.usageChunk = { kind: 'inline', chunk }
    this.readChoices(choices)
    const strip = !this.options.keepLogprobs && data.includes('"logprobs"')
    if (!hasUsage && !strip) return frame
    const stripped = strip ? stripLogprobs(Buffer.from(data)) : Buffer.from(data)
    // Whoever asked gets it in a chunk of its own; whoever did not, not at all.
    const usage = this.options.keepUsage ? 'null' : null
    return Buffer.from(dataFrame((hasUsage ? spliceObject(stripped, { usage }) : stripped).toString('utf8')))
  }

  private readChoices(choices: readonly unknown[]): void {
    if (choices.some(carriesContent)) this.facts.deltas += 1
    const first = firstChoice(choices)
    if (first === null) return
    if (this.options.collect) this.facts.addLogprobs(tokenLogprobs(first['logprobs']))
    this.refused ||= isObject(first['delta']) && textOrNull(first['delta']['refusal']) !== null
    this.facts.finishReason ??= finishReasonOf(first, this.refused ? 'refused' : null)
  }
}

interface Whole {
  readonly data: string
  readonly chunk: Chunk
  readonly choices: readonly unknown[]
}

function isError(chunk: Chunk, event: string | null): boolean {
  return (
    isObject(chunk['error']) ||
    textOrNull(chunk['error']) !== null ||
    event === 'error' ||
    chunk['object'] === 'error'
  )
}

const CONTENT_FIELDS = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const

function carriesContent(choice: unknown): boolean {
  if (!isObject(choice) || !isObject(choice['delta'])) return false
  const { delta } = choice
  if (CONTENT_FIELDS.some((field) => textOrNull(delta[field]) !== null)) return true
  return (
    (Array.isArray(delta['tool_calls']) && delta['tool_calls'].length > 0) || isObject(delta['function_call'])
  )
}

function usageFrame(usageChunk: UsageChunk | null, extra: string | null): Buffer | null {
  if (usageChunk === null) return null
  const json = usageChunk.kind === 'own' ? usageChunk.data : JSON.stringify(usageOnly(usageChunk.chunk))
  const bytes = extra === null ? json : appendMember(Buffer.from(json), 'spillway', extra).toString('utf8')
  return Buffer.from(dataFrame(bytes))
}

function usageOnly(chunk: Chunk): Record<string, unknown> {
  return { ...identityOf(chunk), choices: [], usage: chunk['usage'] }
}

function identityOf(chunk: unknown): JsonObject {
  const { id, created, model } = isObject(chunk) ? chunk : {}
  return {
    id: typeof id === 'string' ? id : '',
    object: 'chat.completion.chunk',
    created: typeof created === 'number' ? created : 0,
    model: typeof model === 'string' ? model : '',
  }
}
