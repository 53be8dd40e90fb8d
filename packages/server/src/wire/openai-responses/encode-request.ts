// Our types -> a Responses request. The provider stores nothing: what earlier turns hold is in the input.
// Where this format has no word for something that carries meaning, the problem names it; `leavesOut` lists
// the hints.

import { saidPartHints } from '../openai-chat/leaves-out.js'
import type { JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, Part, ReasoningAsk, ToolChoice } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { concluded } from '../fields.js'
import { held, hintsInParts } from '../hint-places.js'
import { encodeInput, isOwnThought } from './encode-input.js'
import { ENCRYPTED_REASONING, LOGPROBS } from './fields.js'

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  checkSayable(request, problems)
  const [instructions, messages] = splitInstructions(request.messages)
  const include = included(request)
  const body: JsonObject = {
    model: request.model,
    ...present('instructions', instructions),
    input: encodeInput(messages),
    ...encodeTools(request),
    ...present('max_output_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...(request.topLogprobs === null || request.topLogprobs === 0
      ? {}
      : { top_logprobs: request.topLogprobs }),
    ...(request.reasoning === null ? {} : encodeReasoningAsk(request.reasoning)),
    ...(request.json === null ? {} : { text: { format: encodeFormat(request.json) } }),
    ...(include.length > 0 ? { include } : {}),
    ...present('safety_identifier', request.user),
    store: false,
    ...(request.stream ? { stream: true } : {}),
  }
  return concluded(body, problems)
}

const UNSAYABLE = {
  topK: 'top_k',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
} as const

function checkSayable(request: ModelRequest, problems: Problem[]): void {
  if (request.stop.length > 0) {
    problems.push({ at: 'stop', message: 'stop sequences cannot be expressed in the other format' })
  }
  for (const key of ['topK', 'presencePenalty', 'frequencyPenalty'] as const) {
    const value = request[key]
    if (value === null || (value === 0 && key !== 'topK')) continue
    problems.push({ at: UNSAYABLE[key], message: 'cannot be expressed in the other format' })
  }
  if (request.messages.at(-1)?.role === 'assistant') {
    problems.push({
      at: `messages[${request.messages.length - 1}]`,
      message: 'an answer that is begun for the model cannot be expressed in the other format',
    })
  }
}

/** What of `request` has no place here and asks for nothing that changes what the answer means. */
export function leavesOut(request: ModelRequest): string[] {
  const { reasoning } = request
  return [
    ...held(request, ['seed']),
    // Told as the effort that comes closest.
    ...(reasoning?.budgetTokens === null || reasoning === null ? [] : ['reasoning.budgetTokens']),
    ...request.tools.flatMap((tool, index) =>
      held(tool, ['cacheControl']).map((name) => `tools[${index}].${name}`),
    ),
    ...hintsInParts(request.messages, hintsOf),
  ]
}

function hintsOf(part: Part): readonly string[] {
  if (part.kind !== 'reasoning') return saidPartHints(part)
  return isOwnThought(part) ? [] : ['']
}

function present(name: string, value: string | number | boolean | null): JsonObject {
  return value === null ? {} : { [name]: value }
}

/** A first message of the system that is one text has a field of its own. */
function splitInstructions(messages: readonly Message[]): readonly [string | null, readonly Message[]] {
  const [first, ...rest] = messages
  const only = first?.role === 'system' && first.parts.length === 1 ? first.parts[0] : undefined
  return only?.kind === 'text' ? [only.text, rest] : [null, messages]
}

function encodeTools(request: ModelRequest): JsonObject {
  if (request.tools.length === 0) return {}
  const tools = request.tools.map((tool) => ({
    type: 'function',
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    parameters: tool.parameters,
    // Unlike elsewhere, a tool here is strict unless it says that it is not.
    strict: tool.strict ?? false,
  }))
  return {
    tools,
    ...(request.toolChoice === null ? {} : { tool_choice: encodeToolChoice(request.toolChoice) }),
    ...present('parallel_tool_calls', request.parallelToolCalls),
  }
}

function encodeToolChoice(choice: ToolChoice): string | JsonObject {
  return choice.kind === 'tool' ? { type: 'function', name: choice.name } : choice.kind
}

function encodeFormat(json: NonNullable<ModelRequest['json']>): JsonObject {
  if (json.schema === null) return { type: 'json_object' }
  return { type: 'json_schema', name: json.name, schema: json.schema, strict: json.strict }
}

function encodeReasoningAsk({ effort, budgetTokens, visible }: ReasoningAsk): JsonObject {
  const level = effort ?? (budgetTokens === null ? null : effortFor(budgetTokens))
  const summary = visible ? { summary: 'auto' } : {}
  return { reasoning: { ...present('effort', level), ...summary } }
}

const LOW_TOKENS_MAX = 4_096
const MEDIUM_TOKENS_MAX = 16_384

function effortFor(budgetTokens: number): string {
  if (budgetTokens <= LOW_TOKENS_MAX) return 'low'
  return budgetTokens <= MEDIUM_TOKENS_MAX ? 'medium' : 'high'
}

/** Encrypted thoughts are refused by models that do not think, so only those who ask for thoughts ask. */
function included(request: ModelRequest): readonly string[] {
  const thinks =
    (request.reasoning !== null && request.reasoning.effort !== 'none') ||
    request.messages.some(({ parts }) =>
      parts.some((part) => part.kind === 'reasoning' && isOwnThought(part)),
    )
  return [...(thinks ? [ENCRYPTED_REASONING] : []), ...(request.topLogprobs === null ? [] : [LOGPROBS])]
}
