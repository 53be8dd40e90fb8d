// Capacity over HTTP: what is known of every deployment, and for operators a hand on its breaker.

import type { FastifyInstance } from 'fastify'
import { parseSteer } from '@spillway/protocol'
import type { Tenant } from '../core/release/release.js'
import { findDeployment, steerBreaker } from '../engine/capacity/breaker-events.js'
import type { Engine } from '../engine/engine.js'
import { refused } from '../engine/refusal.js'
import { capacityJson, dependenciesJson, hedgesJson } from './capacity-json.js'
import { Refused } from './control-plane.js'
import { queuesJson } from './queues-json.js'
import { durable, valid } from './task-routes.js'

export function registerCapacityRoutes(app: FastifyInstance, engine: Engine): void {
  app.get('/v1/capacity', async () => ({
    deployments: capacityJson(engine),
    dependencies: dependenciesJson(engine),
    queues: queuesJson(engine),
    hedges: hedgesJson(engine),
  }))
  app.post<{ Params: { '*': string } }>('/v1/capacity/deployments/*', async (request) => {
    mustBeOperator(request.tenant)
    const id = request.params['*']
    const deployment = findDeployment(engine.release(), id)
    if (deployment === undefined) {
      const message = `No deployment '${id.slice(0, 200)}' is configured.`
      throw new Refused(refused('deployment.unknown', message))
    }
    const { action, for_seconds: seconds = 0, reason } = valid(parseSteer(request.body))
    steerBreaker(engine, deployment, { action, forMs: seconds * 1_000, by: request.tenant.name, reason })
    // Who did it is in the books before they are told that it is done.
    await durable(engine)
    const all = [...capacityJson(engine), ...dependenciesJson(engine)]
    return { deployments: all.filter(({ deployment: each }) => each === id) }
  })
}

function mustBeOperator({ name, operator }: Tenant): void {
  if (operator === true) return
  throw new Refused(refused('auth.forbidden', `The tenant '${name}' is no operator.`))
}
