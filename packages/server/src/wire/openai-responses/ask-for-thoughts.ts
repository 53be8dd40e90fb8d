// Whether a call may ask OpenAI for what the model thought, encrypted. Models that do not think refuse to be
// asked, so it is only done where they are known to, or where the caller speaks to them as if they did.

import { isObject } from '../../core/json.js'
import { takesEffort } from '../openai-chat/reasoning-effort.js'

/** By OpenAI's names; a name of the user's own (a deployment at Azure) says nothing. */
const THINKS = /(?:^|[/:])(?:o[134](?:-|$)|gpt-5)/

export function mayAskForThoughts(model: string, body: unknown): boolean {
  if (!takesEffort({ model })) return false
  return THINKS.test(model) || (isObject(body) && isObject(body['reasoning']))
}
