// A request in our types that asks for nothing special, for tests to change.

import { type ModelRequest, NOT_ASKED } from '../core/model/message.js'

export function modelRequest(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    ...NOT_ASKED,
    model: 'anthropic.claude-sonnet-4-20250514-v1:0',
    messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxOutputTokens: 100,
    temperature: null,
    topP: null,
    stop: [],
    stream: false,
    includeUsage: true,
    json: null,
    user: null,
    ...changes,
  }
}
