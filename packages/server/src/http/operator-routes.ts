// What operators and their tools ask: the whiteboard, capacity, models, metrics, health.

import type { FastifyInstance } from 'fastify'
import type { ModelEntry, Release } from '../core/release/release.js'
import { summariseReport } from '../core/task/summarise-report.js'
import type { Engine } from '../engine/engine.js'
import { probeDeployments } from '../engine/probe/probe.js'
import { refused } from '../engine/refusal.js'
import { type ControlPlane, Refused } from './control-plane.js'
import { registerCapacityRoutes } from './capacity-routes.js'
import { probeJson } from './probe-json.js'
import { EVENTS_DEFAULT, parseEventQuery, parseReportQuery } from './queries.js'
import { eventJson, reportSlo, sloJson } from './slo-json.js'
import { groupJson, ownedJson } from './report-json.js'
import { valid } from './task-routes.js'

export function registerOperatorRoutes(app: FastifyInstance, plane: ControlPlane): void {
  const { engine } = plane
  registerReport(app, engine)
  registerCapacityRoutes(app, engine)
  app.get('/v1/slo', async () => ({ contracts: sloJson(engine) }))
  app.get('/v1/events', async (request) => {
    const filter = valid(parseEventQuery(request.query, engine.system.nowMs()))
    const rows = await engine.archive.events(filter)
    const isFull = rows.length >= (filter.limit ?? EVENTS_DEFAULT)
    return { events: rows.map(eventJson), next: isFull ? (rows.at(-1)?.n ?? null) : null }
  })
  app.post('/v1/providers/probe', async (request) => {
    const probes = await probeDeployments(engine, request.tenant)
    return probeJson(engine.release(), probes)
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await plane.metrics()
    return reply.type(contentType).send(text)
  })
  registerModels(app, engine)
  registerHealth(app, plane)
}

function registerReport(app: FastifyInstance, engine: Engine): void {
  app.get('/v1/report', async (request) => {
    const nowMs = engine.system.nowMs()
    const filter = { ...valid(parseReportQuery(request.query, nowMs)), tenant: request.tenant.name }
    const groups = await engine.archive.report(filter)
    // What is owned costs by the hour: hours to come have not been paid yet.
    const past = { ...filter, untilMs: Math.min(filter.untilMs, nowMs) }
    const summary = summariseReport(filter.by, groups, await engine.archive.ownedCosts(past))
    return {
      since: new Date(filter.sinceMs).toISOString(),
      until: new Date(filter.untilMs).toISOString(),
      by: filter.by,
      release: engine.release().id,
      groups: summary.groups.map((group) => ({
        ...groupJson(group),
        ...(filter.by === 'contract' ? reportSlo(engine.release(), group) : {}),
      })),
      ...(summary.owned === null ? {} : { owned: ownedJson(summary.owned) }),
    }
  })
}

function registerModels(app: FastifyInstance, engine: Engine): void {
  app.get('/v1/models', async (request) => {
    const data = modelsJson(engine.release(), request.headers['anthropic-version'] !== undefined)
    return {
      object: 'list',
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    }
  })
  app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const name = request.params['*']
    const data = modelsJson(engine.release(), request.headers['anthropic-version'] !== undefined)
    const found = data.find((model) => model.id === name)
    if (found === undefined)
      throw new Refused(refused('model.unknown', `No model named '${name.slice(0, 100)}' is configured.`))
    return found
  })
}

function registerHealth(app: FastifyInstance, plane: ControlPlane): void {
  const alive = async () => ({ status: 'ok', release: plane.engine.release().id })
  for (const path of ['/healthz', '/health/liveness']) app.get(path, alive)
  for (const path of ['/readyz', '/health/readiness']) {
    app.get(path, async (_request, reply) => {
      const reason = plane.unready()
      if (reason === null) return alive()
      return reply.code(503).send({ status: 'unready', reason })
    })
  }
}

/** Models, tasks and tiers that `model` may name; both SDKs find their own fields. */
function modelsJson(release: Release, isAnthropic: boolean) {
  const entry = (id: string, about: { owner: string; simulated: boolean }) => ({
    id,
    object: 'model',
    created: 0,
    owned_by: about.owner,
    ...(about.simulated ? { simulated: true } : {}),
    ...(isAnthropic ? { type: 'model', display_name: id, created_at: '1970-01-01T00:00:00Z' } : {}),
  })
  const models = [...release.models.values()].map((model) =>
    entry(model.name, {
      owner: model.deployments[0]?.provider ?? 'spillway',
      simulated: isSimulated(release, model),
    }),
  )
  const tasks = [...release.contracts.values()]
    .filter((contract) => contract.name !== 'default')
    .map((contract) => {
      const model = release.models.get(contract.route.default)
      return entry(contract.name, {
        owner: 'spillway',
        simulated: model !== undefined && isSimulated(release, model),
      })
    })
  return [...models, ...tasks]
}

function isSimulated(release: Release, model: ModelEntry): boolean {
  return model.deployments.some(
    (deployment) => release.providers.get(deployment.provider)?.kind === 'simulated',
  )
}
