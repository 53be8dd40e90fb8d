// Requests decoded from one format and encoded in the other, for tests; a problem comes as its place.

import type { JsonObject } from '../core/json.js'
import type { Parsed } from '../core/parsed.js'
import { anthropicMessages } from '../wire/anthropic-messages.js'
import type { WireFormat } from '../wire/format.js'
import { openAiChat } from '../wire/openai-chat.js'

interface Crossing {
  readonly from: WireFormat
  readonly to: WireFormat
  /** For a request that names none. Default 100. */
  readonly maxOutputTokens?: number | null
}

export function translate(body: object, { from, to, maxOutputTokens = 100 }: Crossing): Parsed<JsonObject> {
  const request = from.decodeRequest(body)
  if (request.kind === 'invalid') return request
  const limit = request.value.maxOutputTokens ?? maxOutputTokens
  return to.encodeRequest({ ...request.value, maxOutputTokens: limit })
}

export function toAnthropic(body: object) {
  const result = translate(
    { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body },
    { from: openAiChat, to: anthropicMessages },
  )
  return result.kind === 'ok' ? result.value : { problems: result.problems.map((problem) => problem.at) }
}

export function toOpenAi(body: object) {
  const result = translate(
    { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...body },
    { from: anthropicMessages, to: openAiChat },
  )
  return result.kind === 'ok' ? result.value : { problems: result.problems.map((problem) => problem.at) }
}

export const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
export const openAiTool = {
  type: 'function',
  function: { name: 'get_weather', description: 'Now', parameters: schema },
}
export const anthropicTool = { name: 'get_weather', description: 'Now', input_schema: schema }
export const call = (id: string, city: string) => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
export const use = (id: string, city: string) => ({
  type: 'tool_use',
  id,
  name: 'get_weather',
  input: { city },
})
