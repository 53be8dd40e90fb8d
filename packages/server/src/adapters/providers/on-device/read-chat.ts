// What an OpenAI chat request asks of a local model. What the model cannot do is refused by the field's name;
// hints that change no answer (`user`, `store`, `service_tier`, ...) are let be.

import { isObject } from '../../../core/json.js'
import { grammarSchema } from './grammar-schema.js'
import type { ChatTurn, Grammar, Sampling } from './model-runner.js'
import { type Refusal, invalidValue, unsupported } from './openai-error.js'

export interface ChatAsk {
  readonly turns: readonly ChatTurn[]
  readonly stream: boolean
  readonly includeUsage: boolean
  /** null: until the model ends or its context is full. */
  readonly maxTokens: number | null
  readonly stops: readonly string[]
  readonly sampling: Sampling
  readonly grammar: Grammar
  readonly logprobs: boolean
  readonly topLogprobs: number
}

export type ReadChat =
  | { readonly kind: 'ask'; readonly ask: ChatAsk }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Carries a refusal out of the depth of a request; never leaves this file. */
class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

/** `randomSeed`: for requests that name none, 0..2^32-1. */
export function readChat(body: Uint8Array, randomSeed: number): ReadChat {
  try {
    return { kind: 'ask', ask: readAsk(parseObject(body), randomSeed) }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal }
    throw error
  }
}

type Body = Readonly<Record<string, unknown>>

function parseObject(body: Uint8Array): Body {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    if (isObject(value)) return value
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new Refused(invalidValue('body', 'The request body is not a JSON object.'))
}

function readAsk(body: Body, randomSeed: number): ChatAsk {
  refuseUnsupported(body)
  const logprobs = flag(body, 'logprobs')
  return {
    turns: readTurns(body['messages']),
    stream: flag(body, 'stream'),
    includeUsage: isObject(body['stream_options']) && body['stream_options']['include_usage'] === true,
    maxTokens: whole(body, 'max_completion_tokens', [1]) ?? whole(body, 'max_tokens', [1]),
    stops: readStops(body['stop']),
    sampling: {
      temperature: amount(body, 'temperature', [0, 2]) ?? 1,
      topP: amount(body, 'top_p', [0, 1]) ?? 1,
      // Any integer is a seed in the API, here only 32 bits of it.
      seed: (whole(body, 'seed', [Number.MIN_SAFE_INTEGER]) ?? randomSeed) >>> 0,
      frequencyPenalty: amount(body, 'frequency_penalty', [-2, 2]) ?? 0,
      presencePenalty: amount(body, 'presence_penalty', [-2, 2]) ?? 0,
    },
    grammar: readGrammar(body['response_format']),
    logprobs,
    topLogprobs: logprobs ? (whole(body, 'top_logprobs', [0, 20]) ?? 0) : 0,
  }
}

function refuseUnsupported(body: Body): void {
  const refuse = (name: string, what: string): never => {
    throw new Refused(unsupported(name, `'${name}' is not supported by on-device models: ${what}.`))
  }
  const { tools, functions, n, logit_bias: bias, modalities } = body
  if (Array.isArray(tools) && tools.length > 0 && body['tool_choice'] !== 'none') refuse('tools', 'no tools')
  if (Array.isArray(functions) && functions.length > 0) refuse('functions', 'no tools')
  if (n !== undefined && n !== null && n !== 1) refuse('n', 'one choice per call')
  if (isObject(bias) && Object.keys(bias).length > 0) refuse('logit_bias', 'token ids are the model’s own')
  if (Array.isArray(modalities) && modalities.some((one) => one !== 'text')) refuse('modalities', 'text only')
  if (isObject(body['audio'])) refuse('audio', 'text only')
  if (isObject(body['web_search_options'])) refuse('web_search_options', 'no tools')
}

const ROLES: Readonly<Record<string, ChatTurn['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
}

function readTurns(messages: unknown): readonly ChatTurn[] {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new Refused(invalidValue('messages', "'messages' must be a list of at least one message."))
  return messages.map((message: unknown, index) => readTurn(message, `messages[${index}]`))
}

function readTurn(message: unknown, at: string): ChatTurn {
  if (!isObject(message)) throw new Refused(invalidValue(at, `'${at}' must be an object.`))
  const role = typeof message['role'] === 'string' ? ROLES[message['role']] : undefined
  if (role === undefined) {
    const roles = Object.keys(ROLES).join(', ')
    throw new Refused(unsupported(`${at}.role`, `'${at}.role' must be one of ${roles} on a device.`))
  }
  const { tool_calls: calls } = message
  if (Array.isArray(calls) && calls.length > 0) {
    const place = `${at}.tool_calls`
    throw new Refused(unsupported(place, `'${place}' is not supported by on-device models: no tools.`))
  }
  return { role, text: readContent(message['content'], `${at}.content`) }
}

function readContent(content: unknown, at: string): string {
  if (typeof content === 'string') return content
  // An assistant's turn that only refused or called tools has none.
  if (content === null || content === undefined) return ''
  if (!Array.isArray(content))
    throw new Refused(invalidValue(at, `'${at}' must be text or a list of text parts.`))
  return content
    .map((part: unknown, index) => {
      const type = isObject(part) ? part['type'] : undefined
      const text = isObject(part) ? part[type === 'refusal' ? 'refusal' : 'text'] : undefined
      if ((type === 'text' || type === 'refusal') && typeof text === 'string') return text
      const place = `${at}[${index}]`
      throw new Refused(
        unsupported(`${place}.type`, `'${place}' must be text: on-device models take no other.`),
      )
    })
    .join('')
}

function readStops(stop: unknown): readonly string[] {
  if (stop === undefined || stop === null) return []
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  const texts = stops.filter((one) => typeof one === 'string')
  if (texts.length === stops.length && texts.length <= 4) return texts
  throw new Refused(invalidValue('stop', "'stop' must be text or a list of at most 4 texts."))
}

function readGrammar(format: unknown): Grammar {
  if (format === undefined || format === null) return { kind: 'text' }
  const type = isObject(format) ? format['type'] : undefined
  if (type === 'text') return { kind: 'text' }
  if (type === 'json_object') return { kind: 'json' }
  if (type !== 'json_schema' || !isObject(format)) {
    const message = "'response_format.type' must be text, json_object or json_schema."
    throw new Refused(invalidValue('response_format.type', message))
  }
  const at = 'response_format.json_schema.schema'
  const asked = format['json_schema']
  const read = grammarSchema(isObject(asked) ? asked['schema'] : undefined, at)
  if (read.kind === 'ok') return { kind: 'schema', schema: read.value }
  const [problem] = read.problems
  throw new Refused(
    unsupported(problem?.at ?? at, `'${problem?.at ?? at}' ${problem?.message ?? 'is invalid'}.`),
  )
}

function flag(body: Body, name: string): boolean {
  const value = body[name]
  if (value === undefined || value === null || value === false) return false
  if (value === true) return true
  throw new Refused(invalidValue(name, `'${name}' must be true or false.`))
}

function amount(body: Body, name: string, [low, high = Number.MAX_SAFE_INTEGER]: Bounds): number | null {
  const value = body[name]
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && value >= low && value <= high) return value
  const most = high === Number.MAX_SAFE_INTEGER ? '' : `, at most ${high}`
  throw new Refused(invalidValue(name, `'${name}' must be a number of at least ${low}${most}.`))
}

type Bounds = readonly [low: number, high?: number]

function whole(body: Body, name: string, bounds: Bounds): number | null {
  const value = amount(body, name, bounds)
  if (value === null || Number.isInteger(value)) return value
  throw new Refused(invalidValue(name, `'${name}' must be a whole number.`))
}
