// A call of the Responses API that names the response it goes on from: what was said before is put in front
// of its input, so that any provider can answer it. What would need a provider's own memory is refused.

import { isObject } from '../core/json.js'
import type { Engine } from '../engine/engine.js'
import { type Refusal, refused } from '../engine/refusal.js'
import { conversationOf } from '../engine/responses.js'
import type { KeptTurn, ModelCall } from '../engine/step-context.js'
import { parseJson } from '../wire/fields.js'
import { itemsOfRequest, withHistory } from '../wire/openai-responses/history.js'

export interface Resumed {
  readonly kind: 'resumed'
  readonly bytes: Buffer
  readonly keeps: KeptTurn | null
  readonly thoughts: ModelCall['thoughts']
}

export async function resumeConversation(
  engine: Engine,
  tenant: string,
  bytes: Buffer,
): Promise<Resumed | Refusal> {
  const body = parseJson(bytes.toString('utf8'))
  // Not JSON: the parser that follows says where.
  if (!isObject(body)) return { kind: 'resumed', bytes, keeps: null, thoughts: undefined }
  const refusal = unsupportedIn(body)
  if (refusal !== null) return refusal
  const previous = typeof body['previous_response_id'] === 'string' ? body['previous_response_id'] : null
  const keeps = body['store'] === false ? null : { previous, input: itemsOfRequest(body) }
  if (previous === null) return { kind: 'resumed', bytes, keeps, thoughts: undefined }
  const history = await conversationOf(engine, tenant, previous)
  if ('kind' in history) return history
  const { items, thoughts } = history
  return { kind: 'resumed', bytes: Buffer.from(withHistory(bytes, items)), keeps, thoughts }
}

function unsupportedIn(body: Record<string, unknown>): Refusal | null {
  if (body['background'] === true) return unsupported('background', 'answers are given while you wait')
  const { conversation } = body
  if (conversation === undefined || conversation === null) return null
  return unsupported('conversation', 'go on from a response with `previous_response_id`')
}

function unsupported(field: string, instead: string): Refusal {
  const message = `\`${field}\` is not supported: ${instead}.`
  return refused('request.unsupported', message, { problems: [{ at: field, message: instead }] })
}
