// What becomes of each field of a Responses request when it crosses to another format. Earlier turns
// (`previous_response_id`, `conversation`) are put into the input before a body comes here.

import type { Fields } from '../fields.js'

const isFalse = (value: unknown): boolean => value === false

export const OPENAI_RESPONSES_FIELDS: Fields = {
  translated: new Set([
    'model',
    'input',
    'instructions',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'max_output_tokens',
    'temperature',
    'top_p',
    'top_logprobs',
    'include',
    'reasoning',
    'text',
    'stream',
    'user',
    'safety_identifier',
    // The gateway's own: it keeps responses, and repeats what they were given.
    'store',
    'metadata',
  ]),
  hints: new Set([
    'service_tier',
    'stream_options',
    'truncation',
    // A limit for tools that the provider runs, which never cross.
    'max_tool_calls',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
  ]),
  neutral: { background: isFalse },
}

export const LOGPROBS = 'message.output_text.logprobs'
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content'
