// A conversation on its way to Claude itself, without thoughts that nothing proves to it: another provider's,
// or those of a stream that was cut before their signature. It would be refused for one of them.

import { isObject } from '../../core/json.js'
import { makerOf, mayHoldMarks } from '../reasoning-proof.js'
import { asBuffer } from '../sse.js'
import { reasoningOf } from './decode-content.js'

const UNSIGNED = '"signature":""'

export function withoutForeignProofs({
  json,
  body,
}: {
  readonly json: unknown
  readonly body: Uint8Array
}): readonly unknown[] | null {
  const bytes = asBuffer(body)
  // On the way of every call: nearly all bodies are done here.
  if (!mayHoldMarks(bytes) && !bytes.includes(UNSIGNED)) return null
  const messages = isObject(json) ? json['messages'] : null
  if (!Array.isArray(messages)) return null
  let found = false
  const own = messages.flatMap((message: unknown): readonly unknown[] => {
    if (!isObject(message) || !Array.isArray(message['content'])) return [message]
    const content = message['content'].filter((block) => !isForeign(block))
    if (content.length === message['content'].length) return [message]
    found = true
    // Content may not be empty.
    return content.length === 0 ? [] : [{ ...message, content }]
  })
  return found ? own : null
}

function isForeign(block: unknown): boolean {
  const thought = isObject(block) ? reasoningOf(block) : null
  return thought?.kind === 'reasoning' && makerOf(thought) !== 'claude'
}
