// The simulator's answers as OpenAI's responses API writes them, byte for byte: whole and streamed, every
// event. One event is one piece, so an event's number is its place.

import type { EncodeOptions } from './encode-openai.js'
import { logprobList } from './encode-openai.js'
import type { Piece, UsageReport } from './script.js'
import { NO_CHOICE, type SimAnswer, type SimChoice, type SimToolCall } from './sim-answer.js'
import type { SimRequest } from './sim-request.js'
import { hexName } from './seeded.js'

type Fields = Readonly<Record<string, unknown>>
type Status = 'in_progress' | 'completed' | 'incomplete'

export function encodeResponse(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Piece {
  const saying = sayingOf(request, answer, options)
  const body = responseObject(saying, saying.ending)
  return { text: JSON.stringify(body), tokensSoFar: answer.outputTokens, reports: options.usage }
}

/** Events in the order the API sends them; the one that repeats the whole response is the last piece. */
export function encodeResponseEvents(
  request: SimRequest,
  answer: SimAnswer,
  options: EncodeOptions,
): Piece[] {
  const saying = sayingOf(request, answer, options)
  const pieces: Piece[] = []
  let tokens = 0
  const push: Push = (type, fields, more = {}) => {
    tokens += more.tokens ?? 0
    const event = { type, sequence_number: pieces.length, ...fields }
    const text = `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`
    pieces.push({ text, tokensSoFar: tokens, reports: more.reports ?? null })
  }
  push('response.created', { response: responseObject(saying, 'in_progress') })
  push('response.in_progress', { response: responseObject(saying, 'in_progress') })
  const { toolCalls } = saying.choice
  if (toolCalls.length === 0) pushMessage(saying, push)
  toolCalls.forEach((call, index) => pushCall(saying, { call, index }, push))
  push(
    `response.${saying.ending}`,
    { response: responseObject(saying, saying.ending) },
    { reports: options.usage },
  )
  return pieces
}

/** The error a stream ends with when the server fails in the middle of it. `events`: how many came before. */
export function responseErrorFrame(body: string, events: number): string {
  const { error } = JSON.parse(body) as { error: Fields }
  return `event: error\ndata: ${JSON.stringify({ type: 'error', sequence_number: events, error })}\n\n`
}

interface Saying {
  readonly request: SimRequest
  readonly choice: SimChoice
  readonly options: EncodeOptions
  /** Of the response, without its prefix; those of its items are made of it. */
  readonly name: string
  readonly ending: Exclude<Status, 'in_progress'>
}

type Push = (
  type: string,
  fields: Fields,
  more?: { readonly tokens?: number; readonly reports?: UsageReport | null },
) => void

function sayingOf(request: SimRequest, answer: SimAnswer, options: EncodeOptions): Saying {
  const choice = answer.choices[0] ?? NO_CHOICE
  const ending = choice.finish === 'length' ? 'incomplete' : 'completed'
  // Of the time too: an id is never given twice, not even after a restart.
  const name = hexName(`${answer.id}\n${options.createdSeconds}`, 48)
  return { request, choice, options, name, ending }
}

function responseObject(saying: Saying, status: Status): Fields {
  const { request, options, name } = saying
  const isOver = status !== 'in_progress'
  return {
    id: `resp_${name}`,
    object: 'response',
    created_at: options.createdSeconds,
    status,
    background: false,
    completed_at: status === 'completed' ? options.createdSeconds : null,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    model: request.model,
    output: isOver ? outputOf(saying) : [],
    ...repeated(request),
    service_tier: isOver ? 'default' : 'auto',
    usage: isOver && options.usage !== null ? usageObject(options.usage) : null,
  }
}

/** What the API says again of the request, with its defaults. */
function repeated(request: SimRequest): Fields {
  const given = request.repeats ?? {}
  return {
    instructions: given['instructions'] ?? null,
    max_output_tokens: given['max_output_tokens'] ?? null,
    max_tool_calls: given['max_tool_calls'] ?? null,
    parallel_tool_calls: request.parallelToolCalls,
    previous_response_id: null,
    prompt_cache_key: given['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...(given['reasoning'] as Fields | null | undefined) },
    safety_identifier: given['safety_identifier'] ?? null,
    store: given['store'] ?? true,
    temperature: request.temperature ?? 1,
    text: {
      format: { type: 'text' },
      verbosity: 'medium',
      ...(given['text'] as Fields | null | undefined),
    },
    tool_choice: given['tool_choice'] ?? 'auto',
    tools: given['tools'] ?? [],
    top_logprobs: request.topLogprobs,
    top_p: given['top_p'] ?? 1,
    truncation: given['truncation'] ?? 'disabled',
    user: given['user'] ?? null,
    metadata: given['metadata'] ?? {},
  }
}

function outputOf(saying: Saying): Fields[] {
  const { toolCalls } = saying.choice
  if (toolCalls.length === 0) return [messageItem(saying, saying.ending)]
  return toolCalls.map((call, index) => callItem(saying, { call, index }, callStatus(saying, index)))
}

function pushMessage(saying: Saying, push: Push): void {
  const { request, choice } = saying
  const place = { item_id: messageId(saying), output_index: 0, content_index: 0 }
  const empty = { type: 'output_text', annotations: [], logprobs: [], text: '' }
  push('response.output_item.added', { output_index: 0, item: messageItem(saying, 'in_progress') })
  push('response.content_part.added', { ...place, part: empty })
  choice.tokens.forEach((token, at) => {
    const logprobs = logprobList(request, choice, { from: at, to: at + 1 }) ?? []
    push('response.output_text.delta', { ...place, delta: token, logprobs, ...padOf(saying, token, at) }, ONE)
  })
  const part = textPart(saying)
  push('response.output_text.done', { ...place, text: part.text, logprobs: part.logprobs })
  push('response.content_part.done', { ...place, part })
  push('response.output_item.done', { output_index: 0, item: messageItem(saying, saying.ending) })
}

const ONE = { tokens: 1 }

interface Called {
  readonly call: SimToolCall
  readonly index: number
}

function pushCall(saying: Saying, called: Called, push: Push): void {
  const { call, index } = called
  const place = { item_id: itemId(saying, index), output_index: index }
  push(
    'response.output_item.added',
    { output_index: index, item: { ...callItem(saying, called, 'in_progress'), arguments: '' } },
    ONE,
  )
  call.pieces.forEach((delta, at) => {
    push('response.function_call_arguments.delta', { ...place, delta, ...padOf(saying, delta, at) }, ONE)
  })
  push('response.function_call_arguments.done', {
    ...place,
    name: call.name,
    arguments: call.pieces.join(''),
  })
  const status = callStatus(saying, index)
  push('response.output_item.done', { output_index: index, item: callItem(saying, called, status) })
}

/** Only what was written last can have been cut. */
function callStatus({ choice, ending }: Saying, index: number): Status {
  return index === choice.toolCalls.length - 1 ? ending : 'completed'
}

function messageItem(saying: Saying, status: Status): Fields {
  const content = status === 'in_progress' ? [] : [textPart(saying)]
  return { id: messageId(saying), type: 'message', status, content, role: 'assistant' }
}

function textPart({ request, choice }: Saying) {
  const logprobs = logprobList(request, choice, { from: 0, to: choice.tokens.length }) ?? []
  return { type: 'output_text', annotations: [], logprobs, text: choice.tokens.join('') }
}

function callItem(saying: Saying, { call, index }: Called, status: Status): Fields {
  return {
    id: itemId(saying, index),
    type: 'function_call',
    status,
    arguments: call.pieces.join(''),
    call_id: `call_${call.id}`,
    name: call.name,
  }
}

function messageId({ name }: Saying): string {
  return `msg_${name}`
}

function itemId({ name }: Saying, index: number): string {
  return `fc_${hexName(`${name}\n${index}`, 48)}`
}

const PADDING = 'aB3dE5gH7jK9mN1pQ'
const PADDED_TO = 16

/** What hides a delta's length from who listens on the line, unless it is not wanted. */
function padOf({ request }: Saying, delta: string, at: number): Fields {
  const options = request.repeats?.['stream_options'] as Fields | null | undefined
  if (options?.['include_obfuscation'] === false) return {}
  const from = at % 2
  return { obfuscation: PADDING.slice(from, from + PADDED_TO - (delta.length % PADDED_TO)) }
}

function usageObject(usage: { readonly inputTokens: number; readonly outputTokens: number }): Fields {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
}
