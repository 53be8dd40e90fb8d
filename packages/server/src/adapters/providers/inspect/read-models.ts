// Reads a provider's list of models, page after page, within bounds.

import { MODELS_MAX, type ModelList, parseModelPage } from '../../../wire/model-list.js'
import type { ModelListAddress } from '../addresses/address.js'
import type { Ask } from './ask.js'
import { type Fact, factOf, untold, usableBody } from './fact.js'

const PAGES_MAX = 5

export async function readModels(
  address: ModelListAddress,
  ask: Ask,
  untilMs: number,
): Promise<Fact<ModelList>> {
  if (address.kind === 'none') return untold(address.reason)
  const { pathOf, namesCalls } = address
  const ids = new Set<string>()
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX && ids.size < MODELS_MAX; page++) {
    const body = usableBody(await ask(pathOf(cursor), untilMs))
    const read = body.value === null ? body : factOf(parseModelPage(body.value))
    // Pages that came before are worth showing; the cursor says that more are missing.
    if (read.value === null && page > 0) break
    if (read.value === null) return read
    for (const id of read.value.ids) ids.add(id)
    cursor = read.value.next
    if (cursor === null) break
  }
  const isComplete = cursor === null && ids.size <= MODELS_MAX
  return { value: { ids: [...ids].slice(0, MODELS_MAX), isComplete, namesCalls }, reason: null }
}
