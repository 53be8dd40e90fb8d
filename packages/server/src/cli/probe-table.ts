// `spillway providers --probe`: what one tiny call to each deployment showed, and why those that are not
// usable are not.

import type { DeploymentProbe, ProbeJson, RateLimit } from '@spillway/protocol'
import { isObject } from '../core/json.js'
import type { Question } from './client.js'
import { UNKNOWN, count, duration } from './format.js'
import type { Paint } from './paint.js'
import { plainTable } from './plain-table.js'

/** The server asks its deployments in turns, and each may take its time. */
const PROBE_TIMEOUT_MS = 300_000

export function probeQuestion(paint: Paint): Question {
  return {
    path: '/v1/providers/probe',
    method: 'POST',
    timeoutMs: PROBE_TIMEOUT_MS,
    render: (body) => (isProbe(body) ? renderProbe(body, paint) : null),
    isYes: (body) => isProbe(body) && body.usable,
  }
}

function isProbe(body: unknown): body is ProbeJson {
  return isObject(body) && typeof body['usable'] === 'boolean' && Array.isArray(body['deployments'])
}

export function renderProbe({ deployments }: ProbeJson, paint: Paint): string {
  if (deployments.length === 0) return 'No deployment is configured.'
  const left = ['deployment', 'kind', 'approach', 'region', 'reachable', 'authorised', 'model'].map(
    (head) => ({
      head,
      align: 'left' as const,
    }),
  )
  const right = ['latency', 'requests left', 'tokens left', 'cost'].map((head) => ({ head }))
  const table = plainTable(
    [...left, ...right, { head: '', align: 'left' as const }],
    deployments.map((one) => cells(one, paint)),
    paint,
  )
  const faults = deployments.filter(({ usable }) => !usable)
  const lines = faults.map(
    ({ deployment, reason }) => `${paint.red(deployment)}: ${reason ?? 'unknown reason'}`,
  )
  return lines.length === 0 ? table : `${table}\n\n${lines.join('\n')}`
}

function cells(probe: DeploymentProbe, paint: Paint): string[] {
  const { limits, cost_usd: cost } = probe
  return [
    probe.deployment,
    probe.kind,
    probe.hosting,
    probe.region ?? UNKNOWN,
    yes(probe.reachable, paint),
    yes(probe.authorised, paint),
    probe.model_known === false ? paint.red('unknown') : yes(probe.model_known, paint),
    duration(probe.latency_ms),
    quota(limits?.requests),
    quota(limits?.tokens),
    cost === null ? UNKNOWN : `$${cost.toFixed(6)}`,
    probe.simulated ? paint.yellow('simulated') : '',
  ]
}

function yes(value: boolean | null, paint: Paint): string {
  if (value === null) return UNKNOWN
  return value ? paint.green('yes') : paint.red('no')
}

/** `499/500`, or what is known of it. */
function quota(told: RateLimit | undefined): string {
  if (told === undefined || (told.left === null && told.limit === null)) return UNKNOWN
  return told.limit === null ? count(told.left) : `${count(told.left)}/${count(told.limit)}`
}
