// Response streams for tests: across formats, and the official client's reading of them without a socket.

import OpenAI from 'openai'
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import type { CallerWire, Wire } from '../core/release/release.js'
import { scannerBetween } from '../wire/translate-stream.js'
import { valuesOf } from './recorded-streams.js'
import { type Extra, answering } from './translated-stream.js'

export const RESPONSES_NAMES = [
  'text',
  'reasoning-and-calls',
  'interleaved-calls',
  'encrypted-reasoning',
  'refusal',
  'structured',
  'incomplete',
  'logprobs',
]

export const BROKEN_NAMES = ['failed', 'error-in-band']

interface Between {
  readonly from: Wire
  readonly to: CallerWire
  readonly collect?: boolean
  readonly extra?: Extra
  readonly request?: unknown
}

export function between(chunks: readonly Uint8Array[], options: Between) {
  const { from, to, collect = false, extra = null, request } = options
  const scanner = scannerBetween({
    from,
    to,
    model: 'asked-for',
    answerId: 'answer_1',
    estimatedInputTokens: 7,
    createdSeconds: 1_700_000_000,
    keepUsage: true,
    keepLogprobs: true,
    collect,
    request,
  })
  const passed = chunks.map((chunk) => Buffer.from(scanner.push(chunk) ?? [])).join('')
  const kept = Buffer.from(scanner.finish(extra === null ? null : JSON.stringify(extra)) ?? []).toString()
  return { passed, kept, frames: passed + kept, scanner }
}

export function clientFor(frames: string): OpenAI {
  return new OpenAI({ apiKey: 'none', fetch: answering(frames), maxRetries: 0 })
}

/** The final response of the client's stream helper, and what its own reading of the deltas came to. */
export async function readByResponses(frames: string) {
  const stream = clientFor(frames).responses.stream({ model: 'm', input: 'Hi' })
  const said = { text: '', calls: new Map<number, string>() }
  const sequence: number[] = []
  for await (const event of stream) {
    sequence.push(event.sequence_number)
    if (event.type === 'response.output_text.delta') said.text += event.delta
    if (event.type === 'response.function_call_arguments.delta') {
      said.calls.set(event.output_index, (said.calls.get(event.output_index) ?? '') + event.delta)
    }
  }
  return { response: await stream.finalResponse(), said, sequence }
}

/** What the client's accumulator has before the last event, and what the last event says. */
export function accumulated(frames: string): {
  readonly grown: Response | undefined
  readonly final: Response
} {
  const events = valuesOf(frames) as unknown as ResponseStreamEvent[]
  let grown: Response | undefined
  for (const event of events.slice(0, -1)) grown = accumulateResponse(event, grown)
  return { grown, final: accumulateResponse(events.at(-1) as ResponseStreamEvent, grown) }
}
