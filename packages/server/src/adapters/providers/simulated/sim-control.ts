// The simulator's own routes: what it served, and its knobs while it runs. Not part of any provider's API.

import type { ServerResponse } from 'node:http'
import { isObject } from '../../../core/json.js'
import { type Parsed, invalid, parsed } from '../../../core/parsed.js'
import { behaviourOf, parseBehaviour } from './behaviour.js'
import type { SimWorld } from './sim-world.js'

export interface ControlRequest {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
}

/** `GET /sim/stats`, `GET /sim/behaviour`, `POST /sim/behaviour` `{model?, outage: true, ...}`. */
export function answerControl(request: ControlRequest, response: ServerResponse, world: SimWorld): void {
  const action = `${request.method} ${request.path}`
  if (action === 'GET /sim/stats') return sendJson(response, 200, world.stats())
  if (action === 'GET /sim/behaviour') return sendJson(response, 200, world.simulation)
  if (action !== 'POST /sim/behaviour') return sendJson(response, 404, { error: `unknown: ${action}` })
  const change = parseChange(request.body)
  if (change.kind === 'invalid') return sendJson(response, 400, { problems: change.problems })
  const { model, knobs } = change.value
  world.change(model, knobs)
  sendJson(response, 200, model === null ? world.simulation : behaviourOf(world.simulation, model))
}

interface Change {
  readonly model: string | null
  readonly knobs: Parameters<SimWorld['change']>[1]
}

function parseChange(body: Uint8Array): Parsed<Change> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch {
    return invalid('body', 'not JSON')
  }
  if (!isObject(value)) return invalid('body', 'expected an object of knobs')
  const { model, ...rest } = value
  if (model !== undefined && typeof model !== 'string') return invalid('model', 'expected a name')
  const knobs = parseBehaviour(rest)
  return knobs.kind === 'invalid' ? knobs : parsed({ model: model ?? null, knobs: knobs.value })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
