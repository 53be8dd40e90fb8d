// Conversations of the Responses API: an answer that was not sent with `store: false` is kept under its id,
// so that the next call can name it instead of sending everything again, whichever provider answers that
// one. Kept as long as the contract keeps content; each tenant sees its own only.

import { isObject, type JsonObject } from '../core/json.js'
import type { TaskId } from '../core/ids.js'
import type { Deployment } from '../core/release/release.js'
import { itemsOfAnswer } from '../wire/openai-responses/history.js'
import { callerSide } from '../wire/scan-frames.js'
import type { Answer } from './answer/answer.js'
import type { MadeAnswer } from './answer/make-answer.js'
import type { Engine } from './engine.js'
import { type Refusal, refused } from './refusal.js'
import { type KeptTurn, type Step, keptUntilMs } from './step-context.js'

/** A response as it was given, and what led to it. */
export interface KeptResponse extends KeptTurn {
  readonly task: TaskId
  readonly response: JsonObject
  /** Whose answer it is; null: nobody's, as no model was called. */
  readonly provider: string | null
}

/** Turns of one conversation. Each costs a read of the books. */
const TURNS_MAX = 500
/** Longest id that is looked up. */
const ID_CHARS_MAX = 128

function referenceOf(tenant: string, id: string): string {
  return `response:${tenant}:${id}`
}

/** Written before the step, so it is durable when the caller gets the last bytes. */
export function keepResponse(step: Step, answer: Answer | MadeAnswer, deployment: Deployment | null): void {
  const { call, engine, task } = step
  const response = call.keeps === undefined ? null : responseOf(step, answer)
  const id = response?.['id']
  if (call.keeps === undefined || response === null || typeof id !== 'string' || id === '') return
  engine.books.saveContent({
    task: task.id,
    reference: referenceOf(call.tenant.name, id),
    text: JSON.stringify({
      ...call.keeps,
      task: task.id,
      response,
      provider: deployment?.provider ?? null,
    } satisfies KeptResponse),
    deleteAfterMs: keptUntilMs(step),
  })
}

/** The whole response, of a stream too. null: it did not end as one. */
function responseOf(step: Step, answer: Answer | MadeAnswer): JsonObject | null {
  if ('scanner' in answer) {
    // Its last frames are written now where it was cut, and go out once the books have it.
    if (answer.end.kind === 'cut') step.format.cutFrames(answer.scanner)
    return callerSide(answer.scanner).whole?.() ?? null
  }
  if ('stream' in answer && answer.stream) {
    const scanner = step.format.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    scanner.push(answer.body)
    return scanner.whole?.() ?? null
  }
  return JSON.parse(Buffer.from(answer.body).toString('utf8')) as JsonObject
}

export async function loadResponse(
  engine: Engine,
  tenant: string,
  id: string,
): Promise<KeptResponse | Refusal> {
  const isId = id.length <= ID_CHARS_MAX
  const text = isId ? await engine.archive.loadContent(referenceOf(tenant, id)) : null
  const kept: unknown = text === null ? null : JSON.parse(text)
  if (isObject(kept)) return kept as unknown as KeptResponse
  return refused('response.unknown', `No response with the id '${id.slice(0, 64)}' is stored.`)
}

export interface Conversation {
  /** Everything said, oldest first. */
  readonly items: readonly JsonObject[]
  /** As of `ModelCall.thoughts`. */
  readonly thoughts: ReadonlyMap<string, string>
}

/** Up to and with this response. */
export async function conversationOf(
  engine: Engine,
  tenant: string,
  id: string,
): Promise<Conversation | Refusal> {
  const turns: (readonly JsonObject[])[] = []
  const thoughts = new Map<string, string>()
  let next: string | null = id
  while (next !== null) {
    if (turns.length >= TURNS_MAX) {
      return refused('request.invalid', `The conversation has more than ${TURNS_MAX} turns; begin a new one.`)
    }
    const kept: KeptResponse | Refusal = await loadResponse(engine, tenant, next)
    if ('kind' in kept) return kept
    const said = itemsOfAnswer(kept.response)
    turns.push([...kept.input, ...said])
    for (const { type, id: thought } of said) {
      if (type === 'reasoning' && typeof thought === 'string' && kept.provider !== null) {
        thoughts.set(thought, kept.provider)
      }
    }
    next = kept.previous
  }
  return { items: turns.toReversed().flat(), thoughts }
}

export function forgetResponse(
  engine: Engine,
  tenant: string,
  { id, task }: { readonly id: string; readonly task: TaskId },
): void {
  const reference = referenceOf(tenant, id)
  engine.books.saveContent({ task, reference, text: '', deleteAfterMs: engine.system.nowMs() })
}
