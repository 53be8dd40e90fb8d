// Which calls a device can take, and how they read there. A call with anything in it that a device does not
// know (tools, images, log probabilities) is not bent into shape: it goes to the server.

import { isRecord } from '../spillway-error.js'
import type { DeviceMessage, DeviceRequest } from './runner.js'

/** Members that say nothing to a device: left out there, not refused. */
const SILENT = ['model', 'stream', 'stream_options', 'user', 'metadata', 'seed', 'store']

const CHAT_MEMBERS = new Set([
  ...SILENT,
  'messages',
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'response_format',
])

const MESSAGES_MEMBERS = new Set([
  ...SILENT,
  'messages',
  'system',
  'temperature',
  'top_p',
  'max_tokens',
  'stop_sequences',
])

/** null: not a call for a device. */
export function deviceRequestOfChat(body: object): DeviceRequest | null {
  const asked = known(body, CHAT_MEMBERS)
  if (asked === null) return null
  const messages = messagesOf(asked['messages'])
  const jsonSchema = schemaOf(asked['response_format'])
  const stop = stopsOf(asked['stop'])
  if (messages === null || jsonSchema === undefined || stop === null) return null
  const maxOutputTokens = numberOf(asked['max_completion_tokens'] ?? asked['max_tokens'])
  return { messages, jsonSchema, stop, maxOutputTokens, ...samplingOf(asked) }
}

/** null: not a call for a device. */
export function deviceRequestOfMessages(body: object): DeviceRequest | null {
  const asked = known(body, MESSAGES_MEMBERS)
  if (asked === null) return null
  const system = asked['system'] === undefined ? '' : textOf(asked['system'])
  const messages = messagesOf(asked['messages'])
  const stop = stopsOf(asked['stop_sequences'])
  if (system === null || messages === null || stop === null) return null
  return {
    messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
    jsonSchema: null,
    stop,
    maxOutputTokens: numberOf(asked['max_tokens']),
    ...samplingOf(asked),
  }
}

type Members = Readonly<Record<string, unknown>>

function known(body: object, members: ReadonlySet<string>): Members | null {
  const given = Object.entries(body).filter(([, value]) => value !== undefined && value !== null)
  return given.every(([name]) => members.has(name)) ? Object.fromEntries(given) : null
}

function messagesOf(value: unknown): readonly DeviceMessage[] | null {
  if (!Array.isArray(value)) return null
  const messages = value.map(messageOf)
  return messages.every((message) => message !== null) && messages.at(-1)?.role === 'user' ? messages : null
}

const ROLES = new Map<unknown, DeviceMessage['role']>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
])

const MESSAGE_MEMBERS = new Set(['role', 'content', 'name', 'refusal'])

function messageOf(value: unknown): DeviceMessage | null {
  const message = isRecord(value) ? known(value, MESSAGE_MEMBERS) : null
  const role = ROLES.get(message?.['role'])
  const content = textOf(message?.['content'])
  return role === undefined || content === null ? null : { role, content }
}

/** Text, or a list of nothing but texts. */
function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return null
  const texts = content.map((part: unknown) =>
    isRecord(part) && part['type'] === 'text' && typeof part['text'] === 'string' ? part['text'] : null,
  )
  return texts.includes(null) ? null : texts.join('')
}

/** undefined: a format that a device cannot be held to. */
function schemaOf(format: unknown): object | null | undefined {
  if (format === undefined) return null
  if (!isRecord(format)) return undefined
  if (format['type'] === 'text') return null
  if (format['type'] === 'json_object') return { type: 'object' }
  const named = format['json_schema']
  if (format['type'] !== 'json_schema' || !isRecord(named)) return undefined
  return isRecord(named['schema']) ? named['schema'] : undefined
}

function stopsOf(value: unknown): readonly string[] | null {
  if (value === undefined) return []
  const stops: readonly unknown[] = Array.isArray(value) ? value : [value]
  return stops.every((stop) => typeof stop === 'string') ? stops : null
}

function samplingOf(asked: Members): Pick<DeviceRequest, 'temperature' | 'topP'> {
  return { temperature: numberOf(asked['temperature']), topP: numberOf(asked['top_p']) }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
