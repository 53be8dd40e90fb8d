// What becomes of each field of a chat completion request when it crosses to another format.

import type { Fields } from '../fields.js'

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && Object.keys(value ?? {}).length === 0

export const OPENAI_CHAT_FIELDS: Fields = {
  translated: new Set([
    'model',
    'messages',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'max_tokens',
    'max_completion_tokens',
    'temperature',
    'top_p',
    'seed',
    'presence_penalty',
    'frequency_penalty',
    'logprobs',
    'top_logprobs',
    'reasoning_effort',
    'stop',
    'stream',
    'stream_options',
    'response_format',
    'user',
    'safety_identifier',
  ]),
  hints: new Set([
    'metadata',
    'store',
    'service_tier',
    'prediction',
    'verbosity',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
  ]),
  neutral: {
    n: (value) => value === 1,
    logit_bias: isEmpty,
    functions: (value) => Array.isArray(value) && value.length === 0,
    modalities: (value) => Array.isArray(value) && value.every((item) => item === 'text'),
  },
}
