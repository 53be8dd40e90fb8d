// `POST /v1/messages/count_tokens`: how many input tokens a request would have.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import type { FastifyInstance } from 'fastify'
import { isObject } from '../core/json.js'
import { countTokens } from '../engine/count-tokens.js'
import type { Engine } from '../engine/engine.js'
import { formatOf } from '../wire/formats.js'
import { formatHeaders } from './data-plane.js'
import { valid } from './task-routes.js'

export function registerCountTokens(app: FastifyInstance, engine: Engine): void {
  app.post('/v1/messages/count_tokens', async (request, reply) => {
    const body = isObject(request.body) ? request.body : {}
    // Counting needs no limit, but a messages request is not valid without one.
    const view = valid(formatOf('anthropic-messages').view({ max_tokens: 1, ...body }))
    const counted = await countTokens(engine, { body, view, headers: formatHeaders(request.raw) })
    if (counted.isEstimate) reply.header(RESPONSE_HEADERS.estimated, 'true')
    return { input_tokens: counted.tokens }
  })
}
