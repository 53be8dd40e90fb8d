// `GET /v1/models`, in the shape of whoever asks: Anthropic's client names its version, OpenAI's does not.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Simulation } from '../../../core/release/simulation.js'
import { errorAnswer } from './provider-errors.js'

/** Any name is answered; these are shown when asked what there is. */
const WELL_KNOWN = [
  'gpt-4o-mini',
  'gpt-4o',
  'claude-3-5-haiku',
  'claude-3-5-sonnet',
  'text-embedding-3-small',
]
const CREATED_SECONDS = 1_735_689_600

export function answerModels(
  path: string,
  headers: IncomingHttpHeaders,
  at: { readonly response: ServerResponse; readonly simulation: Simulation },
): void {
  const anthropic = headers['anthropic-version'] !== undefined
  const ids = [...new Set([...Object.keys(at.simulation.models), ...WELL_KNOWN])]
  const wanted = unescapePath(path.slice('/v1/models'.length + 1))
  const { status, body } = answerFor(ids, wanted, anthropic)
  at.response.writeHead(status, { 'content-type': 'application/json', 'x-spillway-simulated': 'true' })
  at.response.end(body)
}

function answerFor(
  ids: readonly string[],
  wanted: string,
  anthropic: boolean,
): { status: number; body: string } {
  const shape = anthropic ? anthropicModel : openAiModel
  if (wanted !== '') {
    if (ids.includes(wanted)) return { status: 200, body: JSON.stringify(shape(wanted)) }
    return errorAnswer({ dialect: anthropic ? 'anthropic' : 'openai', status: 404, requestId: 'req_models' })
  }
  const data = ids.map(shape)
  const list = anthropic
    ? { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null }
    : { object: 'list', data }
  return { status: 200, body: JSON.stringify(list) }
}

/** Names of self-hosted models have slashes in them. */
function unescapePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function openAiModel(id: string): Record<string, unknown> {
  return { id, object: 'model', created: CREATED_SECONDS, owned_by: 'simulated' }
}

function anthropicModel(id: string): Record<string, unknown> {
  const created = new Date(CREATED_SECONDS * 1_000).toISOString().replace('.000Z', 'Z')
  return { type: 'model', id, display_name: `${id} (simulated)`, created_at: created }
}
