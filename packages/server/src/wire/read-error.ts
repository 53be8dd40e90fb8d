// A provider's error body, whoever wrote it: OpenAI, Anthropic, vLLM, Ollama, FastAPI, or a proxy's HTML
// page. One reader for all formats, because what stands before a provider answers in its own.

import { isObject } from '../core/json.js'
import { parseJson } from './fields.js'
import type { ProviderError } from './format.js'
import { redactKeys } from './redact-keys.js'

const MESSAGE_CHARS_MAX = 1_000
const PLAIN_TEXT_CHARS_MAX = 200

export function readError(status: number, body: string): ProviderError {
  const parsed = parseJson(body)
  return readErrorObject(parsed) ?? { type: null, code: null, message: withoutJson(status, body) }
}

/** The error in a parsed body or stream frame, or null when it holds none. */
export function readErrorObject(body: unknown): ProviderError | null {
  if (!isObject(body)) return null
  const { error } = body
  if (typeof error === 'string' && error !== '') return { type: null, code: null, message: tidied(error) }
  const inner = isObject(error) ? error : body
  const message = firstText(inner['message'], inner['detail'], inner['error_description'], body['detail'])
  if (!isObject(error) && message === null) return null
  return { type: word(inner['type']), code: word(inner['code']), message: tidied(message ?? 'no message') }
}

function firstText(...candidates: readonly unknown[]): string | null {
  const found = candidates.find((candidate) => typeof candidate === 'string' && candidate !== '')
  return typeof found === 'string' ? found : null
}

// vLLM gives the HTTP status as a number in `code`.
function word(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return redactKeys(value.slice(0, 100))
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null
}

function withoutJson(status: number, body: string): string {
  const text = body.trim()
  const readable = text !== '' && text.length <= PLAIN_TEXT_CHARS_MAX && !/[<{[]/.test(text)
  return readable ? tidied(text) : `HTTP ${status} without a readable error`
}

function tidied(message: string): string {
  const redacted = redactKeys(message.slice(0, MESSAGE_CHARS_MAX * 2))
  return redacted.length > MESSAGE_CHARS_MAX ? `${redacted.slice(0, MESSAGE_CHARS_MAX)}…` : redacted
}
