// Stored responses over HTTP: look at one, list what was said to it, delete it.

import type { FastifyInstance } from 'fastify'
import type { JsonObject } from '../core/json.js'
import type { Engine } from '../engine/engine.js'
import { refused } from '../engine/refusal.js'
import { conversationOf, forgetResponse, loadResponse } from '../engine/responses.js'
import { Refused } from './control-plane.js'

interface WithId {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

const PREFIXES = ['/v1/responses', '/openai/v1/responses']
const ITEMS_DEFAULT = 20
const ITEMS_MAX = 100

export function registerResponseRoutes(app: FastifyInstance, engine: Engine): void {
  for (const prefix of PREFIXES) {
    app.get<WithId>(`${prefix}/:id`, async ({ params, query, tenant }) => {
      if (query['stream'] === 'true')
        throw new Refused(refused('request.unsupported', 'A stored response is not streamed again.'))
      const kept = await loadResponse(engine, tenant.name, params.id)
      if ('kind' in kept) throw new Refused(kept)
      return kept.response
    })
    app.delete<WithId>(`${prefix}/:id`, async ({ params: { id }, tenant }) => {
      const kept = await loadResponse(engine, tenant.name, id)
      if ('kind' in kept) throw new Refused(kept)
      forgetResponse(engine, tenant.name, { id, task: kept.task })
      await engine.books.durable()
      return { id, object: 'response', deleted: true }
    })
    app.get<WithId>(`${prefix}/:id/input_items`, async ({ params: { id }, query, tenant }) => {
      const kept = await loadResponse(engine, tenant.name, id)
      if ('kind' in kept) throw new Refused(kept)
      const before = kept.previous === null ? [] : await conversationOf(engine, tenant.name, kept.previous)
      if ('kind' in before) throw new Refused(before)
      return page(named([...before, ...kept.input], id), query)
    })
  }
}

/** Every item has an id to page by; those that came without get one from their place. */
function named(items: readonly JsonObject[], response: string): readonly JsonObject[] {
  return items.map((item, index) =>
    typeof item['id'] === 'string' ? item : { id: `item_${response}_${index}`, ...item },
  )
}

function page(items: readonly JsonObject[], query: WithId['Querystring']): JsonObject {
  const ordered = query['order'] === 'asc' ? items : items.toReversed()
  const { after } = query
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  const asked = Number(query['limit'] ?? ITEMS_DEFAULT)
  const limit = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), ITEMS_MAX) : ITEMS_DEFAULT
  const data = ordered.slice(start, start + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
    has_more: start + limit < ordered.length,
  }
}
