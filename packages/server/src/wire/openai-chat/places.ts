// Where in a chat completion request our message model's fields and parts stand. Results of tools in a row
// are one message there; what an assistant thought, said and called are parts of one.

import { isObject } from '../../core/json.js'
import { type CallerPlaces, contentPlaces } from '../caller-place.js'
import { reasoningOf } from './decode-messages.js'

export function places(body: unknown): CallerPlaces {
  const fields = isObject(body) ? body : {}
  const said: readonly unknown[] = Array.isArray(fields['messages']) ? fields['messages'] : []
  const messages: string[][] = []
  let isResult = false
  for (const [index, message] of said.entries()) {
    const at = `messages[${index}]`
    const follows = isResult
    isResult = isObject(message) && message['role'] === 'tool'
    const last = messages.at(-1)
    if (isResult && follows && last !== undefined) last.push(at)
    else messages.push(isResult ? [at] : partPlaces(message, at))
  }
  const limit = fields['max_completion_tokens'] === undefined ? 'max_tokens' : 'max_completion_tokens'
  const logprobs = fields['top_logprobs'] === undefined ? 'logprobs' : 'top_logprobs'
  return {
    fields: new Map([
      ['max_tokens', limit],
      ['logprobs', logprobs],
      ['top_logprobs', logprobs],
    ]),
    messages,
  }
}

function partPlaces(message: unknown, at: string): string[] {
  if (!isObject(message)) return [at]
  const { content, refusal, tool_calls: calls } = message
  const isSaid = content !== undefined && content !== null && content !== ''
  return [
    ...reasoningOf(message).map(() => `${at}.reasoning_content`),
    ...(isSaid ? contentPlaces(content, `${at}.content`) : []),
    ...(typeof refusal === 'string' && refusal !== '' ? [`${at}.refusal`] : []),
    ...(Array.isArray(calls) ? contentPlaces(calls, `${at}.tool_calls`) : []),
  ]
}
