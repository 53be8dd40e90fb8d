// What becomes of each field of a Messages request when it crosses to another format.

import type { Fields } from '../fields.js'

export const ANTHROPIC_FIELDS: Fields = {
  translated: new Set([
    'model',
    'system',
    'messages',
    'tools',
    'tool_choice',
    'max_tokens',
    'temperature',
    'top_p',
    'top_k',
    'thinking',
    'stop_sequences',
    'stream',
    'metadata',
    'output_config',
    'output_format',
  ]),
  hints: new Set([
    'cache_control',
    'context_management',
    'diagnostics',
    'prompt_cache_key',
    'service_tier',
    'speed',
  ]),
  neutral: {},
}
