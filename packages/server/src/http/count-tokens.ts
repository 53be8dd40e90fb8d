// `POST /v1/messages/count_tokens`: how many input tokens a request would have. Counted from what has been
// learned of the model, on the safe side, without calling anybody: it is what a hold would be sized by.

import type { FastifyInstance } from 'fastify'
import { estimateInputTokens, NOTHING_LEARNED } from '../core/money/bytes-per-token.js'
import { resolveRequestedModel } from '../core/routing/resolve-requested-model.js'
import type { Engine } from '../engine/engine.js'
import { formatOf } from '../wire/formats.js'
import { valid } from './task-routes.js'

export function registerCountTokens(app: FastifyInstance, engine: Engine): void {
  app.post('/v1/messages/count_tokens', async (request, reply) => {
    const body = { max_tokens: 1, ...(request.body as object) }
    const view = valid(formatOf('anthropic-messages').view(body))
    const { contracts, models } = engine.release()
    const asked = resolveRequestedModel({ requested: view.model, task: null, contracts, models })
    const model = asked.kind === 'resolved' ? (asked.pinned ?? asked.contract.route.default) : view.model
    const upstream = models.get(model)?.deployments[0]?.model ?? model
    const size = { bytes: view.promptBytes, images: view.imageCount, messages: 1 }
    const tokens = estimateInputTokens(engine.bytesPerToken.get(upstream) ?? NOTHING_LEARNED, size)
    reply.header('x-spillway-estimated', 'true')
    return { input_tokens: tokens }
  })
}
